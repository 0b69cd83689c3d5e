// A matrix product as two functions: `pack` copies operands into panels, `run` computes row panels of C; both over [begin, end), so that threads stay outside.
import {
  call,
  type Func,
  type FunctionBuilder,
  i32,
  type Local,
  type ModuleBuilder,
  type Operand,
  select,
  type Value,
} from '../wasm/index.ts'
import { microKernel } from './microKernel.ts'
import { packAdjacent, packTransposed } from './pack.ts'
import { type Blocks, type MatmulOptions, type MatmulPlan, type MatmulSpec, planMatmul } from './plan.ts'

/** Parameters: addresses of A, B, C and the workspace, then the first unit of work and the one after the last. */
export type MatmulFunction = Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], 'none'>

/** A product's code. All of `pack` must have run, for these operands, before any of `run`. */
export interface Matmul {
  /** Packs units [begin, end) of `packUnits`; absent when nothing is packed. C is not touched. */
  readonly pack: MatmulFunction | undefined
  readonly packUnits: number
  /** Computes row panels [begin, end) of `panels`. The result does not depend on how they are divided. */
  readonly run: MatmulFunction
  readonly panels: number
  /** Memory that `pack` fills and `run` reads; align it to 64. */
  readonly workspaceBytes: number
}

const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const

/** Writes the functions of one product into a module. An equal product is written once. */
export function emitMatmul(module: ModuleBuilder, spec: MatmulSpec, options: MatmulOptions): Matmul {
  return module.once(`matmul ${JSON.stringify([spec, options])}`, () => {
    const plan = planMatmul(spec, options)
    const { m, n, k, transposeA, transposeB } = spec
    const name = `matmul_${m}x${n}x${k}_${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`
    const bPanels = plan.packB ? plan.columns.count : 0
    const aPanels = plan.packA ? plan.rows.count : 0
    const pack = (
      f: FunctionBuilder<'none'>,
      a: Index,
      b: Index,
      workspace: Index,
      begin: Index,
      end: Index,
    ) => {
      if (plan.packB) writePackB({ f, spec, plan, workspace, begin, end }, b)
      if (!plan.packA) return
      // Units of A come after those of B.
      const from = f.let(select(i32.gt_u(begin, bPanels), i32.sub(begin, bPanels), i32.const(0)))
      const to = f.let(select(i32.gt_u(end, bPanels), i32.sub(end, bPanels), i32.const(0)))
      writePackA({ f, spec, plan, workspace, begin: from, end: to }, a)
    }
    return {
      pack:
        bPanels + aPanels > 0
          ? module.define(`${name}_pack`, parameters, 'none', (f, a, b, _, workspace, begin, end) =>
              pack(f, a, b, workspace, begin, end),
            )
          : undefined,
      packUnits: bPanels + aPanels,
      run: module.define(name, parameters, 'none', (f, a, b, c, workspace, begin, end) =>
        writeRun(module, { f, spec, plan, workspace, begin, end }, options.relaxed, a, b, c),
      ),
      panels: n === 0 ? 0 : plan.rows.count,
      workspaceBytes: plan.workspaceBytes,
    }
  })
}

type Index = Local<'i32'>

/** What the writers of both functions share. */
interface Context {
  readonly f: FunctionBuilder<'none'>
  readonly spec: MatmulSpec
  readonly plan: MatmulPlan
  readonly workspace: Index
  readonly begin: Index
  readonly end: Index
}

/** base + count · bytes */
const at = (base: Operand<'i32'>, count: Operand<'i32'>, bytes: number): Value<'i32'> =>
  i32.add(base, i32.mul(count, bytes))

const min = (a: Index, b: number): Value<'i32'> => select(i32.lt_u(a, b), a, i32.const(b))

/** Runs `body` for every block: the whole ones in a loop, then the shorter one. */
function forAll(f: FunctionBuilder<'none'>, cut: Blocks, body: (index: Index, size: number) => void): void {
  f.forRange(0, cut.whole, 1, (index) => body(index, cut.size))
  if (cut.tail > 0) body(f.let(i32.const(cut.whole)), cut.tail)
}

/** Runs `body` for the blocks in [begin, end). */
function forShare(
  f: FunctionBuilder<'none'>,
  cut: Blocks,
  begin: Index,
  end: Index,
  body: (index: Index, size: number) => void,
): void {
  if (cut.whole > 0) f.forRange(begin, f.let(min(end, cut.whole)), 1, (index) => body(index, cut.size))
  if (cut.tail > 0)
    f.if(i32.and(i32.le_u(begin, cut.whole), i32.gt_u(end, cut.whole)), () =>
      body(f.let(i32.const(cut.whole)), cut.tail),
    )
}

/** Bytes of a packed step of k of a column panel: whole vectors. */
const panelStep = ({ element: { lanes, bytes } }: MatmulPlan, width: number): number =>
  Math.ceil(width / lanes) * lanes * bytes

/** Units [0, columns.count): panels of B, each for every block of k. */
function writePackB({ f, spec, plan, workspace, begin, end }: Context, b: Index): void {
  const { element, columns, depth, bStepBytes, ldb } = plan
  const { bytes } = element
  const [lineStride, kStride] = spec.transposeB ? [ldb * bytes, bytes] : [bytes, ldb * bytes]
  forShare(f, columns, begin, end, (panel, width) => {
    const source = f.let(at(b, panel, columns.size * lineStride))
    forAll(f, depth, (block, k) => {
      const from = f.let(at(source, block, depth.size * kStride))
      const to = f.let(at(at(workspace, block, depth.size * bStepBytes), panel, k * columns.size * bytes))
      const strip = { element, k, width, packedK: panelStep(plan, width) }
      if (spec.transposeB) packTransposed(f, strip, from, lineStride, to)
      else packAdjacent(f, strip, from, kStride, to)
    })
  })
}

/** Row panels [begin, end) of A. */
function writePackA({ f, spec, plan, workspace, begin, end }: Context, a: Index): void {
  const { element, rows, lda, aOffset, aPanelBytes } = plan
  const { bytes } = element
  forShare(f, rows, begin, end, (panel, width) => {
    const from = f.let(at(a, panel, rows.size * bytes))
    const to = f.let(at(i32.add(workspace, aOffset), panel, aPanelBytes))
    packAdjacent(f, { element, k: spec.k, width, packedK: rows.size * bytes }, from, lda * bytes, to)
  })
}

/** Blocks of k, groups of column panels, row panels, column panels: the panel of A stays in the first cache, those of B in the second. */
function writeRun(
  module: ModuleBuilder,
  { f, spec, plan, workspace, begin, end }: Context,
  relaxed: boolean,
  a: Index,
  b: Index,
  c: Index,
): void {
  const { element, rows, columns, depth, panelsTogether, packA, packB } = plan
  const { bytes } = element
  const aRow = spec.transposeA ? bytes : plan.lda * bytes
  const aK = packA ? rows.size * bytes : spec.transposeA ? plan.lda * bytes : bytes
  const aPanel = packA ? plan.aPanelBytes : rows.size * aRow
  const aBase = packA ? f.let(i32.add(workspace, plan.aOffset)) : a
  const cRow = plan.ldc * bytes

  const block = (index: Operand<'i32'>, k: number) => {
    const add = spec.accumulate ? 1 : index
    const aBlock = f.let(at(aBase, index, depth.size * aK))
    const bBlock = f.let(
      packB
        ? at(workspace, index, depth.size * plan.bStepBytes)
        : at(b, index, depth.size * plan.ldb * bytes),
    )
    /** One row panel with the column panels that `visit` names. */
    const row = (
      panel: Index,
      height: number,
      visit: (tile: (index: Index, width: number) => void) => void,
    ) => {
      const aStart = f.let(at(aBlock, panel, aPanel))
      const cStart = f.let(at(c, panel, rows.size * cRow))
      visit((column, width) => {
        const kernel = microKernel(module, {
          element: element.name,
          rows: height,
          columns: width,
          k,
          aRow: packA ? bytes : aRow,
          aK,
          bK: packB ? panelStep(plan, width) : plan.ldb * bytes,
          bPadded: packB,
          cRow,
          relaxed,
        })
        const bStart = at(bBlock, column, columns.size * bytes * (packB ? k : 1))
        f.do(call(kernel, aStart, bStart, at(cStart, column, columns.size * bytes), add))
      })
    }
    const share = (visit: (tile: (index: Index, width: number) => void) => void) =>
      forShare(f, rows, begin, end, (panel, height) => row(panel, height, visit))
    if (columns.whole <= panelsTogether) return share((tile) => forAll(f, columns, tile))
    f.forRange(0, columns.whole, panelsTogether, (first) => {
      const last = f.let(i32.add(first, panelsTogether))
      f.set(last, min(last, columns.whole))
      share((tile) => f.forRange(first, last, 1, (column) => tile(column, columns.size)))
    })
    if (columns.tail > 0) share((tile) => tile(f.let(i32.const(columns.whole)), columns.tail))
  }
  // Without any k the result is zeros, which the kernel for k = 0 stores.
  if (spec.k === 0) block(0, 0)
  else forAll(f, depth, block)
}
