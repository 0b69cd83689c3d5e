// Matrix multiplication with broadcast batches.
import { broadcastShapes, sizeOf, stridesOf } from '../../shape.ts'
import type { Size } from '../../shape.ts'
import type { ReferenceKernels } from '../kernel.ts'
import { onNumbers } from '../kernel.ts'

/** MatMul: sums in float64 along the inner axis. */
export const matmulKernels: ReferenceKernels = {
  MatMul: onNumbers(([a, b], [out], { inputs, outputs, attrs }) => {
    const [aShape, bShape] = [inputs[0]!.shape, inputs[1]!.shape]
    const [m, n] = outputs[0]!.shape.slice(-2) as [number, number]
    const k = attrs['transposeA'] ? aShape.at(-2)! : aShape.at(-1)!
    const [ai, ak] = attrs['transposeA'] ? [1, m] : [k, 1]
    const [bk, bj] = attrs['transposeB'] ? [1, k] : [n, 1]
    const batches = broadcastShapes(aShape.slice(0, -2), bShape.slice(0, -2)) as Size
    const offsetA = batchOffsets(batches, aShape)
    const offsetB = batchOffsets(batches, bShape)
    for (let batch = 0; batch < sizeOf(batches); batch++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0
          for (let p = 0; p < k; p++)
            sum += a![offsetA(batch) + i * ai + p * ak]! * b![offsetB(batch) + p * bk + j * bj]!
          out![(batch * m + i) * n + j] = sum
        }
  }),
}

/** Where matrix `batch` of the broadcast batches begins in an operand. */
function batchOffsets(batches: Size, shape: Size): (batch: number) => number {
  const own = shape.slice(0, -2)
  const strides = stridesOf(shape).slice(0, -2)
  const steps = stridesOf(batches)
  return (batch) =>
    own.reduce((offset, size, axis) => {
      const b = axis - own.length + batches.length
      return size === 1 ? offset : offset + (Math.floor(batch / steps[b]!) % batches[b]!) * strides[axis]!
    }, 0)
}
