// .npy, NumPy's file of one array: a header, then the elements in either byte order and either axis order.
import type { ArrayOf, DType, Size } from '@shoal/core'
import { allocate, DTypeError, dtypes, formatShape, NDArray, sizeOf, viewOf } from '@shoal/core'
import { swapBytes } from '../byteOrder.ts'
import type { ByteReader } from '../byteReader.ts'
import { reading } from '../byteReader.ts'
import type { ByteSource, ReadOptions } from '../source.ts'
import { concat, defaultMaxBytes } from '../source.ts'
import { readNpyHeader, writeNpyHeader } from './npyHeader.ts'

type Fixed = Exclude<DType, 'string'>
interface Format {
  readonly bytes: number
  readonly dtype: Fixed
  /** Makes elements of a type that has no dtype of its own; undefined when one does not fit. */
  readonly widen?: (bytes: Uint8Array, length: number) => ArrayOf<Fixed> | undefined
}

/** NumPy's kind and size, and what becomes of it. uint16 and uint64 have no dtype of their own and are widened. */
const formats: Readonly<Record<string, Format>> = {
  b1: { bytes: 1, dtype: 'bool', widen: (bytes) => bytes.map((byte) => (byte === 0 ? 0 : 1)) },
  i1: { bytes: 1, dtype: 'int8' },
  i2: { bytes: 2, dtype: 'int16' },
  i4: { bytes: 4, dtype: 'int32' },
  i8: { bytes: 8, dtype: 'int64' },
  u1: { bytes: 1, dtype: 'uint8' },
  u2: {
    bytes: 2,
    dtype: 'int32',
    widen: (bytes, length) => Int32Array.from(viewOf('float16', bytes, length)),
  },
  u4: { bytes: 4, dtype: 'uint32' },
  u8: {
    bytes: 8,
    dtype: 'int64',
    widen: (bytes, length) => {
      const signed = viewOf('int64', bytes, length)
      return signed.some((x) => x < 0n) ? undefined : signed
    },
  },
  f2: { bytes: 2, dtype: 'float16' },
  f4: { bytes: 4, dtype: 'float32' },
  f8: { bytes: 8, dtype: 'float64' },
}

const descrs: Readonly<Partial<Record<DType, string>>> = {
  bool: '|b1',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint32: '<u4',
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
}

/**
 * Reads an .npy file: bool, integers and floats of every size, little- or big-endian, C or Fortran order.
 * uint16 becomes int32, uint64 becomes int64.
 * @throws DataError when it is truncated, corrupt, larger than maxBytes, or holds other things than numbers.
 */
export function readNpy(source: ByteSource, options: ReadOptions = {}): Promise<NDArray> {
  return reading(source, options.compression, (reader) =>
    readNpyArray(reader, options.maxBytes ?? defaultMaxBytes),
  )
}

async function readNpyArray(reader: ByteReader, maxBytes: number): Promise<NDArray> {
  const { descr, fortranOrder, shape } = await readNpyHeader(reader)
  const format =
    /^[<>=|]/.test(descr) && Object.hasOwn(formats, descr.slice(1)) ? formats[descr.slice(1)]! : undefined
  if (!format) throw reader.error(`elements of type '${descr}' are not read: save them as numbers or bool`, 8)
  const length = sizeOf(shape)
  if (!(length * format.bytes <= maxBytes))
    throw reader.error(
      `${formatShape(shape)} is more than ${maxBytes} bytes: raise maxBytes if that is meant`,
    )
  const begin = reader.offset
  const raw = await reader.read(length * format.bytes, `'${descr}' ${formatShape(shape)}`)
  await reader.expectEnd()
  const bytes = descr.startsWith('>') && format.bytes > 1 ? swapBytes(raw, format.bytes) : raw
  const data = format.widen ? format.widen(bytes, length) : viewOf(format.dtype, bytes, length)
  if (!data) throw reader.error('an unsigned 64-bit number is too large for int64', begin)
  return new NDArray(format.dtype, shape, fortranOrder ? toRowMajor(format.dtype, data, shape) : data)
}

/** Reorders elements whose first axis varies fastest. */
function toRowMajor<D extends Fixed>(dtype: D, data: ArrayOf<D>, shape: Size): ArrayOf<D> {
  const out = allocate(dtype, data.length)
  const index = shape.map(() => 0)
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)))
  let from = 0
  for (let to = 0; to < data.length; to++) {
    out[to] = data[from]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      from -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return out
}

/** The bytes of an .npy file: little-endian, C order. @throws DTypeError for bfloat16 and strings, which NumPy has not. */
export function writeNpy(array: NDArray): Uint8Array {
  const descr = descrs[array.dtype]
  if (!descr)
    throw new DTypeError(
      `npy has no ${array.dtype}${dtypes[array.dtype].kind === 'float' ? ': cast to float32' : ''}`,
    )
  const header = writeNpyHeader({ descr, fortranOrder: false, shape: array.shape })
  return concat([header, array.bytes], header.length + array.bytes.length)
}
