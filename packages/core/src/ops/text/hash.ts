// FNV-1a, 64 bits (Fowler, Noll and Vo; draft-eastlake-fnv): a hash that is the same on every machine and in every version.

const encoder = new TextEncoder()
// The offset basis cbf29ce484222325 and the prime 00000100000001b3, in halves.
const basisHigh = 0xcbf29ce4
const basisLow = 0x84222325
const primeLow = 0x1b3

/** The FNV-1a hash of the UTF-8 bytes of a text, as an unsigned 64-bit integer. */
export function fnv1a64(text: string): bigint {
  let high = basisHigh
  let low = basisLow
  for (const byte of encoder.encode(text)) {
    low = (low ^ byte) >>> 0
    // (high·2³² + low) · (2⁴⁰ + 0x1b3), modulo 2⁶⁴: the products stay below 2⁵³.
    const product = low * primeLow
    const carry = Math.floor(product / 2 ** 32)
    high = (high * primeLow + carry + ((low << 8) >>> 0)) % 2 ** 32
    low = product % 2 ** 32
  }
  return (BigInt(high) << 32n) | BigInt(low)
}
