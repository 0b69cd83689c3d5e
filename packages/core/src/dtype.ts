// Element types, one row each: every question about a dtype is a look-up here, never a switch elsewhere.

/** How an element type behaves in arithmetic. */
export type DTypeKind = 'float' | 'int' | 'uint' | 'bool' | 'string'

interface DTypeRow {
  /** Bytes of one element in memory; 0 for strings, which live on the host only. */
  readonly bytes: number
  readonly kind: DTypeKind
  /** May scalar expressions compute in it, or is it only stored and widened on load? */
  readonly compute: DType
}

const table = {
  float32: { bytes: 4, kind: 'float', compute: 'float32' },
  float64: { bytes: 8, kind: 'float', compute: 'float64' },
  float16: { bytes: 2, kind: 'float', compute: 'float32' },
  bfloat16: { bytes: 2, kind: 'float', compute: 'float32' },
  int8: { bytes: 1, kind: 'int', compute: 'int8' },
  uint8: { bytes: 1, kind: 'uint', compute: 'uint8' },
  int16: { bytes: 2, kind: 'int', compute: 'int16' },
  int32: { bytes: 4, kind: 'int', compute: 'int32' },
  int64: { bytes: 8, kind: 'int', compute: 'int64' },
  uint32: { bytes: 4, kind: 'uint', compute: 'uint32' },
  bool: { bytes: 1, kind: 'bool', compute: 'bool' },
  string: { bytes: 0, kind: 'string', compute: 'string' },
} as const

/** The name of an element type. */
export type DType = keyof typeof table
/** Facts of every element type: bytes of an element, kind, and the dtype that arithmetic happens in. */
export const dtypes: Readonly<Record<DType, DTypeRow>> = table
/** Every dtype name. */
export const dtypeNames: readonly DType[] = Object.keys(table) as DType[]

const ofKind = (...kinds: DTypeKind[]): readonly DType[] =>
  dtypeNames.filter((d) => kinds.includes(dtypes[d].kind))
/** float32, float64, float16, bfloat16. */
export const floats: readonly DType[] = ofKind('float')
/** Signed and unsigned integers. */
export const integers: readonly DType[] = ofKind('int', 'uint')
/** All that arithmetic works on. */
export const numerics: readonly DType[] = ofKind('float', 'int', 'uint')
/** All dtypes that have a fixed number of bytes: everything but strings. */
export const fixedSize: readonly DType[] = dtypeNames.filter((d) => d !== 'string')

/** The least and the greatest value of the integer dtypes. */
const integerRanges: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
  // What a number can say exactly; bigints say the rest.
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
}
/** The least and the greatest plain number that an integer dtype takes; undefined for other dtypes. */
export const integerRange = (dtype: DType): readonly [number, number] | undefined => integerRanges[dtype]

/** The array that holds elements of a dtype on the host; float16 and bfloat16 are held as their bits. */
export interface ArrayTypes {
  float32: Float32Array
  float64: Float64Array
  float16: Uint16Array
  bfloat16: Uint16Array
  int8: Int8Array
  uint8: Uint8Array
  int16: Int16Array
  int32: Int32Array
  int64: BigInt64Array
  uint32: Uint32Array
  bool: Uint8Array
  string: string[]
}
/** The host array of dtype D. */
export type ArrayOf<D extends DType> = ArrayTypes[D]
/** Any host array of fixed-size elements. */
export type TypedArray = Exclude<ArrayTypes[DType], string[]>
/** One element as JavaScript sees it. */
export type ScalarOf<D extends DType> = D extends 'int64'
  ? bigint
  : D extends 'bool'
    ? boolean
    : D extends 'string'
      ? string
      : number
/** One element of any dtype. */
export type Scalar = number | bigint | boolean | string

interface ArrayConstructor {
  readonly BYTES_PER_ELEMENT: number
  new (length: number): TypedArray
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray
}
const constructors: Readonly<Record<Exclude<DType, 'string'>, ArrayConstructor>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint32: Uint32Array,
  bool: Uint8Array,
}

/** A zeroed host array for `length` elements; empty strings for dtype string. */
export function allocate<D extends DType>(dtype: D, length: number): ArrayOf<D> {
  if (dtype === 'string') return new Array<string>(length).fill('') as ArrayOf<D>
  return new constructors[dtype as Exclude<DType, 'string'>](length) as ArrayOf<D>
}

/** A typed view of `length` elements over bytes; copies when the offset is not a multiple of the element size. */
export function viewOf<D extends Exclude<DType, 'string'>>(
  dtype: D,
  bytes: Uint8Array,
  length: number,
): ArrayOf<D> {
  const { bytes: size } = dtypes[dtype]
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  return new constructors[dtype](aligned.buffer, aligned.byteOffset, length) as ArrayOf<D>
}

/** Is this a dtype name? */
export const isDType = (value: unknown): value is DType =>
  typeof value === 'string' && Object.hasOwn(table, value)
