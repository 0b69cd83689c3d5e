// An order of units that keeps little memory alive: what leaves no more behind than it was given runs as soon as it can.
import type { Tensor } from '../graph/graph.ts'
import { Heap } from './heap.ts'
import type { Unit } from './units.ts'

/** What must be known of tensors to tell when their memory is free. */
export interface MemoryUse {
  /** The tensor whose memory a tensor shares. */
  source(t: Tensor): Tensor
  /** Bytes that a source takes of the memory that is planned; 0 for what lies elsewhere. */
  bytes(source: Tensor): number
  /** Sources that are alive to the end. */
  readonly fetched: ReadonlySet<Tensor>
}

/** What units, by number, read and make, each memory once. */
class Lives {
  readonly reads: readonly (readonly Tensor[])[]
  readonly makes: readonly (readonly Tensor[])[]
  readonly readers = new Map<Tensor, number[]>()
  readonly use: MemoryUse

  constructor(units: readonly Unit[], use: MemoryUse) {
    this.use = use
    const held = (tensors: readonly Tensor[]): Tensor[] =>
      [...new Set(tensors.map(use.source))].filter((t) => use.bytes(t) > 0)
    this.reads = units.map(({ inputs }) => held(inputs))
    this.makes = units.map(({ kind, outputs }) =>
      isInput(kind) ? [] : held(outputs.filter((t) => use.source(t) === t)),
    )
    this.reads.forEach((tensors, i) => {
      for (const t of tensors) {
        const readers = this.readers.get(t)
        if (readers) readers.push(i)
        else this.readers.set(t, [i])
      }
    })
  }

  /** Does it outlive the unit that makes it? */
  isKept(t: Tensor): boolean {
    return this.readers.has(t) || this.use.fetched.has(t)
  }
}

// What is fed is written before anything runs.
const isInput = (kind: Unit['kind']): boolean => kind === 'feed' || kind === 'parameter'

/**
 * Units in order: always the first that may run and leaves no more behind than it frees; where there is none, the first that may run. Takes
 * n log n steps. Most often fewer bytes are alive at once than in the given order, but not always.
 * @param before what must come before a unit.
 */
export function orderForMemory(
  units: readonly Unit[],
  before: (unit: Unit) => Iterable<Unit>,
  use: MemoryUse,
): Unit[] {
  const lives = new Lives(units, use)
  const { reads, makes, readers } = lives
  const position = new Map(units.map((unit, i) => [unit, i]))
  const waitsFor = new Int32Array(units.length)
  const next = units.map((): number[] => [])
  units.forEach((unit, i) => {
    for (const earlier of new Set(before(unit))) {
      const j = position.get(earlier)!
      if (i === j) continue
      waitsFor[i]!++
      next[j]!.push(i)
    }
  })
  const left = new Map([...readers].map(([t, of]) => [t, of.length]))
  const isLast = (t: Tensor): boolean => left.get(t) === 1 && !use.fetched.has(t)
  const sum = (tensors: readonly Tensor[]): number => tensors.reduce((bytes, t) => bytes + use.bytes(t), 0)
  const growth = units.map(
    (_, i) => sum(makes[i]!.filter((t) => lives.isKept(t))) - sum(reads[i]!.filter(isLast)),
  )
  // Of those that leave nothing behind, the ones that hold least while they run make room for the others.
  const bySize = units.map((_, i) => i).sort((a, b) => sum(makes[a]!) - sum(makes[b]!) || a - b)
  const rank = new Int32Array(units.length)
  bySize.forEach((i, place) => (rank[i] = place))
  const [eager, others] = [new Heap(), new Heap()]
  const take = (): number | undefined => {
    const place = eager.pop()
    return place === undefined ? others.pop() : bySize[place]
  }
  const done = new Uint8Array(units.length)
  const offer = (i: number): void => {
    if (waitsFor[i] !== 0 || done[i] === 1) return
    if (growth[i]! <= 0) eager.push(rank[i]!)
    else others.push(i)
  }
  units.forEach((_, i) => offer(i))
  const order: Unit[] = []
  for (let i = take(); i !== undefined; i = take()) {
    if (done[i] === 1) continue
    done[i] = 1
    order.push(units[i]!)
    for (const t of reads[i]!) {
      left.set(t, left.get(t)! - 1)
      if (!isLast(t)) continue
      const last = readers.get(t)!.find((reader) => done[reader] === 0)!
      growth[last]! -= use.bytes(t)
      offer(last)
    }
    for (const j of next[i]!) if (--waitsFor[j]! === 0) offer(j)
  }
  return order
}
