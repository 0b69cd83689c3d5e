// The header of a .npy file: a magic string, a version, and a Python dict that tells dtype, order and shape.
import type { Size } from '@shoal/core'
import type { ByteReader } from '../byteReader.ts'

/** What an .npy file says of its elements. */
export interface NpyHeader {
  /** NumPy's type string: byte order, kind, bytes of an element; `<f4`. */
  readonly descr: string
  /** Does the first axis vary fastest? */
  readonly fortranOrder: boolean
  readonly shape: Size
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
// Plain arrays need some 100 bytes; more could only be a structured dtype, which is refused anyway.
const maxHeaderBytes = 65_536

/** Reads versions 1, 2 and 3. @throws DataError when it is not such a header. */
export async function readNpyHeader(reader: ByteReader): Promise<NpyHeader> {
  const start = await reader.read(8, 'the npy header')
  if (magic.some((byte, i) => start[i] !== byte))
    throw reader.error('not an npy file: the magic string is missing', 0)
  const version = start[6]!
  if (version < 1 || version > 3) throw reader.error(`npy version ${version} is not known: 1, 2 and 3 are`, 6)
  const width = version === 1 ? 2 : 4
  const size = await reader.read(width, 'the length of the npy header')
  const view = new DataView(size.buffer, size.byteOffset)
  const length = width === 2 ? view.getUint16(0, true) : view.getUint32(0, true)
  if (length > maxHeaderBytes)
    throw reader.error(`an npy header of ${length} bytes: no more than ${maxHeaderBytes} are read`, 8)
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(
    await reader.read(length, 'the npy header'),
  )
  const header = parse(text)
  if (!header) throw reader.error(`not the header of a plain array: ${text.trim().slice(0, 200)}`, 8 + width)
  return header
}

function parse(text: string): NpyHeader | undefined {
  const descr = /['"]descr['"] *: *['"]([^'"]*)['"]/.exec(text)?.[1]
  const order = /['"]fortran_order['"] *: *(True|False)/.exec(text)?.[1]
  const sizes = /['"]shape['"] *: *\(([^()]*)\)/.exec(text)?.[1]
  if (descr === undefined || order === undefined || sizes === undefined) return undefined
  const shape: number[] = []
  for (const item of sizes.split(',').map((part) => part.trim())) {
    if (item === '') continue
    // Python 2 wrote long integers with an L.
    if (!/^\d{1,15}L?$/.test(item)) return undefined
    shape.push(Number.parseInt(item, 10))
  }
  return { descr, fortranOrder: order === 'True', shape }
}

/** The header's bytes, padded so that the data begins at a multiple of 64. Version 1, or 2 where the shape is very long. */
export function writeNpyHeader({ descr, fortranOrder, shape }: NpyHeader): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': ${tuple}, }`
  const version = dict.length + 64 < 65_536 ? 1 : 2
  const prefix = version === 1 ? 10 : 12
  const total = Math.ceil((prefix + dict.length + 1) / 64) * 64
  const text = `${dict.padEnd(total - prefix - 1)}\n`
  const bytes = new Uint8Array(total)
  bytes.set([...magic, version, 0])
  const view = new DataView(bytes.buffer)
  if (version === 1) view.setUint16(8, text.length, true)
  else view.setUint32(8, text.length, true)
  bytes.set(new TextEncoder().encode(text), prefix)
  return bytes
}
