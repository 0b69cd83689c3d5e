// idx, the format of MNIST: two zero bytes, a type, a rank, the sizes, then the elements; all numbers big-endian.
import type { DType, NDArray, Size } from '@shoal/core'
import { DTypeError, dtypes, formatShape, fromBytes, sizeOf } from '@shoal/core'
import { swapBytes } from '../byteOrder.ts'
import { reading } from '../byteReader.ts'
import type { ByteSource, ReadOptions } from '../source.ts'
import { defaultMaxBytes } from '../source.ts'

/** The dtypes that idx has a code for. */
export type IdxDType = 'uint8' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64'

const codes: Readonly<Record<IdxDType, number>> = {
  uint8: 8,
  int8: 9,
  int16: 11,
  int32: 12,
  float32: 13,
  float64: 14,
}
const dtypeOf = new Map(Object.entries(codes).map(([dtype, code]) => [code, dtype as IdxDType]))

/** Reads an idx file, unpacking gzip. @throws DataError when it is truncated, corrupt or larger than maxBytes. */
export function readIdx(source: ByteSource, options: ReadOptions = {}): Promise<NDArray<IdxDType>> {
  const { compression, maxBytes = defaultMaxBytes } = options
  return reading(source, compression, async (reader) => {
    const [zero, alsoZero, code, rank] = (await reader.read(4, 'the idx header')) as unknown as [
      number,
      number,
      number,
      number,
    ]
    if (zero !== 0 || alsoZero !== 0)
      throw reader.error('not an idx file: it does not begin with two zero bytes', 0)
    const dtype = dtypeOf.get(code)
    if (!dtype) throw reader.error(`unknown idx element type 0x${code.toString(16)}`, 2)
    const sizes = await reader.read(4 * rank, 'the idx sizes')
    const view = new DataView(sizes.buffer, sizes.byteOffset)
    const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 * axis))
    const bytes = sizeOf(shape) * dtypes[dtype].bytes
    if (!(bytes <= maxBytes))
      throw reader.error(
        `${formatShape(shape)} is more than ${maxBytes} bytes: raise maxBytes if that is meant`,
        4,
      )
    const data = await reader.read(bytes, `${dtype}${formatShape(shape)}`)
    await reader.expectEnd()
    return fromBytes(dtype, shape, inMemoryOrder(data, dtype))
  })
}

/** The bytes of an idx file. @throws DTypeError for a dtype that idx does not have. */
export function writeIdx(array: NDArray): Uint8Array {
  const { dtype, shape } = array
  if (!hasCode(dtype))
    throw new DTypeError(`idx has no ${dtype}: cast to one of ${Object.keys(codes).join(', ')}`)
  return encode(codes[dtype], shape, inMemoryOrder(array.bytes, dtype))
}

const hasCode = (dtype: DType): dtype is IdxDType => Object.hasOwn(codes, dtype)

const inMemoryOrder = (bytes: Uint8Array, dtype: IdxDType): Uint8Array =>
  dtypes[dtype].bytes === 1 ? bytes : swapBytes(bytes, dtypes[dtype].bytes)

function encode(code: number, shape: Size, data: Uint8Array): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + data.length)
  file.set([0, 0, code, shape.length])
  const view = new DataView(file.buffer)
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size))
  file.set(data, 4 + 4 * shape.length)
  return file
}
