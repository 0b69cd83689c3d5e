// The program of a far end: a process that serves what it is asked to, and tells what that costs it.
import type { NodeCredentials } from '@shoal/distributed/node'
import type { Served } from './carrier.ts'
import { sourceBytes } from './carrier.ts'
import { carriers } from './carriers/all.ts'
import { watchMemory } from './memory.ts'
import { serveTasks } from './sessions.ts'

/** What it is asked. */
export type Question =
  /** Where are these carriers, and these tasks of a cluster? */
  | {
      readonly ask: 'serve'
      /** Names with their links. */
      readonly carriers: readonly (readonly [name: string, link: string])[]
      readonly tasks: readonly string[]
      readonly credentials: NodeCredentials
    }
  /** How much processor time was taken, in ms? */
  | { readonly ask: 'cpu' }
  /** From now on, the most that is held. */
  | { readonly ask: 'watch' }
  | { readonly ask: 'watched' }

const served: Served[] = []
let watched = (): { readonly rss: number; readonly queued: number } => ({ rss: 0, queued: 0 })

async function answer(question: Question): Promise<unknown> {
  switch (question.ask) {
    case 'serve': {
      // Whatever is sent was written before.
      sourceBytes(1)
      for (const [name, link] of question.carriers) {
        const carrier = carriers.find((each) => each.name === name && each.link === link)!
        served.push(await carrier.serve!(question.credentials))
      }
      await serveTasks(question.tasks, question.credentials)
      return served.map(({ address }) => address)
    }
    case 'cpu': {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    }
    case 'watch':
      watched = watchMemory(() => served.reduce((sum, { queued }) => sum + (queued?.() ?? 0), 0))
      return null
    case 'watched':
      return watched()
  }
}

process.on('message', (question: Question) => {
  void answer(question).then((told) => process.send!(told))
})
process.once('disconnect', () => process.exit())
