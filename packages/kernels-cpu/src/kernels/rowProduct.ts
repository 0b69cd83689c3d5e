// MatMul of integers and half precision, a row of the answer at a time: seldom asked for, so it is simple.
import type { ConcreteType, DType, Signature, Size } from '@shoal/core'
import { dtypes, sizeOf, stridesOf } from '@shoal/core'
import type { Code } from '../lower/representation.ts'
import { isFloat } from '../lower/representation.ts'
import type { Writer } from '../lower/scalar.ts'
import type { Stage } from '../stage.ts'
import {
  call,
  i32,
  type Local,
  memory,
  type ModuleBuilder,
  type Operand,
  select,
  type Value,
} from '../wasm/index.ts'
import { alongElements, elementAt, reduceElements, scalars } from './elements.ts'
import { type KernelDef, type KernelOptions, signatureKey } from './kernelDef.ts'
import { type Shares, sharesOf } from './shares.ts'

type Address = Local<'i32'>

/** [..., m, k] × [..., k, n] → [..., m, n] of one dtype; leading axes broadcast. Halves are summed in float32, integers wrap. */
export const rowProduct: KernelDef = {
  op: 'MatMul',
  supports: ({ inputs }) => inputs.every(({ dtype }) => dtype !== 'float32' && dtype !== 'float64'),
  compile(signature, options) {
    const plan = planOf(signature)
    return {
      workspaceBytes: plan.tasks * plan.scratch,
      write: (module) =>
        module.once(signatureKey('MatMul', signature, options), () => [writeProduct(module, plan, options)]),
    }
  },
}

interface Plan extends Shares {
  readonly dtype: DType
  /** What is summed in: as wide as lanes are, so that nothing needs to be cut on the way. */
  readonly sum: DType
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly batches: Size
  /** Elements from one matrix of an operand to the next along each axis of the batches; 0 where it is broadcast. */
  readonly stepsA: readonly number[]
  readonly stepsB: readonly number[]
  /** Bytes of a task, never 0: a row of a, then a row of the answer, both as they are summed. */
  readonly scratch: number
}

function planOf({ inputs, outputs, attrs }: Signature): Plan {
  const [a, b] = inputs as readonly [ConcreteType, ConcreteType]
  const { dtype, shape } = outputs[0]!
  const [m, n] = shape.slice(-2) as unknown as readonly [number, number]
  const [transposeA, transposeB] = [attrs['transposeA'] === true, attrs['transposeB'] === true]
  const k = a.shape.at(transposeA ? -2 : -1)!
  const batches = shape.slice(0, -2)
  const rows = sizeOf(batches) * m
  const sum = isFloat(dtype) ? 'float32' : dtype === 'int64' ? 'int64' : 'int32'
  return {
    dtype,
    sum,
    m,
    n,
    k,
    transposeA,
    transposeB,
    batches,
    stepsA: stepsOf(a.shape, batches),
    stepsB: stepsOf(b.shape, batches),
    ...sharesOf(rows),
    scratch: Math.ceil(((k + n + 1) * dtypes[sum].bytes) / 64) * 64,
  }
}

function stepsOf(shape: Size, batches: Size): number[] {
  const strides = stridesOf(shape)
  return batches.map((_, axis) => {
    const own = axis - batches.length + shape.length - 2
    return own < 0 || shape[own] === 1 ? 0 : strides[own]!
  })
}

function writeProduct(module: ModuleBuilder, plan: Plan, options: KernelOptions): Stage {
  const { dtype, sum, m, n, k, batches, tasks, share, scratch } = plan
  const row = (plan.transposeB ? writeDots : writeCombination)(module, plan, options)
  const size = dtypes[dtype].bytes
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const
  const func = module.define('rowProduct', types, 'none', (f, a, b, c, workspace, begin, end) => {
    const { load, store } = scalars({ module, f, relaxed: options.relaxed })
    const left = f.let(i32.add(workspace, i32.mul(begin, scratch)))
    const total = f.let(i32.add(left, k * dtypes[sum].bytes))
    const beyond = f.let(i32.mul(end, share))
    const rows = sizeOf(batches) * m
    const last = select(i32.lt_u(beyond, rows), beyond, i32.const(rows))
    f.forRange(i32.mul(begin, share), last, 1, (r) => {
      const batch = f.let(i32.div_u(r, m))
      const i = i32.rem_u(r, m)
      const first = i32.add(batchOffset(batch, batches, plan.stepsA), i32.mul(i, plan.transposeA ? 1 : k))
      const from = f.let(i32.add(a, i32.mul(first, size)))
      const to = f.let(left)
      f.forRange(0, k, 1, () => {
        store(sum, to, load(dtype, from))
        f.set(from, i32.add(from, (plan.transposeA ? m : 1) * size))
        f.set(to, i32.add(to, dtypes[sum].bytes))
      })
      const matrix = i32.add(b, i32.mul(batchOffset(batch, batches, plan.stepsB), size))
      f.do(call(row, left, matrix, total, i32.add(c, i32.mul(r, n * size))))
    })
  })
  return { func, units: tasks, work: (share * n * Math.max(1, k)) / 2, finishes: share * n }
}

/** Where matrix `batch` of the broadcast batches begins, in elements. */
function batchOffset(batch: Address, batches: Size, steps: readonly number[]): Value<'i32'> {
  const strides = stridesOf(batches)
  return batches.reduce<Value<'i32'>>((offset, size, axis) => {
    if (steps[axis] === 0) return offset
    const index = i32.rem_u(i32.div_u(batch, strides[axis]!), size)
    return i32.add(offset, i32.mul(index, steps[axis]!))
  }, i32.const(0))
}

/** Writes a row of the answer: addresses of a row of a, of b, of room for a row of sums, and of the answer. */
type RowFunction = ReturnType<typeof writeDots>
const rowTypes = ['i32', 'i32', 'i32', 'i32'] as const

/** Every element by itself, where columns of b lie in one piece. */
function writeDots(module: ModuleBuilder, { dtype, sum, n, k }: Plan, { relaxed }: KernelOptions) {
  return module.define('rowProduct_dots', rowTypes, 'none', (f, left, b, _, out) => {
    const writer: Writer = { module, f, relaxed }
    f.forRange(0, n, 1, (j) => {
      const column = at(f, b, i32.mul(j, k), dtype)
      const product = reduceElements(
        writer,
        { size: k, dtype: sum, nothing: 0, join: 'add' },
        ({ load, arithmetic }, p) =>
          arithmetic.binary.mul(
            load(sum, elementAt(writer, sum, left, p)),
            load(dtype, elementAt(writer, dtype, column, p)),
            sum,
          ),
      )
      scalars(writer).store(dtype, at(f, out, j, dtype), product)
    })
  })
}

/** Rows of b, each times an element of the row of a, one after the other. */
function writeCombination(
  module: ModuleBuilder,
  { dtype, sum, n, k }: Plan,
  { relaxed }: KernelOptions,
): RowFunction {
  return module.define('rowProduct_combination', rowTypes, 'none', (f, left, b, total, out) => {
    const writer: Writer = { module, f, relaxed }
    f.do(memory.fill(total, 0, n * dtypes[sum].bytes))
    f.forRange(0, k, 1, (p) => {
      const factor = scalars(writer).load(sum, elementAt(writer, sum, left, p))
      const row = at(f, b, i32.mul(p, n), dtype)
      alongElements(writer, n, ({ load, store, splat, arithmetic: { binary } }, j) => {
        const place = elementAt(writer, sum, total, j)
        const product = binary.mul(splat(factor, sum), load(dtype, elementAt(writer, dtype, row, j)), sum)
        store(sum, place, binary.add(load(sum, place), product, sum))
      })
    })
    alongElements(writer, n, ({ load, store }, j) =>
      store(dtype, elementAt(writer, dtype, out, j), load(sum, elementAt(writer, sum, total, j))),
    )
  })
}

const at = (f: Code, base: Address, index: Operand<'i32'>, dtype: DType): Address =>
  f.let(i32.add(base, i32.mul(index, dtypes[dtype].bytes)))
