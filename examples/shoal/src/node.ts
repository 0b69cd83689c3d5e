// A node as the main job sees it: a process that runs an agent, and the questions that can be put to that agent.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Agent } from 'shoal/client'
import type { Network } from './network.ts'

/** Milliseconds that an agent has to end its tasks and itself. */
const endingMs = 15_000
/** Lines of an agent that are kept, to be shown when it has ended by itself. */
const keptLines = 20

/** Where and as what a node is started. */
export interface NodeOptions {
  readonly name: string
  /** Its state is kept in a folder of its own in this one. */
  readonly folder: string
  readonly network: Network
  /** Which machine of the network it is, from 0. */
  readonly machine: number
  /** Told when the process ends by itself. */
  readonly onLost: (error: Error) => void
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal
}

/** What an agent says as soon as it listens. */
export interface Listening {
  readonly nodeId: string
  readonly address: string
}

/** An agent in a process of its own. */
export class Node implements AsyncDisposable {
  readonly name: string
  /** Its state folder, which holds what it takes to speak to it. */
  readonly folder: string
  /** Its name in the cluster, and where it listens, once it does; rejects when it ends before. */
  readonly listening: Promise<Listening>
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  readonly #lines: string[] = []
  #isEnding = false

  constructor({ name, folder, network, machine, onLost, signal }: NodeOptions) {
    this.name = name
    this.folder = join(folder, name)
    const [command, ...args] = network.on(machine, process.execPath, [
      '--conditions=@shoal/source',
      fileURLToPath(new URL('agent.ts', import.meta.url)),
      '--folder',
      this.folder,
      '--name',
      name,
      '--host',
      network.address(machine),
    ])
    // A group of its own: Ctrl-C is for the main job, which ends its agents in order.
    const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    this.#child = child
    this.#closed = new Promise((resolve) => child.once('close', resolve).once('error', resolve))
    // Who is gone cannot be told to end.
    child.stdin.on('error', () => undefined)
    process.once('exit', this.#kill)
    createInterface(child.stderr).on('line', (line) => {
      this.#lines.push(line)
      this.#lines.splice(0, this.#lines.length - keptLines)
    })
    const ended = this.#closed.then(() => {
      const error = new Error([`the agent of ${name} has ended by itself`, ...this.#lines].join('\n  '))
      if (!this.#isEnding) onLost(error)
      throw error
    })
    const said = once(createInterface(child.stdout), 'line', { signal })
    this.listening = Promise.race([said.then(([line]) => JSON.parse(line as string) as Listening), ended])
    // Whoever does not wait for it hears of it by onLost.
    this.listening.catch(() => undefined)
    ended.catch(() => undefined)
  }

  /** Asks the agent something. @throws NoAgentError where it does not answer, as while it becomes a node of another cluster. */
  async ask<T>(question: (agent: Agent) => Promise<T>, signal: AbortSignal): Promise<T> {
    await using agent = await Agent.connect(this.folder, signal)
    return await question(agent)
  }

  /** Ends the agent and all its tasks. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    this.#child.stdin?.end()
    const late = setTimeout(this.#kill, endingMs)
    await this.#closed
    clearTimeout(late)
    process.off('exit', this.#kill)
  }

  /** Its tasks end by themselves when it is gone. */
  readonly #kill = (): void => void this.#child.kill('SIGKILL')
}
