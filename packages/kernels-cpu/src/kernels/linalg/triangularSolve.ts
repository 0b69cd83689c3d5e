// TriangularSolve: columns of the right side by themselves, up to sixteen at a time, from one end of the triangle to the other.
import type { ConcreteType, DType, Signature } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import { loadScalar, type ScalarType } from '../../lower/representation.ts'
import { toFloat64 } from '../../lower/scalarCast.ts'
import type { Stage } from '../../stage.ts'
import { call, f64x2, i32, memory, type ModuleBuilder, select, v128 } from '../../wasm/index.ts'
import { type KernelDef, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { type Shares, sharesOf } from '../shares.ts'
import { type Address, copyElements, negativeMultiplyAdd, wide } from './rows.ts'

/** Columns that are solved together at most: as many as vectors of two leave registers for. */
const mostTogether = 16

/** x with a·x = b, or aᵀ·x = b, of triangular matrices a, in float64. */
export const triangularSolve: KernelDef = {
  op: 'TriangularSolve',
  supports: () => true,
  compile(signature, options) {
    const plan = planOf(signature)
    return {
      workspaceBytes: plan.tasks * plan.blockBytes,
      write: (module) =>
        module.once(signatureKey('TriangularSolve', signature, options), () =>
          plan.n * plan.columns === 0 ? [] : [solveStage(module, plan, options)],
        ),
    }
  },
}

interface Plan extends Shares {
  readonly dtype: DType
  readonly batch: number
  readonly n: number
  readonly columns: number
  /** Columns of a block, an even number, and blocks of a system. */
  readonly together: number
  readonly blocks: number
  /** Is the first row the first to be solved? */
  readonly forward: boolean
  readonly adjoint: boolean
  /** Bytes of a block of columns as float64, of which each task has one. */
  readonly blockBytes: number
}

function planOf({ inputs, attrs }: Signature): Plan {
  const [a, b] = inputs as readonly [ConcreteType, ConcreteType]
  const n = a.shape.at(-1)!
  const columns = b.shape.at(-1)!
  const adjoint = attrs['adjoint'] === true
  const batch = sizeOf(a.shape.slice(0, -2))
  const together = Math.min(mostTogether, 2 * Math.ceil(columns / 2))
  const blocks = Math.ceil(columns / mostTogether)
  return {
    ...sharesOf(batch * blocks),
    dtype: a.dtype,
    batch,
    n,
    columns,
    together,
    blocks,
    // A transposed lower triangle is an upper one.
    forward: (attrs['lower'] === true) !== adjoint,
    adjoint,
    blockBytes: n * together * wide,
  }
}

const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const

/** A unit is a task, which solves one block of columns of one system after the other. */
function solveStage(module: ModuleBuilder, plan: Plan, options: KernelOptions): Stage {
  const { dtype, batch, n, columns, together, blocks, blockBytes, tasks, share } = plan
  const { bytes } = dtypes[dtype]
  const widen = copyElements(module, dtype, 'float64')
  const narrow = copyElements(module, 'float64', dtype)
  const solveRow = writeRow(module, plan, options)
  const func = module.define('triangularSolve', parameters, 'none', (f, a, b, x, workspace, begin, end) => {
    const block = f.let(i32.add(workspace, i32.mul(begin, blockBytes)))
    const beyond = f.let(i32.mul(end, share))
    const last = select(i32.lt_u(beyond, batch * blocks), beyond, i32.const(batch * blocks))
    f.forRange(i32.mul(begin, share), last, 1, (unit) => {
      const system = f.let(i32.div_u(unit, blocks))
      const first = f.let(i32.mul(i32.rem_u(unit, blocks), together))
      const left = f.let(i32.sub(columns, first))
      const count = f.let(select(i32.lt_u(left, together), left, i32.const(together)))
      const matrix = f.let(i32.add(a, i32.mul(system, n * n * bytes)))
      const start = i32.add(i32.mul(system, n * columns), first)
      const offset = f.let(i32.mul(start, bytes))
      const along = (base: Address, i: Address, step: number) => i32.add(base, i32.mul(i, step))
      const [from, to] = [f.let(i32.add(b, offset)), f.let(i32.add(x, offset))]
      f.do(memory.fill(block, 0, blockBytes))
      f.forRange(0, n, 1, (i) => {
        const target = along(block, i, together * wide)
        f.do(call(widen, along(from, i, columns * bytes), target, count, bytes, wide))
      })
      f.forRange(0, n, 1, (step) => {
        const i = plan.forward ? step : i32.sub(n - 1, step)
        f.do(call(solveRow, matrix, block, i, step))
      })
      f.forRange(0, n, 1, (i) => {
        const source = along(block, i, together * wide)
        f.do(call(narrow, source, along(to, i, columns * bytes), count, wide, bytes))
      })
    })
  })
  return { func, units: tasks, work: (share * n * n * together) / 4 }
}

/** Solves row `i` of a block after `done` others: addresses of the matrix and of the block, then both numbers. */
function writeRow(module: ModuleBuilder, plan: Plan, options: KernelOptions) {
  const { dtype, n, together, forward, adjoint } = plan
  const { bytes, compute } = dtypes[dtype]
  return module.define(
    'triangular_row',
    ['i32', 'i32', 'i32', 'i32'],
    'none',
    (f, matrix, block, i, done) => {
      const widened = (at: Address) => toFloat64(f.let<ScalarType>(loadScalar(f, dtype, at)), compute)
      const row = f.let(i32.add(block, i32.mul(i, together * wide)))
      const sums = Array.from({ length: together / 2 }, (_, part) => f.let(v128.load(row, 16 * part)))
      const first = forward ? 0 : n - 1
      // The element of the matrix that row k is multiplied by, for k = first, and how far it is to the next k.
      const place = adjoint ? i32.add(i, first * n) : i32.add(i32.mul(i, n), first)
      const element = f.let(i32.add(matrix, i32.mul(place, bytes)))
      const other = f.let(i32.add(block, first * together * wide))
      const direction = forward ? 1 : -1
      f.forRange(0, done, 1, () => {
        const factor = f.let(f64x2.splat(widened(element)))
        sums.forEach((sum, part) =>
          f.set(sum, negativeMultiplyAdd(options, factor, v128.load(other, 16 * part), sum)),
        )
        f.set(element, i32.add(element, direction * (adjoint ? n : 1) * bytes))
        f.set(other, i32.add(other, direction * together * wide))
      })
      const diagonal = f.let(i32.add(matrix, i32.mul(i, (n + 1) * bytes)))
      const pivot = f.let(f64x2.splat(widened(diagonal)))
      sums.forEach((sum, part) => f.do(v128.store(row, f64x2.div(sum, pivot), 16 * part)))
    },
  )
}
