// Bytes as letters that people can read to each other: Crockford's base 32, without I, L, O and U.

const letters = '0123456789abcdefghjkmnpqrstvwxyz'
const looksLike: Readonly<Record<string, string>> = { o: '0', i: '1', l: '1' }

/** Five bits to a letter; the last letter is filled up with zeros. */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let count = 0
  for (const byte of bytes) {
    bits = ((bits & 0xff) << 8) | byte
    for (count += 8; count >= 5; count -= 5) text += letters[(bits >> (count - 5)) & 31]
  }
  return count > 0 ? text + letters[(bits << (5 - count)) & 31] : text
}

/** The value of a letter, be it large or small, or one that is taken for another; -1 for what is none. */
export const letterValue = (letter: string): number => {
  const small = letter.toLowerCase()
  return letters.indexOf(looksLike[small] ?? small)
}

/** The reverse of `base32`. Letters that are none count as zeros; what is left of the last one is not looked at. */
export function fromBase32(text: string): Uint8Array {
  const bytes: number[] = []
  let bits = 0
  let count = 0
  for (const letter of text) {
    bits = ((bits & 0xff) << 5) | Math.max(0, letterValue(letter))
    count += 5
    if (count < 8) continue
    count -= 8
    bytes.push((bits >> count) & 255)
  }
  return Uint8Array.from(bytes)
}
