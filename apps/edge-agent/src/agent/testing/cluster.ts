// Real agents in this process, for tests: each with a state folder of its own, on loopback, found by address.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runAgent, type RunOptions } from '../run.ts'
import { AskedAgent } from './askedAgent.ts'

/** An agent that runs. */
export class TestAgent extends AskedAgent implements AsyncDisposable {
  #over = new AbortController()
  #running: Promise<void> = Promise.resolve()

  /** Starts it, and waits until it listens. */
  async start(options: Partial<RunOptions> = {}): Promise<this> {
    const listening = this.nextListening()
    this.#running = runAgent({
      folder: this.folder,
      host: '127.0.0.1',
      mdns: false,
      signal: this.#over.signal,
      log: (line) => this.lines.push(line),
      listening: (at) => this.listens(at),
      ...options,
    })
    await Promise.race([listening, this.#running])
    return this
  }

  /** Ends it; it can be started again. */
  async stop(): Promise<void> {
    this.#over.abort()
    await this.#running
    this.#over = new AbortController()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** Agents `n1` to `n…`, each a cluster of its own. */
export async function startAgents(
  root: string,
  count: number,
  options: Partial<RunOptions> = {},
): Promise<readonly TestAgent[]> {
  const names = Array.from({ length: count }, (_, i) => `n${i + 1}`)
  return Promise.all(names.map((name) => new TestAgent(join(root, name)).start({ name, ...options })))
}

/** Ends agents, and removes what they kept. */
export async function endAgents(root: string, agents: readonly TestAgent[]): Promise<void> {
  await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()))
  await rm(root, { recursive: true, force: true })
}
