// Cyclic redundancy checks, a table look-up per byte: crc32 guards zip files, crc32c guards TFRecords.
// `before` is the check of the bytes that come before, where they are checked piece by piece.

/** The CRC-32 of zip and gzip (reflected polynomial 0xedb88320). */
export const crc32: (bytes: Uint8Array, before?: number) => number = crcOf(0xedb88320)
/** The CRC-32C of Castagnoli, RFC 3720 appendix B.4 (reflected polynomial 0x82f63b78). */
export const crc32c: (bytes: Uint8Array, before?: number) => number = crcOf(0x82f63b78)

function crcOf(polynomial: number): (bytes: Uint8Array, before?: number) => number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    return crc
  })
  return (bytes, before = 0) => {
    let crc = before ^ 0xffffffff
    for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8)
    return (crc ^ 0xffffffff) >>> 0
  }
}
