// float32 to 16 bits and back, many at a time: what saves half of a slow link.
import { fromFloat16Bits, toFloat16Bits } from '@shoal/core'
import type { WireType } from '../transport/contract.ts'

/** Rounds float32 values to nearest, ties to even, into little-endian 16-bit words. */
export function narrow(values: Float32Array, wire: WireType): Uint8Array {
  const words = new Uint16Array(values.length)
  if (wire === 'float16') for (let i = 0; i < words.length; i++) words[i] = toFloat16Bits(values[i]!)
  else {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
    for (let i = 0; i < words.length; i++) {
      const x = bits[i]!
      const isNaN = (x & 0x7fffffff) > 0x7f800000
      words[i] = isNaN ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16
    }
  }
  return new Uint8Array(words.buffer)
}

/**
 * Widens n 16-bit words, which fill the second half of `memory`, to the n float32 values that fill all of it. Front to back:
 * word i lies at byte 2n + 2i, where value i + 1 is not yet when value i is written.
 */
export function widenInPlace(memory: Uint8Array, wire: WireType): void {
  const n = memory.byteLength / 4
  const words = new Uint16Array(memory.buffer, memory.byteOffset + 2 * n, n)
  const bits = new Uint32Array(memory.buffer, memory.byteOffset, n)
  if (wire === 'bfloat16') for (let i = 0; i < n; i++) bits[i] = words[i]! << 16
  else {
    const table = float16Table()
    for (let i = 0; i < n; i++) bits[i] = table[words[i]!]!
  }
}

let float16Values: Uint32Array | undefined
/** The float32 bits of every float16, made when first needed. */
function float16Table(): Uint32Array {
  float16Values ??= new Uint32Array(
    Float32Array.from({ length: 65536 }, (_, bits) => fromFloat16Bits(bits)).buffer,
  )
  return float16Values
}
