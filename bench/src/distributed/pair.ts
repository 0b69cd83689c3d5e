// Who takes part: two processes, one that serves and one that asks. Nobody shares them, so that nobody pays for another's garbage.
import type { NodeCredentials } from '@shoal/distributed/node'
import type { Carrier } from './carrier.ts'
import type { FarQuestion } from './far.ts'
import type { Held, TransferMemory } from './memory.ts'
import type { NearQuestion } from './near.ts'
import { OtherProcess } from './otherProcess.ts'
import type { Sampler, Spent } from './rounds.ts'
import { freeAddresses } from './addresses.ts'
import type { ClusterPlace } from './sessions.ts'
import type { WireWork } from './works.ts'

/** Parameter servers, all in one process. */
const tasks = 16

/** Bytes that are fetched at a time when memory is watched, and how often. */
const [watchedBytes, watchedPulls] = [64 * 2 ** 20, 4]

/** A near and a far process. */
export class Pair {
  readonly #near = new OtherProcess<NearQuestion>(new URL('near.ts', import.meta.url))
  readonly #far = new OtherProcess<FarQuestion>(new URL('far.ts', import.meta.url))

  private constructor() {}

  /** Two processes with a carrier between them. Threads all live in the near one. */
  static async of({ name, link }: Carrier, credentials: NodeCredentials): Promise<Pair> {
    const pair = new Pair()
    const carrier = { name, link }
    const address = (await pair.#far.ask({ ask: 'serve', carrier, credentials })) as string
    await pair.#near.ask({ ask: 'connect', carrier, address, credentials })
    return pair
  }

  /** A cluster: parameter servers in the far process, the worker with its session in the near one. */
  static async ofTasks(link: ClusterPlace['link'], credentials: NodeCredentials): Promise<Pair> {
    const pair = new Pair()
    const place = { addresses: await freeAddresses(tasks + 1), link, credentials }
    await pair.#far.ask({ ask: 'tasks', place })
    await pair.#near.ask({ ask: 'join', place })
    return pair
  }

  /** Does a work: the answer tells the processor time of both. */
  sampler(work: WireWork): Sampler {
    return async (repeats) => {
      const before = (await this.#far.ask({ ask: 'cpu' })) as number
      const { ms, cpuMs } = (await this.#near.ask({ ask: 'sample', work, repeats })) as Spent
      const after = (await this.#far.ask({ ask: 'cpu' })) as number
      return { ms, cpuMs: cpuMs + (after - before) / repeats }
    }
  }

  /** What both hold at most while 64 MiB are fetched four times. */
  async memory(): Promise<Omit<TransferMemory, 'carrier'>> {
    const work = { kind: 'pull', link: 'TLS', bytes: watchedBytes, name: 'watched', title: '' } as const
    // Connected, and the memory of the tensor is there.
    await this.#near.ask({ ask: 'sample', work: { ...work, bytes: 2 ** 16, name: 'small' }, repeats: 20 })
    await this.#near.ask({ ask: 'sample', work, repeats: 1 })
    await this.#near.ask({ ask: 'watch' })
    await this.#far.ask({ ask: 'watch' })
    await this.#near.ask({ ask: 'sample', work, repeats: watchedPulls })
    const sender = (await this.#far.ask({ ask: 'watched' })) as Held
    const receiver = (await this.#near.ask({ ask: 'watched' })) as Held
    return { receiver, sender }
  }

  async close(): Promise<void> {
    await this.#near.close()
    await this.#far.close()
  }
}
