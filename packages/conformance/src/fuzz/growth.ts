// A graph as it grows: what there is to compute with, what was written so far, and the stream that all choices are drawn from.
import type { Tensor, Variable } from '@shoal/core'
import { reshape, sizeOf } from '@shoal/core'
import type { Random } from '../random.ts'

/** Adds something to a graph and answers a new value, or nothing where what it draws does not fit. */
export type GraphStep = (growth: Growth) => Tensor | undefined

/** What every part of a graph can read. */
export interface Sources {
  /** float32. */
  readonly variables: readonly Variable[]
  /** bool; decisions hang on nothing that two devices compute differently. */
  readonly masks: readonly Tensor[]
  /** int32. */
  readonly counts: readonly Tensor[]
}

/** Tensors have no more elements. */
const maxElements = 4096
const maxRank = 4

/** One body of a graph: the graph itself, a branch, a loop. */
export class Growth {
  readonly stream: Random
  readonly sources: Sources
  /** float32 values, the latest last. */
  readonly pool: Tensor[]
  /** Assignments in this body, in the order in which they were built. */
  readonly writes: Tensor[] = []
  /** How many bodies this one is in. */
  readonly depth: number
  private readonly steps: readonly GraphStep[]

  constructor(
    stream: Random,
    sources: Sources,
    pool: readonly Tensor[],
    steps: readonly GraphStep[],
    depth = 0,
  ) {
    this.stream = stream
    this.sources = sources
    this.pool = [...pool]
    this.steps = steps
    this.depth = depth
  }

  /** Grows by about `count` values. */
  grow(count: number): this {
    const end = this.pool.length + count
    for (let tries = 0; tries < 4 * count && this.pool.length < end; tries++) {
      const value = this.stream.pick(this.steps)(this)
      if (value && value.rank <= maxRank) this.pool.push(value)
    }
    return this
  }

  /** A body within this one, that sees the latest values and `more`. */
  inside(more: readonly Tensor[]): Growth {
    const { stream, sources, pool, steps, depth } = this
    return new Growth(stream, sources, [...pool.slice(-8), ...more], steps, depth + 1)
  }

  /** Any value, more often one of the latest: graphs grow deep and not only broad. */
  any(): Tensor {
    return this.stream.pick(this.chance(0.6) ? this.pool.slice(-6) : this.pool)
  }

  /** Is something to happen that happens with this probability? */
  chance(probability: number): boolean {
    return this.stream.next() < probability
  }

  /** Some value that fits, of the few that are looked at. */
  find(fits: (t: Tensor) => boolean): Tensor | undefined {
    for (let tries = 0; tries < 6; tries++) {
      const t = this.any()
      if (fits(t)) return t
    }
    return undefined
  }

  /** The latest value that has as many elements as a shape asks for, in that shape. */
  latestAs(shape: readonly number[]): Tensor | undefined {
    const found = this.pool.findLast((t) => sizeOf(sizesOf(t)) === sizeOf(shape))
    return found && shaped(found, shape)
  }
}

/** The sizes of a tensor; in these graphs all are known. */
export const sizesOf = (t: Tensor): readonly number[] => t.shape as readonly number[]

/** The same elements under a shape. */
export const shaped = (t: Tensor, shape: readonly number[]): Tensor =>
  sizesOf(t).join() === shape.join() ? t : reshape(t, { shape })

/** What two shapes broadcast to, if they do and it is not too large. */
export function broadcast(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  const rank = Math.max(a.length, b.length)
  const [x, y] = [a, b].map((shape) => [...Array<number>(rank - shape.length).fill(1), ...shape]) as [
    number[],
    number[],
  ]
  if (x.some((d, i) => d !== y[i] && d !== 1 && y[i] !== 1)) return undefined
  const both = x.map((d, i) => (d === 1 ? y[i]! : d))
  return sizeOf(both) <= maxElements ? both : undefined
}
