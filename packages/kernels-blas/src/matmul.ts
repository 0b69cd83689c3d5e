// MatMul as calls of the library: one for each matrix of the broadcast batches, or a single one where they stack up to a tall matrix.
import type { ConcreteType, Signature, Size } from '@shoal/core'
import { dtypes, sizeOf, stridesOf } from '@shoal/core'
import type { HostKernel } from '@shoal/kernels-cpu'
import type { Products } from './library.ts'

/** The matrices of a MatMul, all batches of one size. */
export interface MatmulPlan {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  /** For each product, where its operands lie: bytes from the beginning of a, b and c. */
  readonly a: Float64Array
  readonly b: Float64Array
  readonly c: Float64Array
}

/** Plans [..., m, k] × [..., k, n] → [..., m, n]; leading axes broadcast, either operand may lie transposed. */
export function planMatmul({ inputs, outputs, attrs }: Signature): MatmulPlan {
  const [a, b] = inputs as readonly [ConcreteType, ConcreteType]
  const { dtype, shape } = outputs[0]!
  const transposeA = attrs['transposeA'] === true
  const transposeB = attrs['transposeB'] === true
  const [rows, n] = shape.slice(-2) as unknown as readonly [number, number]
  const k = a.shape.at(transposeA ? -2 : -1)!
  const all = shape.slice(0, -2)
  // Matrices that all meet the same one are one tall matrix.
  const tall =
    !transposeA && sizeOf(b.shape.slice(0, -2)) === 1 && sizeOf(a.shape.slice(0, -2)) === sizeOf(all)
  const batches = tall ? [] : all
  const m = tall ? rows * sizeOf(all) : rows
  const products = sizeOf(batches)
  return {
    m,
    n,
    k,
    transposeA,
    transposeB,
    a: offsets(a, batches),
    b: offsets(b, batches),
    c: Float64Array.from({ length: products }, (_, i) => i * m * n * dtypes[dtype].bytes),
  }
}

/** Bytes from the beginning of an operand to the matrix that each of the batches takes of it. */
function offsets({ dtype, shape }: ConcreteType, batches: Size): Float64Array {
  const strides = stridesOf(shape)
  const around = stridesOf(batches)
  const steps = batches.map((_, axis) => {
    const own = axis - batches.length + shape.length - 2
    return own < 0 || shape[own] === 1 ? 0 : strides[own]! * dtypes[dtype].bytes
  })
  return Float64Array.from({ length: sizeOf(batches) }, (_, batch) =>
    batches.reduce((sum, size, axis) => sum + (Math.floor(batch / around[axis]!) % size) * steps[axis]!, 0),
  )
}

/** The kernel of a plan. */
export function matmulKernel(plan: MatmulPlan, products: Products): HostKernel {
  const product = oneProduct(plan, products)
  return {
    workspaceBytes: 0,
    run([a, b, c]) {
      for (let i = 0; i < plan.c.length; i++) product(a! + plan.a[i]!, b! + plan.b[i]!, c! + plan.c[i]!)
    },
  }
}

/** A row or a column times a matrix has a function of its own: it need not bring the matrix into another order first. */
function oneProduct(
  { m, n, k, transposeA, transposeB }: MatmulPlan,
  { gemm, gemv }: Products,
): (a: number, b: number, c: number) => void {
  if (n === 1) {
    const [rows, columns] = transposeA ? [k, m] : [m, k]
    return (a, b, c) => gemv(transposeA, rows, columns, a, b, c)
  }
  if (m === 1) {
    const [rows, columns] = transposeB ? [n, k] : [k, n]
    return (a, b, c) => gemv(!transposeB, rows, columns, b, a, c)
  }
  const leadingA = transposeA ? m : k
  const leadingB = transposeB ? k : n
  return (a, b, c) => gemm(transposeA, transposeB, m, n, k, a, leadingA, b, leadingB, 0, c, n)
}
