// WebAssembly's binary format as a growing byte array: little-endian numbers and LEB128 integers, written front to back.

const scratch = new DataView(new ArrayBuffer(8))
const utf8 = new TextEncoder()

/** A place in the code that holds the index of a function, which is known only when the module is finished. */
export interface Relocation {
  readonly offset: number
  readonly target: object
}

/** Relocated indices take exactly three bytes (21 bits), whatever their value, so that they can be filled in later. */
const relocatedBytes = 3

/** A growable byte array with the encodings of the WebAssembly binary format. */
export class CodeBuffer {
  readonly relocations: Relocation[] = []
  #bytes = new Uint8Array(256)
  #length = 0

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** The bytes written so far: a view, valid until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  append(bytes: ArrayLike<number>): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Unsigned LEB128 of an integer in [0, 2^32). */
  unsigned(value: number): void {
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  /** Signed LEB128 of a 32-bit integer; [2^31, 2^32) is taken as the same 32 bits. */
  signed(value: number): void {
    let rest = value | 0
    while (rest < -0x40 || rest >= 0x40) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>= 7
    }
    this.byte(rest & 0x7f)
  }

  /** Signed LEB128 of a 64-bit integer. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value)
    while (rest < -0x40n || rest >= 0x40n) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.byte(Number(rest & 0x7fn))
  }

  float32(value: number): void {
    scratch.setFloat32(0, value, true)
    for (let i = 0; i < 4; i++) this.byte(scratch.getUint8(i))
  }

  float64(value: number): void {
    scratch.setFloat64(0, value, true)
    for (let i = 0; i < 8; i++) this.byte(scratch.getUint8(i))
  }

  /** A name: length and UTF-8. */
  name(text: string): void {
    const bytes = utf8.encode(text)
    this.unsigned(bytes.length)
    this.append(bytes)
  }

  /** An instruction's code; 0xfd_00e4 means prefix 0xfd and number 0xe4 (see instructions.ts). */
  opcode(code: number): void {
    if (code < 0x100) return this.byte(code)
    this.byte(code >>> 16)
    this.unsigned(code & 0xffff)
  }

  /** Leaves room for the index of `target`; `relocate` fills it in. */
  reference(target: object): void {
    this.relocations.push({ offset: this.#length, target })
    for (let i = 0; i < relocatedBytes; i++) this.byte(0)
  }

  /** Appends a finished piece of code, with its relocations moved along. */
  appendCode(code: CodeBuffer): void {
    for (const { offset, target } of code.relocations)
      this.relocations.push({ offset: this.#length + offset, target })
    this.append(code.bytes)
  }

  /** Fills in every index that `reference` left open. */
  relocate(indexOf: (target: object) => number): void {
    for (const { offset, target } of this.relocations) {
      const index = indexOf(target)
      for (let i = 0; i < relocatedBytes; i++)
        this.#bytes[offset + i] = ((index >>> (7 * i)) & 0x7f) | (i < relocatedBytes - 1 ? 0x80 : 0)
    }
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}
