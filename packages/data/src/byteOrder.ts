// Numbers in files may have their bytes the other way round than in memory, which is little-endian.

/** A copy with the bytes of each `width`-byte element reversed. */
export function swapBytes(bytes: Uint8Array, width: number): Uint8Array {
  const swapped = new Uint8Array(bytes.length)
  for (let start = 0; start < bytes.length; start += width)
    for (let i = 0; i < width; i++) swapped[start + i] = bytes[start + width - 1 - i]!
  return swapped
}
