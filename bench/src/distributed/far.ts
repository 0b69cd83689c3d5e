// The program of a far end: a process that serves, and tells what that costs it.
import type { NodeCredentials } from '@shoal/distributed/node'
import type { Served } from './carrier.ts'
import { carrierOf } from './carriers/all.ts'
import type { CarrierName } from './carriers/all.ts'
import { type Held, watchMemory } from './memory.ts'
import { answering } from './otherProcess.ts'
import { processorMs } from './rounds.ts'
import type { ClusterPlace } from './sessions.ts'

/** What it is asked. */
export type FarQuestion =
  /** Serves a carrier; the answer is its address. */
  | { readonly ask: 'serve'; readonly carrier: CarrierName; readonly credentials: NodeCredentials }
  /** Serves parameter servers of a cluster. */
  | { readonly ask: 'tasks'; readonly place: ClusterPlace }
  /** How much processor time was taken, in ms? */
  | { readonly ask: 'cpu' }
  /** Watches its memory from now on. */
  | { readonly ask: 'watch' }
  /** The most that it held. */
  | { readonly ask: 'watched' }

let served: Served = { address: '' }
let watched: () => Held

answering<FarQuestion>(async (question) => {
  switch (question.ask) {
    case 'serve':
      served = (await carrierOf(question.carrier).serve?.(question.credentials)) ?? served
      return served.address
    case 'tasks':
      return (await import('./sessions.ts')).serveTasks(question.place)
    case 'cpu':
      return processorMs()
    case 'watch':
      watched = watchMemory(() => served.queued?.() ?? 0)
      return undefined
    case 'watched':
      return watched()
  }
})
