// Hand-written kernels of the reference device: plain TypeScript on host arrays, written to be read and to be right.
import type { TypedArray } from '../dtype.ts'
import { getElement, setElement } from '../ndarray.ts'
import type { Signature } from '../run/device.ts'
import type { ConcreteType } from '../shape.ts'

/** Fills the outputs (of the signature's types, row-major; they hold garbage at first). Shape-only inputs are left out of `inputs`. */
export type ReferenceKernel = (
  inputs: readonly TypedArray[],
  outputs: readonly TypedArray[],
  signature: Signature,
) => void

/** Kernels by the name of their op. */
export type ReferenceKernels = Readonly<Record<string, ReferenceKernel>>

/** The inputs that are given to a kernel: all that do not merely lend their shape. */
export const boundInputs = ({ inputs, shapeOnly }: Signature): readonly ConcreteType[] =>
  inputs.filter((_, i) => !shapeOnly?.has(i))

/** A kernel on float64 values whatever the dtypes are: inputs are widened, outputs rounded once. int64 is exact up to 2^53. */
export const onNumbers =
  (
    kernel: (inputs: readonly Float64Array[], outputs: readonly Float64Array[], signature: Signature) => void,
  ): ReferenceKernel =>
  (inputs, outputs, signature) => {
    const types = boundInputs(signature)
    const wide = inputs.map((data, i) =>
      Float64Array.from(data as ArrayLike<number>, (_, k) => Number(getElement(types[i]!.dtype, data, k))),
    )
    const results = outputs.map((data) => new Float64Array(data.length))
    kernel(wide, results, signature)
    outputs.forEach((data, i) =>
      results[i]!.forEach((x, k) => setElement(signature.outputs[i]!.dtype, data, k, x)),
    )
  }
