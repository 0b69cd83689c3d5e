// Concrete values in ordinary memory: what is fed, fetched, saved and sent. Garbage-collected; nothing to dispose.
import type { ArrayOf, DType, Scalar, ScalarOf, TypedArray } from './dtype.ts'
import { allocate, dtypes, isDType, viewOf, integerRange } from './dtype.ts'
import { DTypeError, ShapeError, ValueError } from './errors.ts'
import { fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from './half.ts'
import { castFunction } from './ir/scalarFunctions.ts'
import type { Size } from './shape.ts'
import { formatShape, sizeOf, stridesOf } from './shape.ts'

/** Numbers (or bigints, booleans, strings) in nested arrays of equal lengths. */
export type Nested<T extends Scalar = Scalar> = T | readonly Nested<T>[]

/** A host value: `data` holds the elements in row-major order. Treat it as immutable once it was fed. */
export class NDArray<D extends DType = DType> {
  readonly dtype: D
  readonly shape: Size
  readonly data: ArrayOf<D>

  /** @throws ShapeError when `data` does not have as many elements as `shape`. */
  constructor(dtype: D, shape: Size, data: ArrayOf<D>) {
    if (!isDType(dtype)) throw new DTypeError(`unknown dtype '${String(dtype)}'`)
    shape.forEach((d) => {
      if (!Number.isInteger(d) || d < 0)
        throw new ShapeError(`${formatShape(shape)} is not a shape: sizes are whole and not negative`)
    })
    if (data.length !== sizeOf(shape))
      throw new ShapeError(
        `${formatShape(shape)} needs ${sizeOf(shape)} elements, the data has ${data.length}`,
      )
    this.dtype = dtype
    this.shape = shape
    this.data = data
  }

  /** The number of elements. */
  get size(): number {
    return this.data.length
  }
  /** The number of axes. */
  get rank(): number {
    return this.shape.length
  }

  /** The bytes of the elements, little-endian, sharing memory with `data`. @throws DTypeError for strings. */
  get bytes(): Uint8Array {
    if (this.dtype === 'string') throw new DTypeError('strings have no bytes')
    const data = this.data as TypedArray
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  }

  /** The element at the given indices; half precision as a number, bool as a boolean. @throws ShapeError when out of range. */
  at(...indices: number[]): ScalarOf<D> {
    if (indices.length !== this.rank)
      throw new ShapeError(`${indices.length} indices for shape ${formatShape(this.shape)}`)
    const strides = stridesOf(this.shape)
    const flat = indices.reduce((sum, index, axis) => {
      const size = this.shape[axis]!
      const i = index < 0 ? index + size : index
      if (!(i >= 0 && i < size))
        throw new ShapeError(`index ${index} is out of range for axis ${axis} of ${formatShape(this.shape)}`)
      return sum + i * strides[axis]!
    }, 0)
    return this.element(flat)
  }

  /** The single element of a one-element array. @throws ShapeError when there are more or none. */
  item(): ScalarOf<D> {
    if (this.size !== 1)
      throw new ShapeError(`item() needs one element, ${formatShape(this.shape)} has ${this.size}`)
    return this.element(0)
  }

  /** The single element as a number; bool as 0 or 1. @throws ShapeError when there are more or none, DTypeError for strings. */
  number(): number {
    const item = this.item()
    if (typeof item === 'string') throw new DTypeError('a string is not a number')
    return Number(item)
  }

  /** The elements as numbers in row-major order; int64 beyond 2^53 loses precision. @throws DTypeError for strings. */
  numbers(): number[] {
    if (this.dtype === 'string') throw new DTypeError('strings are not numbers')
    return Array.from({ length: this.size }, (_, i) => Number(this.element(i)))
  }

  /** Nested arrays of JavaScript values, as deep as the rank; a plain value for rank 0. */
  toArray(): Nested<ScalarOf<D>> {
    const build = (axis: number, offset: number, strides: Size): Nested<ScalarOf<D>> =>
      axis === this.rank
        ? this.element(offset)
        : Array.from({ length: this.shape[axis]! }, (_, i) =>
            build(axis + 1, offset + i * strides[axis]!, strides),
          )
    return build(0, 0, stridesOf(this.shape))
  }

  /** The same elements in another shape, sharing memory. @throws ShapeError when the sizes differ. */
  reshape(shape: Size): NDArray<D> {
    return new NDArray(this.dtype, shape, this.data)
  }

  /**
   * Every element converted as the op `cast` does: floats to integers truncate and saturate (NaN: 0), integers wrap, anything to bool is `!= 0`.
   * @throws DTypeError to or from string.
   */
  cast<T extends DType>(dtype: T): NDArray<T> {
    if ((dtype as DType) === this.dtype) return this as unknown as NDArray<T>
    if (dtype === 'string' || this.dtype === 'string')
      throw new DTypeError(`cannot cast ${this.dtype} to ${dtype}`)
    const out = allocate(dtype, this.size)
    const convert = castFunction(this.dtype, dtype)
    for (let i = 0; i < this.size; i++) {
      const x = this.element(i) as number | bigint | boolean
      setElement(dtype, out, i, convert(typeof x === 'boolean' ? Number(x) : x))
    }
    return new NDArray(dtype, this.shape, out)
  }

  /** The type and the elements: `float32[2] [1, 2]`; of many elements, only the type. */
  toString(): string {
    const type = `${this.dtype}${formatShape(this.shape)}`
    if (this.size > 100) return type
    return `${type} ${JSON.stringify(this.toArray(), (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))}`
  }
  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  private element(flat: number): ScalarOf<D> {
    return getElement(this.dtype, this.data, flat) as ScalarOf<D>
  }
}

/** Element `i` of a host array as JavaScript sees it. */
export function getElement(dtype: DType, data: ArrayOf<DType>, i: number): Scalar {
  const raw = data[i]!
  if (dtype === 'float16') return fromFloat16Bits(raw as number)
  if (dtype === 'bfloat16') return fromBfloat16Bits(raw as number)
  return dtype === 'bool' ? raw !== 0 : raw
}

/** Stores a JavaScript value as element `i`, rounding to the dtype; integers wrap. */
export function setElement(dtype: DType, data: ArrayOf<DType>, i: number, value: Scalar): void {
  if (dtype === 'string') (data as string[])[i] = String(value)
  else if (dtype === 'int64') (data as BigInt64Array)[i] = toBigInt(value)
  else if (typeof value === 'bigint') setElement(dtype, data, i, Number(castFunction('int64', dtype)(value)))
  else if (dtype === 'float16') (data as Uint16Array)[i] = toFloat16Bits(Number(value))
  else if (dtype === 'bfloat16') (data as Uint16Array)[i] = toBfloat16Bits(Number(value))
  else if (dtype === 'bool') (data as Uint8Array)[i] = Number(value) === 0 ? 0 : 1
  else (data as Float64Array)[i] = Number(value)
}

const toBigInt = (value: Scalar): bigint => {
  if (typeof value === 'bigint') return value
  const x = Math.trunc(Number(value))
  return Number.isFinite(x) ? BigInt(x) : 0n
}

/**
 * Makes an NDArray of nested JavaScript arrays or of a typed array.
 * The dtype defaults to what the values are: number float32, bigint int64, boolean bool, string string; a typed array keeps its own.
 * @throws ValueError for ragged arrays, for mixed values, for what is no number, bigint, boolean or string, and for plain numbers that an integer
 * dtype does not hold. Typed arrays are cast instead.
 */
export function ndarray<D extends DType = DType>(
  values: Nested | TypedArray,
  dtype?: D,
  shape?: Size,
): NDArray<D> {
  if (ArrayBuffer.isView(values)) {
    const own = dtypeOfArray(values)
    const array = new NDArray(own, shape ?? [values.length], values)
    // A Uint16Array given as half precision holds its bits.
    if (dtype && values instanceof Uint16Array && dtypes[dtype].bytes === 2)
      return new NDArray(dtype, array.shape, values as ArrayOf<D>)
    return array.cast((dtype ?? own) as D)
  }
  const measured = measure(values)
  const flat: Scalar[] = []
  flatten(values, measured, 0, flat)
  const first = flat[0]
  const type = dtype ?? (inferDType(first) as D)
  const data = allocate(type, flat.length)
  flat.forEach((value, i) => {
    if (typeof value !== typeof first)
      throw new ValueError(`mixed values: ${typeof first} and ${typeof value}`)
    if ((type === 'string') !== (typeof value === 'string'))
      throw new ValueError(`a ${typeof value} is not a ${type}`)
    if (typeof value === 'number') demandWhole(value, type)
    setElement(type, data, i, value)
  })
  return new NDArray(type, shape ?? measured, data)
}

/** Plain numbers become integers only if they are: nothing is rounded or wrapped by itself. */
function demandWhole(value: number, dtype: DType): void {
  const range = integerRange(dtype)
  if (range && !(Number.isInteger(value) && value >= range[0] && value <= range[1]))
    throw new ValueError(
      `${value} is not an ${dtype}: cast what it meets to a float dtype, or round it yourself`,
    )
}

/** An NDArray over raw little-endian bytes. @throws ShapeError when the count does not fit. */
export function fromBytes<D extends Exclude<DType, 'string'>>(
  dtype: D,
  shape: Size,
  bytes: Uint8Array,
): NDArray<D> {
  const length = sizeOf(shape)
  if (bytes.byteLength !== length * dtypes[dtype].bytes)
    throw new ShapeError(
      `${dtype}${formatShape(shape)} needs ${length * dtypes[dtype].bytes} bytes, got ${bytes.byteLength}`,
    )
  return new NDArray(dtype, shape, viewOf(dtype, bytes, length))
}

/** The dtype that a JavaScript value has when none is asked for. */
export const inferDType = (value: Scalar | undefined): DType =>
  typeof value === 'string'
    ? 'string'
    : typeof value === 'bigint'
      ? 'int64'
      : typeof value === 'boolean'
        ? 'bool'
        : 'float32'

function dtypeOfArray(values: ArrayBufferView): DType {
  if (values instanceof Float32Array) return 'float32'
  if (values instanceof Float64Array) return 'float64'
  if (values instanceof Int32Array) return 'int32'
  if (values instanceof Uint32Array) return 'uint32'
  if (values instanceof Uint8Array || values instanceof Uint8ClampedArray) return 'uint8'
  if (values instanceof Int8Array) return 'int8'
  if (values instanceof Int16Array) return 'int16'
  if (values instanceof BigInt64Array) return 'int64'
  if (values instanceof Uint16Array) return 'float16'
  throw new DTypeError(`no dtype for ${values.constructor.name}: convert it to another typed array first`)
}

function measure(values: Nested): number[] {
  const shape: number[] = []
  for (let level: Nested | undefined = values; Array.isArray(level); level = level[0] as Nested | undefined)
    shape.push(level.length)
  return shape
}

function flatten(values: Nested, shape: Size, axis: number, out: Scalar[]): void {
  if (!Array.isArray(values)) {
    if (axis !== shape.length) throw new ValueError(`ragged array: expected shape ${formatShape(shape)}`)
    out.push(scalarOf(values))
    return
  }
  if (values.length !== shape[axis])
    throw new ValueError(`ragged array: expected shape ${formatShape(shape)}`)
  for (const item of values) flatten(item, shape, axis + 1, out)
}

function scalarOf(value: unknown): Scalar {
  if (['number', 'bigint', 'boolean', 'string'].includes(typeof value)) return value as Scalar
  if (ArrayBuffer.isView(value))
    throw new ValueError(
      `a list of typed arrays: put their elements into one ${value.constructor.name} and give its shape, ndarray(data, dtype, [rows, columns])`,
    )
  throw new ValueError(
    `${value === null ? 'null' : `a value of type ${typeof value}`} in an array: elements are numbers, bigints, booleans or strings`,
  )
}
