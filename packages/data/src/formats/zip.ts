// Zip archives for reading: the directory at the end tells where each file lies; sizes are checked before anything is unpacked.
import { inflateSync } from 'fflate'
import { crc32 } from '../crc.ts'
import { DataError } from '../errors.ts'

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string
  readonly bytes: Uint8Array
}

interface DirectoryEntry {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly packedBytes: number
  readonly bytes: number
  readonly headerOffset: number
}

const stored = 0
const deflated = 8
// Deflate packs at most 258 bytes into 2 bits; anything beyond is a lie.
const maxExpansion = 1032

/**
 * Every file in an archive, unpacked and checked. @throws DataError when it is corrupt, encrypted, packed by another
 * method than deflate, or unpacks to more than `maxBytes`.
 */
export function readZip(archive: Uint8Array, maxBytes: number, file?: string): ZipEntry[] {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength)
  const fail = (message: string, offset: number): never => {
    throw new DataError(message, { file, offset })
  }
  const need = (offset: number, count: number, what: string): void => {
    if (!(offset >= 0 && offset + count <= archive.length))
      fail(`truncated or corrupt zip: ${what} lies outside of the file`, offset)
  }
  const uint64 = (offset: number): number => Number(view.getBigUint64(offset, true))

  function findEnd(): { count: number; offset: number } {
    const last = archive.length - 22
    for (let at = last; at >= Math.max(0, last - 65_535); at--) {
      if (
        view.getUint32(at, true) !== 0x06054b50 ||
        at + 22 + view.getUint16(at + 20, true) !== archive.length
      )
        continue
      const [count, offset] = [view.getUint16(at + 10, true), view.getUint32(at + 16, true)]
      return count === 0xffff || offset === 0xffffffff ? findEnd64(at) : { count, offset }
    }
    return fail('not a zip file, or a truncated one: its directory is missing', Math.max(0, archive.length))
  }

  function findEnd64(end: number): { count: number; offset: number } {
    need(end - 20, 20, 'the zip64 locator')
    if (view.getUint32(end - 20, true) !== 0x07064b50) fail('the zip64 locator is missing', end - 20)
    const at = uint64(end - 12)
    need(at, 56, 'the zip64 directory end')
    if (view.getUint32(at, true) !== 0x06064b50) fail('the zip64 directory end is missing', at)
    return { count: uint64(at + 32), offset: uint64(at + 48) }
  }

  function directory(): DirectoryEntry[] {
    const { count, offset } = findEnd()
    const entries: DirectoryEntry[] = []
    for (let at = offset; entries.length < count; ) {
      need(at, 46, 'a directory entry')
      if (view.getUint32(at, true) !== 0x02014b50) fail('a directory entry of the zip is missing', at)
      const [nameLength, extraLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)]
      const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true)
      need(at, next - at, 'a directory entry')
      const wide = wideFields(at + 46 + nameLength, extraLength)
      const field = (value: number): number =>
        value === 0xffffffff ? (wide.shift() ?? fail('a zip64 size is missing', at)) : value
      // In this order, for that is the order of the wide fields.
      const bytes = field(view.getUint32(at + 24, true))
      const packedBytes = field(view.getUint32(at + 20, true))
      const headerOffset = field(view.getUint32(at + 42, true))
      entries.push({
        name: new TextDecoder().decode(archive.subarray(at + 46, at + 46 + nameLength)),
        flags: view.getUint16(at + 8, true),
        method: view.getUint16(at + 10, true),
        crc: view.getUint32(at + 16, true),
        packedBytes,
        bytes,
        headerOffset,
      })
      at = next
    }
    return entries
  }

  function wideFields(begin: number, length: number): number[] {
    for (let at = begin; at + 4 <= begin + length; ) {
      const [id, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)]
      need(at + 4, size, 'an extra field')
      if (id === 1)
        return Array.from({ length: Math.min(3, Math.floor(size / 8)) }, (_, i) => uint64(at + 4 + 8 * i))
      at += 4 + size
    }
    return []
  }

  function packedData({ headerOffset, packedBytes, name }: DirectoryEntry): Uint8Array {
    need(headerOffset, 30, `the header of '${name}'`)
    if (view.getUint32(headerOffset, true) !== 0x04034b50)
      fail(`the header of '${name}' is missing`, headerOffset)
    const begin =
      headerOffset + 30 + view.getUint16(headerOffset + 26, true) + view.getUint16(headerOffset + 28, true)
    need(begin, packedBytes, `the data of '${name}'`)
    return archive.subarray(begin, begin + packedBytes)
  }

  function unpack(entry: DirectoryEntry): ZipEntry {
    const { name, flags, method, crc, headerOffset } = entry
    if (flags & 1) fail(`'${name}' is encrypted`, headerOffset)
    const packed = packedData(entry)
    const bytes =
      method === stored
        ? packed
        : method === deflated
          ? inflate(packed, entry)
          : fail(`'${name}' is packed by method ${method}: only deflate is read`, headerOffset)
    if (bytes.length !== entry.bytes)
      fail(`'${name}' has ${bytes.length} bytes, the directory says ${entry.bytes}`, headerOffset)
    if (crc32(bytes) !== crc) fail(`'${name}' is corrupt: its checksum is wrong`, headerOffset)
    return { name, bytes }
  }

  function inflate(packed: Uint8Array, { name, bytes, headerOffset }: DirectoryEntry): Uint8Array {
    if (bytes > packed.length * maxExpansion)
      fail(`'${name}' claims ${bytes} bytes from ${packed.length}`, headerOffset)
    try {
      return inflateSync(packed, { out: new Uint8Array(bytes) })
    } catch (cause) {
      throw new DataError(`'${name}' cannot be unpacked`, { file, offset: headerOffset, cause })
    }
  }

  const entries = directory()
  const total = (size: (entry: DirectoryEntry) => number): number =>
    entries.reduce((sum, entry) => sum + size(entry), 0)
  if (total((entry) => entry.packedBytes) > archive.length) fail('corrupt zip: files overlap', 0)
  if (total((entry) => entry.bytes) > maxBytes)
    fail(`the archive unpacks to more than ${maxBytes} bytes: raise maxBytes if that is meant`, 0)
  return entries.map(unpack)
}
