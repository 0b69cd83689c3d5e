// What speaks for a node is told in one unit: the seconds that a task would need there, to compute, to get its data, and to exchange tensors with the others.
import type { JobSpec } from '../jobs/spec.ts'
import type { LinkQuality } from '../machine/inventory.ts'
import type { Offer } from './offer.ts'
import { groupOf, type Part, type Place, partOf } from './task.ts'

/** Seconds that a task is thought to need on a node. They compare nodes and foretell nothing: how much a job computes is not known. */
export interface Estimate {
  readonly computing: number
  /** For the bytes of program and shards that are not there yet. */
  readonly moving: number
  /** For what goes to and from other tasks of a gang; 0 where each works for itself. */
  readonly exchanging: number
  /** What has to be moved. */
  readonly missingBytes: number
}

/** All seconds of an estimate. */
export const total = ({ computing, moving, exchanging }: Estimate): number => computing + moving + exchanging

/** The job that every job is thought to be: a minute on the fastest core, of 600 steps that move 100 kB each. */
const typical = { computeSeconds: 60, steps: 600, stepBytes: 100e3, programBytes: 2 ** 20 } as const

/** What is believed of a way that nobody has measured: 100 Mbit/s through a switch. */
const unmeasured: LinkQuality = { roundTripMs: 2, bytesPerSecond: 12.5e6 }

/**
 * How much longer a task takes for each task of its job that is there already. Cores share their memory, their heat and their fate: another node
 * is worth more than a second task, unless it is more than four times slower.
 */
const crowding = 3

/** A task that serves others computes little: this part of what others do. */
const servingPart = 0.1

/** Estimates the tasks of one job; it knows which of them have a place already. */
export class Estimator {
  readonly #spec: JobSpec
  readonly #offers: readonly Offer[]
  readonly #fastest: number
  readonly #blobs: ReadonlyMap<string, number>
  /** Tasks of the job on a node. */
  readonly #tasks = new Map<string, number>()
  /** Nodes where something of the job's data is fetched to, or already was. */
  readonly #fetching = new Set<string>()
  /** By node, the seconds of exchange with all nodes of the job. */
  readonly #ways = new Map<string, number>()
  readonly #absences = new Map<string, { readonly bytes: number; readonly seconds: number }>()

  /**
   * @param offers of all nodes, for their links and blobs count even where there is no room.
   * @param there the tasks of the job that have a place already.
   */
  constructor(spec: JobSpec, offers: readonly Offer[], there: readonly Place[] = []) {
    this.#spec = spec
    this.#offers = offers
    this.#fastest = Math.max(...offers.map(({ gflops }) => gflops))
    this.#blobs = blobsOf(spec)
    for (const { task, node } of there) {
      const offer = offers.find(({ nodeId }) => nodeId === node)
      if (offer) this.put(offer, partOf(spec, groupOf(task)))
    }
  }

  /** The seconds that one more task needs on this node. */
  estimate(offer: Offer, { serving, hub }: Part): Estimate {
    const there = this.#tasks.get(offer.nodeId) ?? 0
    const slowness = (this.#fastest / offer.gflops) * (1 + crowding * there)
    const absent = serving || this.#fetching.has(offer.nodeId) ? nothingAbsent : this.#absent(offer)
    return {
      computing: typical.computeSeconds * slowness * (serving ? servingPart : 1),
      moving: absent.seconds,
      exchanging: this.#spec.scheduling === 'gang' ? this.#exchange(offer, hub) : 0,
      missingBytes: absent.bytes,
    }
  }

  /** From now on a task of the job is on this node. */
  put(offer: Offer, { serving }: Part): void {
    const there = this.#tasks.get(offer.nodeId) ?? 0
    this.#tasks.set(offer.nodeId, there + 1)
    if (!serving) this.#fetching.add(offer.nodeId)
    if (there > 0) return
    for (const other of this.#offers) {
      this.#ways.set(other.nodeId, (this.#ways.get(other.nodeId) ?? 0) + exchangeSeconds(other, offer))
    }
  }

  /** Through a hub goes what all others exchange; of the rest each exchanges what one does. Who is first is measured by all that may follow. */
  #exchange(offer: Offer, hub: boolean): number {
    const known = this.#tasks.size > 0
    const peers = known ? this.#tasks.size - (this.#tasks.has(offer.nodeId) ? 1 : 0) : this.#offers.length - 1
    const seconds = known
      ? (this.#ways.get(offer.nodeId) ?? 0)
      : this.#offers.reduce((sum, other) => sum + exchangeSeconds(offer, other), 0)
    return hub || peers === 0 ? seconds : seconds / peers
  }

  #absent(offer: Offer): { readonly bytes: number; readonly seconds: number } {
    const known = this.#absences.get(offer.nodeId)
    if (known) return known
    const sources = this.#offers
      .map((source) => ({ source, rate: Math.max(1, linkBetween(offer, source).bytesPerSecond) }))
      .toSorted((a, b) => b.rate - a.rate)
    let bytes = 0
    let seconds = 0
    for (const [hash, size] of this.#blobs) {
      if (offer.hashes.has(hash)) continue
      // What none of these nodes has comes from elsewhere.
      const best = sources.find(({ source }) => source.hashes.has(hash))
      bytes += size
      seconds += size / (best?.rate ?? unmeasured.bytesPerSecond)
    }
    const absent = { bytes, seconds }
    this.#absences.set(offer.nodeId, absent)
    return absent
  }
}

const nothingAbsent = { bytes: 0, seconds: 0 }

/** The blobs that a task of this job reads, with their bytes; each once. */
function blobsOf({ program, datasets }: JobSpec): ReadonlyMap<string, number> {
  const shards = Object.values(datasets).flatMap(({ files }) => files.flatMap((file) => file.shards))
  return new Map([
    [program, typical.programBytes] as const,
    ...shards.map(({ hash, bytes }) => [hash, bytes] as const),
  ])
}

/** The seconds that a job's steps need between two nodes; none within one. */
export function exchangeSeconds(a: Offer, b: Offer): number {
  if (a.nodeId === b.nodeId) return 0
  const { roundTripMs, bytesPerSecond } = linkBetween(a, b)
  return typical.steps * (roundTripMs / 1000 + typical.stepBytes / Math.max(1, bytesPerSecond))
}

/** The way between two nodes, as either of them has measured it. */
const linkBetween = (a: Offer, b: Offer): LinkQuality => a.links[b.nodeId] ?? b.links[a.nodeId] ?? unmeasured
