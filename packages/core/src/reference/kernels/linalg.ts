// Linear algebra on batches of matrices, in float64: the triangular half of it, and how every family steps through a batch.
import { RunError } from '../../errors.ts'
import type { Signature } from '../../run/device.ts'
import { sizeOf } from '../../shape.ts'
import type { ReferenceKernel, ReferenceKernels } from '../kernel.ts'
import { onNumbers } from '../kernel.ts'

/** One matrix, or one slice of any batched value: row-major elements. */
export type Matrix = Float64Array

/**
 * A kernel for batches, from one for a single item. The last axes of every input and output, as many as `ranks` says, are the item; all axes
 * before them are the batch, equal everywhere.
 */
export function batched(
  ranks: { readonly inputs: readonly number[]; readonly outputs: readonly number[] },
  item: (inputs: readonly Matrix[], outputs: readonly Matrix[], signature: Signature) => void,
): ReferenceKernel {
  return onNumbers((inputs, outputs, signature) => {
    const first = signature.inputs[0]!.shape
    const batch = sizeOf(first.slice(0, first.length - ranks.inputs[0]!))
    const part = (data: Float64Array, b: number): Matrix =>
      data.subarray((b * data.length) / batch, ((b + 1) * data.length) / batch)
    for (let b = 0; b < batch; b++)
      item(
        inputs.map((data) => part(data, b)),
        outputs.map((data) => part(data, b)),
        signature,
      )
  })
}

/** Takes a multiple of `count` elements of `source` off as many of `target`. */
export function subtractRow(
  target: Matrix,
  to: number,
  factor: number,
  source: Matrix,
  from: number,
  count: number,
): void {
  for (let c = 0; c < count; c++) target[to + c]! -= factor * source[from + c]!
}

/** Cholesky reads the lower triangle; TriangularSolve only the triangle that it is told. */
export const triangularKernels: ReferenceKernels = {
  Cholesky: batched({ inputs: [2], outputs: [2] }, ([a], [l], { inputs }) => {
    const n = inputs[0]!.shape.at(-1)!
    for (let j = 0; j < n; j++) {
      let pivot = a![j * n + j]!
      for (let k = 0; k < j; k++) pivot -= l![j * n + k]! ** 2
      if (!(pivot > 0))
        throw new RunError(
          `the matrix is not positive definite: its leading minor of order ${j + 1} is not positive`,
        )
      const root = Math.sqrt(pivot)
      l![j * n + j] = root
      for (let i = j + 1; i < n; i++) {
        let sum = a![i * n + j]!
        for (let k = 0; k < j; k++) sum -= l![i * n + k]! * l![j * n + k]!
        l![i * n + j] = sum / root
      }
    }
  }),

  TriangularSolve: batched({ inputs: [2, 2], outputs: [2] }, ([a, b], [x], { inputs, attrs }) => {
    const n = inputs[0]!.shape.at(-1)!
    const columns = inputs[1]!.shape.at(-1)!
    const adjoint = attrs['adjoint'] === true
    // A transposed lower triangle is an upper one.
    const forward = (attrs['lower'] === true) !== adjoint
    const at = (i: number, k: number): number => (adjoint ? a![k * n + i]! : a![i * n + k]!)
    for (let step = 0; step < n; step++) {
      const i = forward ? step : n - 1 - step
      for (let c = 0; c < columns; c++) x![i * columns + c] = b![i * columns + c]!
      for (let s = 0; s < step; s++) {
        const k = forward ? s : n - 1 - s
        subtractRow(x!, i * columns, at(i, k), x!, k * columns, columns)
      }
      for (let c = 0; c < columns; c++) x![i * columns + c]! /= at(i, i)
    }
  }),
}
