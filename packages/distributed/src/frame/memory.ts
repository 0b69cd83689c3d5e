// Memory for small things that are written once and sent: cut from larger pieces, since an ArrayBuffer of its own costs as much as a kilobyte's copy.

const slabBytes = 2 ** 16
/** What is larger has its own. */
const mostCut = 2 ** 12
let slab = new Uint8Array(slabBytes)
let used = 0

/** New memory, whatever it holds. It is nobody else's, though its buffer may be. */
export function cut(length: number): Uint8Array {
  if (length > mostCut) return new Uint8Array(length)
  if (used + length > slabBytes) {
    slab = new Uint8Array(slabBytes)
    used = 0
  }
  used += length
  return slab.subarray(used - length, used)
}
