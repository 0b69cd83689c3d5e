// Many small tensors as one long one: arrays of one dtype lie behind each other in one piece of memory, and are added up in it.
import type { DType } from '@shoal/core'
import { DTypeError, NDArray, sizeOf } from '@shoal/core'
import type { WireType } from '../transport/contract.ts'
import { narrowed, type SumArray, widen } from './arithmetic.ts'

/** The arrays of one dtype. */
export interface Arena {
  readonly dtype: DType
  /** Half precision is added up in float32. */
  readonly data: SumArray
  /** The 16 bits that float32 travels and is kept in. */
  readonly wire: WireType | undefined
}

const makers = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float16: Float32Array,
  bfloat16: Float32Array,
} as const
type SummedDType = keyof typeof makers
const isSummed = (dtype: DType): dtype is SummedDType => Object.hasOwn(makers, dtype)

/** Arrays packed, and how they are found again. */
export interface Packed {
  readonly arenas: readonly Arena[]
  /** The arrays as they lie in the arenas; they share its memory, but for half precision. */
  unpack(): readonly NDArray[]
}

/**
 * Copies arrays behind each other, by dtype.
 * @param wire what float32 travels in.
 * @param blank leaves zeros instead of the values.
 * @throws DTypeError for dtypes that are not added up, and for integers where `floats` are demanded.
 */
export function pack(
  arrays: readonly NDArray[],
  {
    wire,
    blank,
    floats,
  }: { readonly wire: WireType | undefined; readonly blank: boolean; readonly floats: boolean },
): Packed {
  const lengths = new Map<SummedDType, number>()
  const places = arrays.map(({ dtype, shape }) => {
    if (!isSummed(dtype))
      throw new DTypeError(
        `${dtype} is not added up among members: cast it to one of ${Object.keys(makers).join(', ')}`,
      )
    if (floats && dtype.startsWith('int'))
      throw new DTypeError(`${dtype} has no mean: ask for the sum, or cast it to a float`)
    const start = lengths.get(dtype) ?? 0
    lengths.set(dtype, start + sizeOf(shape))
    return { dtype, shape, start, end: start + sizeOf(shape) }
  })
  const arenas = new Map(
    [...lengths].map(([dtype, length]): [SummedDType, Arena] => [
      dtype,
      { dtype, data: new makers[dtype](length), wire: wireOf(dtype, wire) },
    ]),
  )
  if (!blank)
    arrays.forEach(({ data }, i) => {
      const { dtype, start } = places[i]!
      const values = dtype === 'float16' || dtype === 'bfloat16' ? widen(data as Uint16Array, dtype) : data
      // The arena was made for this dtype, so that both are arrays of one kind.
      ;(arenas.get(dtype)!.data as Float64Array).set(values as Float64Array, start)
    })
  return {
    arenas: [...arenas.values()],
    unpack: () =>
      places.map(({ dtype, shape, start, end }) => {
        const data = arenas.get(dtype)!.data.subarray(start, end)
        return dtype === 'float16' || dtype === 'bfloat16'
          ? narrowed(data as Float32Array, dtype).reshape(shape)
          : new NDArray<DType>(dtype, shape, data)
      }),
  }
}

function wireOf(dtype: SummedDType, wire: WireType | undefined): WireType | undefined {
  if (dtype === 'float16' || dtype === 'bfloat16') return dtype
  return dtype === 'float32' ? wire : undefined
}
