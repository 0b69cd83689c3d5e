// TriangularSolve: columns of the right side by themselves, sixteen at a time, from one end of the triangle to the other.
import type { ConcreteType, DType, Signature } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import type { Stage } from '../../stage.ts'
import { call, f64, f64x2, i32, memory, type ModuleBuilder, select, v128 } from '../../wasm/index.ts'
import { type KernelDef, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { type Address, copyElements, negativeMultiplyAdd, wide, wideAt } from './rows.ts'

/** Columns that are solved together: as many as vectors of two leave registers for. */
const together = 16

/** x with a·x = b, or aᵀ·x = b, of triangular matrices a, in float64. */
export const triangularSolve: KernelDef = {
  op: 'TriangularSolve',
  supports: () => true,
  compile(signature, options) {
    const plan = planOf(signature)
    return {
      workspaceBytes: plan.batch * (plan.matrixBytes + plan.blocks * plan.blockBytes),
      write: (module) =>
        module.once(signatureKey('TriangularSolve', signature, options), () =>
          plan.n * plan.columns === 0 ? [] : [widenStage(module, plan), solveStage(module, plan, options)],
        ),
    }
  },
}

interface Plan {
  readonly dtype: DType
  readonly batch: number
  readonly n: number
  readonly columns: number
  readonly blocks: number
  /** Is the first row the first to be solved? */
  readonly forward: boolean
  readonly adjoint: boolean
  /** Bytes of a matrix a, and of a block of columns, as float64. The workspace holds all matrices, then all blocks. */
  readonly matrixBytes: number
  readonly blockBytes: number
}

function planOf({ inputs, attrs }: Signature): Plan {
  const [a, b] = inputs as readonly [ConcreteType, ConcreteType]
  const n = a.shape.at(-1)!
  const columns = b.shape.at(-1)!
  const adjoint = attrs['adjoint'] === true
  return {
    dtype: a.dtype,
    batch: sizeOf(a.shape.slice(0, -2)),
    n,
    columns,
    blocks: Math.ceil(columns / together),
    // A transposed lower triangle is an upper one.
    forward: (attrs['lower'] === true) !== adjoint,
    adjoint,
    matrixBytes: n * n * wide,
    blockBytes: n * together * wide,
  }
}

const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const

/** Rows of all matrices become float64. */
function widenStage(module: ModuleBuilder, { dtype, batch, n }: Plan): Stage {
  const { bytes } = dtypes[dtype]
  const widen = copyElements(module, dtype, 'float64')
  const func = module.define(
    'triangular_widen',
    parameters,
    'none',
    (f, a, _b, _x, workspace, begin, end) => {
      f.forRange(begin, end, 1, (row) => {
        const first = f.let(i32.mul(row, n))
        f.do(call(widen, i32.add(a, i32.mul(first, bytes)), wideAt(workspace, first), n, bytes, wide))
      })
    },
  )
  return { func, units: batch * n, work: 4 * n }
}

/** A unit is a block of columns of one system. */
function solveStage(module: ModuleBuilder, plan: Plan, options: KernelOptions): Stage {
  const { dtype, batch, n, columns, blocks, matrixBytes, blockBytes } = plan
  const { bytes } = dtypes[dtype]
  const widen = copyElements(module, dtype, 'float64')
  const narrow = copyElements(module, 'float64', dtype)
  const solveRow = writeRow(module, plan, options)
  const func = module.define('triangularSolve', parameters, 'none', (f, _a, b, x, workspace, begin, end) => {
    f.forRange(begin, end, 1, (unit) => {
      const system = f.let(i32.div_u(unit, blocks))
      const first = f.let(i32.mul(i32.rem_u(unit, blocks), together))
      const left = f.let(i32.sub(columns, first))
      const count = f.let(select(i32.lt_u(left, together), left, i32.const(together)))
      const matrix = f.let(i32.add(workspace, i32.mul(system, matrixBytes)))
      const block = f.let(i32.add(workspace, i32.add(batch * matrixBytes, i32.mul(unit, blockBytes))))
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
  return { func, units: batch * blocks, work: (n * n * together) / 4 }
}

/** Solves row `i` of a block after `done` others: addresses of the matrix and of the block, then both numbers. */
function writeRow(module: ModuleBuilder, { n, forward, adjoint }: Plan, options: KernelOptions) {
  return module.define(
    'triangular_row',
    ['i32', 'i32', 'i32', 'i32'],
    'none',
    (f, matrix, block, i, done) => {
      const row = f.let(i32.add(block, i32.mul(i, together * wide)))
      const sums = Array.from({ length: together / 2 }, (_, part) => f.let(v128.load(row, 16 * part)))
      const first = forward ? 0 : n - 1
      // The element of the matrix that row k is multiplied by, for k = first, and how far it is to the next k.
      const element = f.let(wideAt(matrix, adjoint ? i32.add(i, first * n) : i32.add(i32.mul(i, n), first)))
      const other = f.let(i32.add(block, first * together * wide))
      const direction = forward ? 1 : -1
      f.forRange(0, done, 1, () => {
        const factor = f.let(v128.load64_splat(element))
        sums.forEach((sum, part) =>
          f.set(sum, negativeMultiplyAdd(options, factor, v128.load(other, 16 * part), sum)),
        )
        f.set(element, i32.add(element, direction * (adjoint ? n : 1) * wide))
        f.set(other, i32.add(other, direction * together * wide))
      })
      const pivot = f.let(f64x2.splat(f64.load(wideAt(matrix, i32.mul(i, n + 1)))))
      sums.forEach((sum, part) => f.do(v128.store(row, f64x2.div(sum, pivot), 16 * part)))
    },
  )
}
