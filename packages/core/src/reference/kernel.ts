// Hand-written kernels of the reference device: plain TypeScript on host arrays, written to be read and to be right.
import type { DType, TypedArray } from '../dtype.ts'
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
    const wide = inputs.map((data, i) => widened(types[i]!.dtype, data))
    const results = outputs.map((data) => new Float64Array(data.length))
    kernel(wide, results, signature)
    outputs.forEach((data, i) => store(signature.outputs[i]!.dtype, data, results[i]!))
  }

/** Are elements of a dtype held as the numbers that they are? */
const plain = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64' || dtype === 'int32'

function widened(dtype: DType, data: TypedArray): Float64Array {
  if (plain(dtype)) return new Float64Array(data as Float32Array)
  return Float64Array.from(data as ArrayLike<number>, (_, k) => Number(getElement(dtype, data, k)))
}

function store(dtype: DType, to: TypedArray, from: Float64Array): void {
  if (plain(dtype)) (to as Float32Array).set(from)
  else from.forEach((x, k) => setElement(dtype, to, k, x))
}
