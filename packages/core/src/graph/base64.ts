// Bytes as text (RFC 4648, section 4), without relying on a platform for it.

const alphabet = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const pad = 0x3d
const values = new Int16Array(128).fill(-1)
alphabet.forEach((code, value) => (values[code] = value))

/** The base64 text of bytes. */
export function toBase64(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4)
  for (let i = 0, o = 0; i < bytes.length; i += 3, o += 4) {
    const left = bytes.length - i
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    out[o] = alphabet[word >> 18]!
    out[o + 1] = alphabet[(word >> 12) & 63]!
    out[o + 2] = left > 1 ? alphabet[(word >> 6) & 63]! : pad
    out[o + 3] = left > 2 ? alphabet[word & 63]! : pad
  }
  return new TextDecoder().decode(out)
}

/** The bytes of a base64 text; undefined when it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const out = new Uint8Array((text.length / 4) * 3 - padding)
  for (let i = 0, o = 0; i < text.length; i += 4, o += 3) {
    let word = 0
    for (let k = 0; k < 4; k++) {
      const padded = i + k >= text.length - padding
      const value = padded ? 0 : (values[text.charCodeAt(i + k)] ?? -1)
      if (value < 0) return undefined
      word = (word << 6) | value
    }
    for (let k = 0; k < 3 && o + k < out.length; k++) out[o + k] = (word >> (16 - 8 * k)) & 255
  }
  return out
}
