// A small seeded generator: the same seeds give the same numbers on every machine.

/** xoshiro128** by Blackman and Vigna, its state filled by splitmix32 from any number of seeds. */
export class Random {
  readonly #state = new Uint32Array(4)

  /** @param seeds whole numbers; all 53 bits of each count. */
  constructor(...seeds: readonly number[]) {
    let hash = 0x9e3779b9
    for (const seed of seeds) {
      hash = splitmix32(hash ^ (seed >>> 0))
      hash = splitmix32(hash ^ (Math.floor(seed / 2 ** 32) >>> 0))
    }
    for (let i = 0; i < 4; i++) {
      hash = (hash + 0x9e3779b9) >>> 0
      this.#state[i] = splitmix32(hash)
    }
  }

  /** 32 random bits. */
  next(): number {
    const s = this.#state
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0
    const t = s[1]! << 9
    s[2]! ^= s[0]!
    s[3]! ^= s[1]!
    s[1]! ^= s[2]!
    s[0]! ^= s[3]!
    s[2]! ^= t
    s[3] = rotateLeft(s[3]!, 11)
    return result
  }

  /** A whole number from 0 to `bound` - 1, every one equally likely; `bound` is at most 2^32. */
  below(bound: number): number {
    // Numbers beyond the last whole multiple of bound would favour the small results.
    const limit = 2 ** 32 - (2 ** 32 % bound)
    for (;;) {
      const x = this.next()
      if (x < limit) return x % bound
    }
  }
}

const rotateLeft = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits))

function splitmix32(x: number): number {
  let z = (x + 0x9e3779b9) | 0
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
  return (z ^ (z >>> 16)) >>> 0
}
