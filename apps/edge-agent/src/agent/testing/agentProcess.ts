// Real agents in processes of their own, for tests of what becomes of a cluster when one of them is killed, stopped, or has a wrong clock.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'
import { ClusterAuthority } from '@shoal/distributed/peers'
import type { Role } from '../../api/node.ts'
import { Identity } from '../../identity/identity.ts'
import { certified } from '../../identity/membership.ts'
import { StateFolder } from '../../identity/stateFolder.ts'
import { machineKey, storeSpeed } from '../../machine/speedFile.ts'
import type { RunOptions } from '../run.ts'
import { AskedAgent, type Listening } from './askedAgent.ts'

const patience = { timeout: 10_000 }
const main = fileURLToPath(new URL('agentMain.ts', import.meta.url))

/** How to run an agent. */
export interface ProcessOptions extends Partial<Omit<RunOptions, 'signal' | 'log' | 'listening'>> {
  /** What comes before Node on the command line. Default: nothing. */
  readonly prefix?: readonly string[]
  /** Flags of Node besides. Default: none. */
  readonly flags?: readonly string[]
}

/** An agent that can be killed, stopped, continued, and started again in the same folder. */
export class AgentProcess extends AskedAgent implements AsyncDisposable {
  #child: ChildProcess | undefined

  /** Starts it, and waits until it listens. */
  async start({ prefix = [], flags = [], ...options }: ProcessOptions = {}): Promise<this> {
    const listening = this.nextListening()
    const run = { folder: this.folder, host: '127.0.0.1', mdns: false, ...options }
    const [command, ...args] = [
      ...prefix,
      process.execPath,
      '--conditions=@shoal/source',
      ...flags,
      main,
      JSON.stringify(run),
    ]
    const child = spawn(command!, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#child = child
    child.stderr!.setEncoding('utf8').on('data', (text: string) => this.lines.push(...text.split('\n')))
    child.on('message', (message: { readonly line?: string; readonly at?: Listening }) => {
      if (message.line !== undefined) this.lines.push(message.line)
      if (message.at) this.listens(message.at)
    })
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the agent of ${this.folder} has ended: ${this.lines.slice(-20).join('\n')}`)
    })
    // Looked at only until it listens.
    ended.catch(() => undefined)
    await Promise.race([listening, ended])
    return this
  }

  /** Sends its process a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal)
  }

  /** As `kill -9`; settles when the process is gone. */
  async kill(): Promise<void> {
    const gone = once(this.#child!, 'exit')
    this.signal('SIGKILL')
    await gone
  }

  /** The processes of tasks that belong to its folder, whoever is their parent by now. */
  async taskProcesses(): Promise<readonly number[]> {
    const tasks = join(this.folder, 'tasks')
    const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const lines = await Promise.all(
      numbers.map((number) => readFile(`/proc/${number}/cmdline`, 'utf8').catch(() => '')),
    )
    return numbers.filter((_, i) => lines[i]!.includes(tasks)).map(Number)
  }

  /** Asks it to end, as Ctrl-C does, and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    // One that was stopped hears nothing.
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    await gone
  }
}

/** Agents of one cluster that have not been started: each node with its name and role. */
export async function newCluster(
  root: string,
  roles: Readonly<Record<string, Role>>,
): Promise<readonly AgentProcess[]> {
  // Of yesterday, so that a clock that is an hour off is not before the beginning of the cluster.
  const authority = await ClusterAuthority.create({ from: new Date(Date.now() - 86_400_000) })
  return Promise.all(
    Object.entries(roles).map(async ([nodeId, role]) => {
      const folder = join(root, nodeId)
      const identity = await Identity.open(await StateFolder.open(folder), { name: nodeId })
      await identity.adopt({
        credentials: await certified(authority, { nodeId, role }),
        ...(role === 'manager' && { authorityKey: authority.export().privateKey }),
      })
      await assumeSpeed(folder)
      return new AgentProcess(folder)
    }),
  )
}

/** Starts them, and waits until each trusts all others. */
export async function startAll(agents: readonly AgentProcess[], options: ProcessOptions = {}): Promise<void> {
  const [first, ...others] = agents
  await first!.start(options)
  await Promise.all(others.map((agent) => agent.start({ ...options, peers: [first!.address] })))
  for (const agent of agents)
    await vi.waitFor(async () => expect(await agent.trusted()).toHaveLength(others.length), patience)
}

/** Spares an agent its self-test. Those of a test are equally fast where it does not say otherwise: 10 GFLOP/s. */
export async function assumeSpeed(folder: string, gflops = 10): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const speed = { gflops, gigabytesPerSecond: 5 }
  await storeSpeed(folder, await machineKey(), { speed, adapters: [] })
}
