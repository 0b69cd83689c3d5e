// Reproducible numbers: every case draws its inputs from a stream that its own name seeds.

/** A stream of pseudo-random numbers, the same on every machine for the same seed. Mulberry32 by Tommy Ettinger. */
export class Random {
  private state: number

  /** @param seed any text; equal texts make equal streams. */
  constructor(seed: string) {
    this.state = hash(seed)
  }

  /** A number in [0, 1), a multiple of 2^-32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** A whole number in [low, high). */
  integer(low: number, high: number): number {
    return low + Math.floor((high - low) * this.next())
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length)]!
  }

  /** The items in random order, as a new array (Fisher and Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const out = [...items]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.integer(0, i + 1)
      ;[out[i], out[j]] = [out[j]!, out[i]!]
    }
    return out
  }
}

/** FNV-1a, 32 bits. */
const hash = (text: string): number =>
  Array.from(text).reduce((h, c) => Math.imul(h ^ c.codePointAt(0)!, 16777619), 2166136261 | 0)
