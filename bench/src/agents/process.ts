// An agent as people have it: `shoal up` in a process of its own, with a state folder of its own, on loopback.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Agent, type NodeView } from 'shoal/client'

const command = fileURLToPath(import.meta.resolve('shoal/main'))
/** The system counts processor time in such parts of a second. */
const ticksPerSecond = 100

/** What a process has used. */
export interface Usage {
  readonly residentBytes: number
  readonly processorMs: number
}

/** An agent in a process of its own. */
export class AgentProcess implements AsyncDisposable {
  readonly name: string
  readonly #folder: string
  #child: ChildProcess | undefined
  #lines: Interface | undefined
  #agent: Agent | undefined

  /** @param folder where it keeps its state. */
  constructor(name: string, folder: string) {
    this.name = name
    this.#folder = folder
  }

  /** Starts it. Settles when it listens, with the milliseconds that it took. @throws Error with what it said, where it ends. */
  async start(): Promise<number> {
    const began = performance.now()
    const words = ['up', '--json', '--host', '127.0.0.1', '--name', this.name, '--folder', this.#folder]
    const child = spawn(process.execPath, ['--conditions=@shoal/source', command, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let said = ''
    child.stderr.on('data', (chunk) => (said += chunk))
    this.#lines = createInterface(child.stdout)
    const [line] = await Promise.race([once(this.#lines, 'line'), once(child, 'exit').then(() => [])])
    if (line === undefined) throw new Error(`the agent ${this.name} ended: ${said}`)
    return performance.now() - began
  }

  /** All nodes that it knows. @throws where it does not answer; the next question is asked over another connection. */
  async nodes(): Promise<readonly NodeView[]> {
    try {
      return (await (await this.agent()).nodes()).nodes
    } catch (error) {
      await this.hangUp()
      throw error
    }
  }

  /** How many others it trusts. */
  async trusted(): Promise<number> {
    return (await this.nodes()).filter(({ state }) => state === 'trusted').length
  }

  /** What it is asked by. */
  async agent(): Promise<Agent> {
    this.#agent ??= await Agent.connect(this.#folder)
    return this.#agent
  }

  /** Takes it into the cluster of another one, where it begins anew; settles when it listens there. */
  async join(other: AgentProcess): Promise<void> {
    const { code } = await (await other.agent()).invite('manager', 5)
    const again = once(this.#lines!, 'line')
    await (await this.agent()).join(code)
    await this.hangUp()
    await again
  }

  /** What its process has used, as the system counts it: Linux alone tells. */
  usage(): Usage {
    const { pid } = this.#child!
    const { groups } = /VmRSS:\s+(?<kib>\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
    // The name of the program stands in brackets, and may hold blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { residentBytes: Number(groups!['kib']) * 1024, processorMs: (ticks * 1000) / ticksPerSecond }
  }

  /** Sends its process a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal)
  }

  /** Ends it in the way of the signal, and waits until it is gone. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.hangUp()
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  /** Ends the connection by which it is asked; the next question opens another one. */
  async hangUp(): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]()
    this.#agent = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end('SIGKILL')
  }
}
