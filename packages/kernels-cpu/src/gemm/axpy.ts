// Products with few rows, or few steps of k: each row of C is a sum of multiples of rows of B, which are read in the order in which they lie.
import { call, type Func, type FunctionBuilder, i32, type Local, type ModuleBuilder } from '../wasm/index.ts'
import { at, type Blocks, blocks, forShare, type Index } from './blocks.ts'
import { productWork, unitLength, unitsFor } from './division.ts'
import { type Element, zero } from './element.ts'
import { type MatmulOptions, parameters, type Product, type ProductStage } from './product.ts'

/**
 * Columns of a unit, where units are strips of columns: long enough for a row of B to be read ahead, and short enough for the rows of C
 * to stay near.
 */
const stripColumns = (m: number): number => Math.min(1024, Math.max(128, 8192 / 2 ** Math.ceil(Math.log2(m))))

/** Columns of a strip at least, however many threads there are: one row alone waits for nothing but B. */
const leastColumns = (m: number): number => (m === 1 ? 128 : 64)

/** Steps of k up to which a product is little more than writing C. */
export const shallow = 4

/** Elements of C that a unit of whole rows has at least. */
const rowElements = 4096

/** Rows of C, and of B, that are used together: their multipliers are kept in registers. */
const together = (m: number): { readonly rows: number; readonly depth: number } =>
  m === 1 ? { rows: 1, depth: 8 } : { rows: 2, depth: 4 }

/** How the product is divided. */
export interface AxpyPlan {
  readonly form: 'axpy'
  readonly by: 'rows' | 'columns'
  readonly units: Blocks
}

/**
 * Plans the product: where B is hardly more than a few rows, units are rows of C; else they are strips of columns, so that each part of B is
 * read once.
 */
export function planAxpy({ m, n, k }: Product, { threads = 1 }: MatmulOptions): AxpyPlan {
  const { rows } = together(m)
  if (m > 1 && k <= shallow) {
    const height = Math.max(1, Math.min(m, Math.ceil(rowElements / Math.max(1, n) / rows) * rows))
    return { form: 'axpy', by: 'rows', units: blocks(m, height) }
  }
  // Narrow strips are read in short runs, so there are no more of them than it takes.
  const count = unitsFor(threads, productWork(m, n, k), 2)
  const width = unitLength(n, count, stripColumns(m), leastColumns(m))
  return { form: 'axpy', by: 'columns', units: blocks(n, width) }
}

/** Writes the product as one stage. B must not be transposed. */
export function writeAxpy(
  module: ModuleBuilder,
  product: Product,
  { by, units }: AxpyPlan,
  relaxed: boolean,
): ProductStage {
  const { element, m, n, k } = product
  const { bytes } = element
  const { rows } = together(m)
  const { aRow } = strides(product)
  const func = module.define(name(product), parameters, 'none', (f, a, b, c, _, begin, end) => {
    forShare(f, units, begin, end, (unit, size) => {
      if (by === 'rows') {
        const [aUnit, cUnit] = [
          f.let(at(a, unit, units.size * aRow)),
          f.let(at(c, unit, units.size * n * bytes)),
        ]
        writeStrip(module, f, product, relaxed, { rows: blocks(size, rows), columns: n }, aUnit, b, cUnit)
      } else {
        const [bUnit, cUnit] = [
          f.let(at(b, unit, units.size * bytes)),
          f.let(at(c, unit, units.size * bytes)),
        ]
        writeStrip(module, f, product, relaxed, { rows: blocks(m, rows), columns: size }, a, bUnit, cUnit)
      }
    })
  })
  return {
    func,
    units: m === 0 || n === 0 ? 0 : units.count,
    work: productWork(m, n, k),
    kind: 'multiply',
    ...(by === 'rows' && { finishes: units.size * n }),
    ...(by === 'columns' && (m === 1 || units.count === 1) && { finishes: m * Math.min(n, units.size) }),
  }
}

const name = ({ m, n, k, transposeA }: Product) => `axpy_${m}x${n}x${k}${transposeA ? '_T' : ''}`

/** Bytes from A[i][k] to A[i + 1][k], and to A[i][k + 1]. */
const strides = ({ element: { bytes }, m, k, transposeA }: Product) =>
  transposeA ? { aRow: bytes, aK: m * bytes } : { aRow: k * bytes, aK: bytes }

interface Strip {
  readonly rows: Blocks
  readonly columns: number
}

/** A few steps of k for all rows of the strip, then the next few: they stay in the first cache meanwhile. */
function writeStrip(
  module: ModuleBuilder,
  f: FunctionBuilder<'none'>,
  product: Product,
  relaxed: boolean,
  { rows, columns }: Strip,
  a: Index,
  b: Index,
  c: Index,
): void {
  const { element, n, k, m } = product
  const { aRow, aK } = strides(product)
  const runs = blocks(k, together(m).depth)
  const [bK, cRow] = [n * element.bytes, n * element.bytes]
  const block = { element, columns, aRow, aK, bK, cRow, relaxed }
  const run = (aRun: Index, bRun: Index, depth: number, add: boolean) => {
    const part = (height: number, groups: number, first: number) => {
      const kernel = axpyBlock(module, { ...block, rows: height, groups, depth, add })
      f.do(call(kernel, at(aRun, first, aRow), bRun, at(c, first, cRow)))
    }
    if (rows.whole > 0) part(rows.size, rows.whole, 0)
    if (rows.tail > 0) part(rows.tail, 1, rows.whole * rows.size)
  }
  const later = (index: Parameters<typeof at>[1], depth: number) =>
    run(f.let(at(a, index, runs.size * aK)), f.let(at(b, index, runs.size * bK)), depth, true)
  // The first run overwrites C; without any k it stores zeros.
  run(a, b, runs.whole > 0 ? runs.size : runs.tail, false)
  f.forRange(1, runs.whole, 1, (index) => later(index, runs.size))
  if (runs.whole > 0 && runs.tail > 0) later(runs.whole, runs.tail)
}

/** C[rows, columns] = (or +=) A[rows, depth] · B[depth, columns], for `groups` of so many rows one after the other; strides in bytes. */
interface AxpySpec {
  readonly element: Element
  readonly rows: number
  readonly groups: number
  readonly depth: number
  readonly columns: number
  readonly aRow: number
  readonly aK: number
  readonly bK: number
  readonly cRow: number
  readonly add: boolean
  readonly relaxed: boolean
}

function axpyBlock(module: ModuleBuilder, spec: AxpySpec): Func<readonly ['i32', 'i32', 'i32'], 'none'> {
  const { rows, groups, depth, columns, aRow, cRow, add } = spec
  return module.once(`axpy ${JSON.stringify({ ...spec, element: spec.element.name })}`, () =>
    module.define(
      `axpy_${groups * rows}x${columns}x${depth}${add ? '_add' : ''}`,
      ['i32', 'i32', 'i32'],
      'none',
      (f, a, b, c) =>
        f.forRange(0, groups, 1, () => {
          writeRows(f, spec, a, f.let(b), f.let(c))
          f.set(a, i32.add(a, rows * aRow))
          f.set(c, i32.add(c, rows * cRow))
        }),
    ),
  )
}

/** A group of rows; it moves b and c on. */
function writeRows(f: FunctionBuilder<'none'>, spec: AxpySpec, a: Index, b: Index, c: Index): void {
  const { element, rows, depth, columns, aRow, aK, bK, cRow, add, relaxed } = spec
  const { lanes } = element
  const multipliers = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: depth }, (__, u) => f.let(element.loadSplat(a, i * aRow + u * aK))),
  )
  const sums = Array.from({ length: rows }, () => f.local('v128'))
  const line = f.local('v128')
  /** `count` columns, from the one that b and c point at, plus `offset` bytes. */
  const vector = (count: number, offset: number) => {
    sums.forEach((sum, i) => f.set(sum, add ? element.load(c, count, i * cRow + offset) : f.constant(zero)))
    for (let u = 0; u < depth; u++) {
      f.set(line, element.load(b, count, u * bK + offset))
      sums.forEach((sum, i) =>
        f.set(sum, element.multiplyAdd(multipliers[i]![u] as Local<'v128'>, line, sum, relaxed)),
      )
    }
    sums.forEach((sum, i) => f.do(...element.store(c, sum, count, i * cRow + offset)))
  }
  const { whole, tail } = blocks(columns, 2 * lanes)
  f.forRange(0, whole, 1, () => {
    vector(lanes, 0)
    vector(lanes, 16)
    f.set(b, i32.add(b, 32))
    f.set(c, i32.add(c, 32))
  })
  for (let first = 0; first < tail; first += lanes)
    vector(Math.min(lanes, tail - first), first * element.bytes)
}
