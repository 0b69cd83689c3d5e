// Products of few rows by B transposed: rows of A meet rows of B, both read along k, so that nothing need be packed.
import { call, type Func, type FunctionBuilder, i32, type Local, type ModuleBuilder } from '../wasm/index.ts'
import { at, type Blocks, blocks, forAll, forShare, type Index } from './blocks.ts'
import { productWork, unitLength, unitsFor } from './division.ts'
import { type Element, zero } from './element.ts'
import { type MatmulOptions, parameters, type Product, type ProductStage } from './product.ts'

/** Columns of C (rows of B) of a block: as many as two rows of sums find registers for, beside a product on its way to its sum where that is rounded apart. */
const blockColumns = (relaxed: boolean): number => (relaxed ? 6 : 5)

/** Columns of a unit at most: whole blocks. */
const unitColumns = 30

/** How the product is divided. */
export interface DotPlan {
  readonly form: 'dot'
  /** Units are strips of columns. */
  readonly units: Blocks
}

/** Plans the product. */
export function planDot({ m, n, k }: Product, { relaxed, threads = 1 }: MatmulOptions): DotPlan {
  const count = unitsFor(threads, productWork(m, n, k))
  return { form: 'dot', units: blocks(n, unitLength(n, count, unitColumns, blockColumns(relaxed))) }
}

/** Writes the product as one stage. B must be transposed, and A not. */
export function writeDot(
  module: ModuleBuilder,
  product: Product,
  { units }: DotPlan,
  relaxed: boolean,
): ProductStage {
  const { element, m, n, k } = product
  const { bytes } = element
  const rows = blocks(m, Math.min(m, 2))
  const row = k * bytes
  const across = blockColumns(relaxed)
  const func = module.define(`dot_${m}x${n}x${k}`, parameters, 'none', (f, a, b, c, _, begin, end) => {
    forShare(f, units, begin, end, (unit, size) => {
      const bUnit = f.let(at(b, unit, units.size * row))
      const cUnit = f.let(at(c, unit, units.size * bytes))
      forAll(f, blocks(size, across), (group, columns) => {
        const bBlock = f.let(at(bUnit, group, across * row))
        const cBlock = f.let(at(cUnit, group, across * bytes))
        forAll(f, rows, (pair, height) => {
          const kernel = dotBlock(module, { element, rows: height, columns, k, cRow: n * bytes, relaxed })
          f.do(call(kernel, at(a, pair, rows.size * row), bBlock, at(cBlock, pair, rows.size * n * bytes)))
        })
      })
    })
  })
  return {
    func,
    units: m === 0 ? 0 : units.count,
    work: productWork(m, n, k),
    kind: 'multiply',
    ...((m === 1 || units.count === 1) && { finishes: m * Math.min(n, units.size) }),
  }
}

/** C[rows, columns] = A[rows, k] · B[columns, k] transposed; rows of A and of B lie close. */
interface DotSpec {
  readonly element: Element
  readonly rows: number
  readonly columns: number
  readonly k: number
  /** Bytes. */
  readonly cRow: number
  readonly relaxed: boolean
}

function dotBlock(module: ModuleBuilder, spec: DotSpec): Func<readonly ['i32', 'i32', 'i32'], 'none'> {
  const { rows, columns, k } = spec
  return module.once(`dot ${JSON.stringify({ ...spec, element: spec.element.name })}`, () =>
    module.define(`dot_${rows}x${columns}x${k}`, ['i32', 'i32', 'i32'], 'none', (f, a, b, c) =>
      writeBlock(f, spec, a, b, c),
    ),
  )
}

/** Vectors of k per round of the loop. */
const unroll = 4

function writeBlock(f: FunctionBuilder<'none'>, spec: DotSpec, a: Index, b: Index, c: Index): void {
  const { element, rows, columns, k, cRow, relaxed } = spec
  const { lanes, bytes } = element
  // One row alone has two sums for each of its elements: with one, the multipliers would wait for it.
  const sets = rows === 1 ? 2 : 1
  const locals = (count: number) => Array.from({ length: count }, () => f.local('v128'))
  const sums = Array.from({ length: sets }, () => Array.from({ length: rows }, () => locals(columns)))
  const left = locals(rows)
  const right = f.local('v128')
  const step = (u: number, count: number) => {
    left.forEach((vector, i) => f.set(vector, element.load(a, count, i * k * bytes + u * 16)))
    for (let j = 0; j < columns; j++) {
      f.set(right, element.load(b, count, j * k * bytes + u * 16))
      sums[u % sets]!.forEach((row, i) =>
        f.set(row[j]!, element.multiplyAdd(left[i]!, right, row[j]!, relaxed)),
      )
    }
  }
  const { whole, tail } = blocks(k, unroll * lanes)
  f.forRange(0, whole, 1, () => {
    for (let u = 0; u < unroll; u++) step(u, lanes)
    f.set(a, i32.add(a, unroll * 16))
    f.set(b, i32.add(b, unroll * 16))
  })
  for (let u = 0; u * lanes < tail; u++) step(u, Math.min(lanes, tail - u * lanes))

  sums[0]!.forEach((row, i) => {
    row.forEach((sum, j) => {
      for (const other of sums.slice(1)) f.set(sum, element.add(sum, other[i]![j]!))
    })
    for (let first = 0; first < columns; first += lanes)
      storeTotals(f, element, row.slice(first, first + lanes), c, i * cRow + first * bytes)
  })
}

/** Stores the total of each vector's lanes, side by side. */
function storeTotals(
  f: FunctionBuilder<'none'>,
  element: Element,
  sums: readonly Local<'v128'>[],
  c: Index,
  offset: number,
): void {
  const square = Array.from({ length: element.lanes }, (_, j) => sums[j] ?? f.constant(zero))
  const parts = element.transpose(square).map((part) => f.let(part))
  for (let width = parts.length / 2; width >= 1; width /= 2)
    for (let j = 0; j < width; j++) f.set(parts[j]!, element.add(parts[j]!, parts[j + width]!))
  f.do(...element.store(c, parts[0]!, sums.length, offset))
}
