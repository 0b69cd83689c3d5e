// The program of a near end: a process that does works over its connections, and tells what they take.
import type { NodeCredentials } from '@shoal/distributed/node'
import type { Caller } from './carrier.ts'
import { type CarrierName, carrierOf } from './carriers/all.ts'
import { type Held, watchMemory } from './memory.ts'
import { answering } from './otherProcess.ts'
import { processorMs, type Spent } from './rounds.ts'
import type { ClusterPlace, ClusterSession } from './sessions.ts'
import type { WireWork } from './works.ts'

/** What it is asked. */
export type NearQuestion =
  /** Calls a carrier from now on. */
  | {
      readonly ask: 'connect'
      readonly carrier: CarrierName
      readonly address: string
      readonly credentials: NodeCredentials
    }
  /** Opens a session on a cluster: it is the worker at the last address. */
  | { readonly ask: 'join'; readonly place: ClusterPlace }
  /** Does a work so many times: what one took, of this process's processor time. */
  | { readonly ask: 'sample'; readonly work: WireWork; readonly repeats: number }
  | { readonly ask: 'watch' }
  | { readonly ask: 'watched' }

let dial: () => Promise<Caller>
let session: ClusterSession | undefined
const callers: Caller[] = []
/** The run that was made last, and of which work. */
let ready: { readonly name: string; readonly run: () => Promise<void> } | undefined
let watched: () => Held

answering<NearQuestion>(async (question) => {
  switch (question.ask) {
    case 'connect': {
      const { carrier, address, credentials } = question
      dial = () => carrierOf(carrier).connect(address, credentials)
      return undefined
    }
    case 'join':
      session = await (await import('./sessions.ts')).ClusterSession.open(question.place)
      return undefined
    case 'sample':
      return sample(question.work, question.repeats)
    case 'watch':
      watched = watchMemory(() => 0)
      return undefined
    case 'watched':
      return watched()
  }
})

async function sample(work: WireWork, repeats: number): Promise<Spent> {
  if (ready?.name !== work.name)
    ready = { name: work.name, run: await (session ? ofSession(session, work) : ofCallers(work)) }
  const { run } = ready
  const cpu = processorMs()
  const start = performance.now()
  for (let i = 0; i < repeats; i++) await run()
  const ms = performance.now() - start
  return { ms: ms / repeats, cpuMs: (processorMs() - cpu) / repeats }
}

async function ofSession(open: ClusterSession, work: WireWork): Promise<() => Promise<void>> {
  switch (work.kind) {
    case 'rows':
      return open.rows(work.rows, work.columns)
    case 'nullStep':
      return open.nullStep(work.peers)
    case 'dense':
      return open.dense(work.bytes)
    default:
      throw new Error(`${work.name} is no work of a session`)
  }
}

/** The work as calls. */
async function ofCallers(work: WireWork): Promise<() => Promise<void>> {
  const count = work.kind === 'nullStep' ? work.peers : 1
  while (callers.length < count) callers.push(await dial())
  const peers = callers.slice(0, count)
  const [caller] = peers
  switch (work.kind) {
    case 'pull':
      return () => caller!.pull(work.bytes)
    case 'echo':
      return () => caller!.echo()
    case 'nullStep':
      return async () => {
        await Promise.all(peers.map((peer) => peer.pull(4)))
        await Promise.all(peers.map((peer) => peer.push(4)))
      }
    case 'dense':
      return async () => {
        await caller!.pull(work.bytes)
        await caller!.push(work.bytes)
      }
    case 'rows':
      throw new Error('rows are fetched by a session')
  }
}
