// Products in panels: register blocks over panels of A and B, which are packed where reading them in place would be slow.
import { call, type FunctionBuilder, i32, type ModuleBuilder, type Operand } from '../wasm/index.ts'
import { at, type Blocks, blocks, forAll, forShare, type Index, least } from './blocks.ts'
import { microKernel } from './microKernel.ts'
import { packAdjacent, packTransposed, panelWidths } from './pack.ts'
import type { PanelPlan } from './plan.ts'
import { parameters, type Product, type ProductFunction, type ProductStage } from './product.ts'

/** What the writers share. */
interface Context {
  readonly module: ModuleBuilder
  readonly f: FunctionBuilder<'none'>
  readonly product: Product
  readonly plan: PanelPlan
  readonly relaxed: boolean
  readonly a: Index
  readonly b: Index
  readonly c: Index
  readonly workspace: Index
}

/** Writes the product's stages: packing, where the plan has it, and multiplying. */
export function writePanels(
  module: ModuleBuilder,
  product: Product,
  plan: PanelPlan,
  relaxed: boolean,
): ProductStage[] {
  const { m, n, k } = product
  const define = (suffix: string, write: Writer) => defineWith(module, product, plan, relaxed, suffix, write)
  const packed: ProductStage[] = plan.packB === 'before' ? [writePackB(module, product, plan)] : []
  if (plan.packA)
    packed.push({ func: define('_packA', packAllA), units: plan.stripsA.count, work: m * k, kind: 'pack' })
  const wholeRows = plan.by === 'rows'
  return [
    ...packed,
    {
      func: define('', wholeRows ? rowUnits : columnUnits),
      units: plan.units.count,
      work: m * n * k,
      kind: 'multiply',
      ...(wholeRows && { finishes: plan.units.size * n }),
      ...(!wholeRows && plan.units.count === 1 && { finishes: m * n }),
    },
  ]
}

/** Writes the stage that packs all of B into the workspace. */
export const writePackB = (module: ModuleBuilder, product: Product, plan: PanelPlan): ProductStage => ({
  func: defineWith(module, product, plan, false, '_packB', packAllB),
  units: plan.stripsB.count,
  work: product.n * product.k,
  kind: 'pack',
})

type Writer = (context: Context, begin: Index, end: Index) => void

function defineWith(
  module: ModuleBuilder,
  product: Product,
  plan: PanelPlan,
  relaxed: boolean,
  suffix: string,
  write: Writer,
): ProductFunction {
  const { m, n, k, transposeA, transposeB } = product
  const name = `matmul_${m}x${n}x${k}_${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}${suffix}`
  return module.define(name, parameters, 'none', (f, a, b, c, workspace, begin, end) =>
    write({ module, f, product, plan, relaxed, a, b, c, workspace }, begin, end),
  )
}

/** Bytes of packed B for one step of k of so many columns: whole vectors. */
const stepBytes = ({ element: { lanes, bytes } }: Product, columns: number): number =>
  Math.ceil(columns / lanes) * lanes * bytes

/** Packs `columns` columns of B, from the one at `source`, for one block of k. */
function packB(context: Context, source: Index, columns: number, depth: number, target: Index): void {
  const { f, product, plan } = context
  const { element, n, k, transposeB } = product
  const { size } = plan.columns
  const packedPanel = depth * size * element.bytes
  const strip = { element, k: depth, packedPanel }
  // Narrower panels have shorter steps: they are strips of their own.
  const [whole, tail] = [Math.floor(columns / size), columns % size]
  const write = transposeB ? packTransposed : packAdjacent
  const stride = (transposeB ? k : n) * element.bytes
  const line = transposeB ? stride : element.bytes
  if (whole > 0)
    write(
      f,
      { ...strip, widths: panelWidths(whole * size, size), packedK: size * element.bytes },
      source,
      stride,
      target,
    )
  if (tail > 0)
    write(
      f,
      { ...strip, widths: [tail], packedK: stepBytes(product, tail) },
      f.let(i32.add(source, whole * size * line)),
      stride,
      f.let(i32.add(target, whole * packedPanel)),
    )
}

/** Strips [begin, end) of B, each for every block of k. */
function packAllB(context: Context, begin: Index, end: Index): void {
  const { f, product, plan, b, workspace } = context
  const { n, k, transposeB, element } = product
  const [line, step] = transposeB ? [k * element.bytes, element.bytes] : [element.bytes, n * element.bytes]
  forShare(f, plan.stripsB, begin, end, (strip, columns) => {
    const source = f.let(at(b, strip, plan.stripsB.size * line))
    forAll(f, plan.depth, (block, depth) => {
      const from = f.let(at(source, block, plan.depth.size * step))
      const blockAt = at(workspace, block, plan.depth.size * stepBytes(product, n))
      packB(
        context,
        from,
        columns,
        depth,
        f.let(at(blockAt, strip, depth * plan.stripsB.size * element.bytes)),
      )
    })
  })
}

/** Strips [begin, end) of A transposed, for all k. */
function packAllA({ f, product, plan, a, workspace }: Context, begin: Index, end: Index): void {
  const { element, m, k } = product
  const { height, aPanel, aOffset, stripsA } = plan
  const packed = f.let(i32.add(workspace, aOffset))
  forShare(f, stripsA, begin, end, (index, rows) => {
    const from = f.let(at(a, index, stripsA.size * element.bytes))
    const to = f.let(at(packed, index, (stripsA.size / height) * aPanel))
    const widths = panelWidths(rows, height)
    // All but the last strip have rows after them, which may be read.
    const spare = rows === stripsA.size && stripsA.tail >= element.lanes
    packAdjacent(
      f,
      { element, k, widths, packedK: height * element.bytes, packedPanel: aPanel },
      from,
      m * element.bytes,
      to,
      spare,
    )
  })
}

/** Units [begin, end) of whole rows. */
function rowUnits(context: Context, begin: Index, end: Index): void {
  const { f, product, plan, a, b, c, workspace } = context
  const { n, element } = product
  const { units, height, depth: blocksOfK } = plan
  const aBase = plan.packA ? f.let(i32.add(workspace, plan.aOffset)) : a
  const { row, step } = stridesOfA(context)
  forShare(f, units, begin, end, (unit, rows) => {
    const aUnit = f.let(at(aBase, unit, plan.packA ? (units.size / height) * plan.aPanel : units.size * row))
    const cUnit = f.let(at(c, unit, units.size * n * element.bytes))
    forAll(f, blocksOfK, (block, depth) => {
      const aBlock = f.let(at(aUnit, block, blocksOfK.size * step))
      // Packed or not, B has all columns of a block of k before those of the next one.
      const [bBase, width] =
        plan.packB === 'no'
          ? [b, n * element.bytes]
          : [plan.packB === 'once' ? b : workspace, stepBytes(product, n)]
      const bBlock = f.let(at(bBase, block, blocksOfK.size * width))
      writeArea(context, { rows, columns: n, depth }, aBlock, bBlock, cUnit, block)
    })
  })
}

/** Units [begin, end) of column panels, all rows of them. */
function columnUnits(context: Context, begin: Index, end: Index): void {
  const { f, product, plan, a, b, c, workspace } = context
  const { m, n, k, transposeB, element } = product
  const { units, depth: blocksOfK } = plan
  const [line, bStep] = transposeB ? [k * element.bytes, element.bytes] : [element.bytes, n * element.bytes]
  const { step } = stridesOfA(context)
  forShare(f, units, begin, end, (unit, columns) => {
    const bUnit = f.let(at(b, unit, units.size * line))
    const cUnit = f.let(at(c, unit, units.size * element.bytes))
    forAll(f, blocksOfK, (block, depth) => {
      const aBlock = f.let(at(a, block, blocksOfK.size * step))
      const once = plan.packB === 'once'
      const packed = f.let(
        once
          ? at(at(b, block, blocksOfK.size * stepBytes(product, n)), unit, depth * units.size * element.bytes)
          : at(workspace, unit, blocksOfK.size * units.size * element.bytes),
      )
      if (!once) packB(context, f.let(at(bUnit, block, blocksOfK.size * bStep)), columns, depth, packed)
      writeArea(context, { rows: m, columns, depth }, aBlock, packed, cUnit, block)
    })
  })
}

/** Bytes from A[i][k] to A[i + 1][k] within a register block, and to A[i][k + 1]. */
function stridesOfA({ product, plan }: Context): { readonly row: number; readonly step: number } {
  const { element, m, k, transposeA } = product
  if (plan.packA) return { row: element.bytes, step: plan.height * element.bytes }
  return transposeA
    ? { row: element.bytes, step: m * element.bytes }
    : { row: k * element.bytes, step: element.bytes }
}

/** A part of C, and a block of k. */
interface Area {
  readonly rows: number
  readonly columns: number
  readonly depth: number
}

/** Groups of column panels, register blocks of rows, column panels: the rows of A stay in the first cache, the panels of B in the second. */
function writeArea(
  context: Context,
  { rows, columns, depth }: Area,
  a: Index,
  b: Index,
  c: Index,
  add: Operand<'i32'>,
): void {
  const { f, product, plan } = context
  const { bytes } = product.element
  const { size } = plan.columns
  const panels = blocks(columns, size)
  const bPanel = size * bytes * (plan.packB === 'no' ? 1 : depth)
  const cRow = product.n * bytes
  /** All rows, cut into register blocks, with the panels that `visit` names. */
  const overRows = (cut: Blocks, width: number, visit: (multiply: (panel: Operand<'i32'>) => void) => void) =>
    forAll(f, cut, (group, height) => {
      const { row, step } = stridesOfA(context)
      const aRows = f.let(at(a, group, plan.packA ? plan.aPanel : cut.size * row))
      const cRows = f.let(at(c, group, cut.size * cRow))
      const kernel = microKernel(context.module, {
        element: product.element.name,
        rows: height,
        columns: width,
        k: depth,
        aRow: row,
        aK: step,
        bK: plan.packB === 'no' ? product.n * bytes : stepBytes(product, width),
        bPadded: plan.packB !== 'no',
        cRow,
        relaxed: context.relaxed,
      })
      visit((panel) => f.do(call(kernel, aRows, at(b, panel, bPanel), at(cRows, panel, size * bytes), add)))
    })
  const main = blocks(rows, plan.height)
  if (panels.whole <= plan.panelsTogether)
    overRows(main, size, (multiply) => f.forRange(0, panels.whole, 1, multiply))
  else
    f.forRange(0, panels.whole, plan.panelsTogether, (first) => {
      const last = f.let(i32.add(first, plan.panelsTogether))
      f.set(last, least(last, panels.whole))
      overRows(main, size, (multiply) => f.forRange(first, last, 1, multiply))
    })
  if (panels.tail > 0)
    overRows(blocks(rows, plan.tailHeight), panels.tail, (multiply) => multiply(panels.whole))
}
