// Whole numbers as bytes, big-endian. By hand: a DataView for a few small numbers costs more than all the rest of a small frame.

/** Writes 32 bits. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Reads 32 bits. */
export const u32At = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0

/** Writes 64 bits of a number that is whole, and not beyond 2^53. */
export function putU64(bytes: Uint8Array, at: number, value: number): void {
  putU32(bytes, at, Math.floor(value / 2 ** 32))
  putU32(bytes, at + 4, value >>> 0)
}

/** Reads 64 bits; beyond 2^53 the answer is rounded, and not a safe integer. */
export const u64At = (bytes: Uint8Array, at: number): number =>
  u32At(bytes, at) * 2 ** 32 + u32At(bytes, at + 4)
