// The memory that transfers hold beside the tensors.
import type { Carrier } from './carrier.ts'

/** The most that a process has held, in bytes. */
export interface Held {
  /** Resident memory beyond what it had before. */
  readonly rss: number
  /** What its connections had taken and not yet written out. */
  readonly queued: number
}

/** Resident memory is looked at so often, in ms: asking for it costs more than a turn of the loop. */
const rssMs = 1

/** Watches this process in every turn of its loop; the answer ends that, and tells. */
export function watchMemory(queued: () => number): () => Held {
  const before = process.memoryUsage.rss()
  const most = { rss: 0, queued: 0 }
  let turn: NodeJS.Immediate
  let next = 0
  const look = (): void => {
    most.queued = Math.max(most.queued, queued())
    const now = performance.now()
    if (now >= next) {
      next = now + rssMs
      most.rss = Math.max(most.rss, process.memoryUsage.rss() - before)
    }
    turn = setImmediate(look)
  }
  look()
  return () => {
    clearImmediate(turn)
    return most
  }
}

/** What both ends of a carrier held. */
export interface TransferMemory {
  readonly carrier: Carrier
  readonly receiver: Held
  readonly sender: Held
}
