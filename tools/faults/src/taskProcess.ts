// One process of a cluster, as the suite has it: it can be killed, stopped and continued, and what it tells can be waited for.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { News, TaskOptions } from './protocol.ts'

/** Where and how a process runs. */
export interface Surroundings {
  /** What comes before the program: `['ip', 'netns', 'exec', 'a']`. Default: nothing. */
  readonly prefix?: readonly string[]
  /** Flags of Node besides. Default: none. */
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const program = fileURLToPath(new URL('task.ts', import.meta.url))

/** A process of a cluster. */
export class TaskProcess {
  /** `worker-1`. */
  readonly name: string
  readonly pid: number
  /** Settles with its exit code, or with the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  private readonly child: ChildProcess

  /** @param hear is told everything that the process tells. */
  constructor(
    options: TaskOptions,
    { prefix = [], flags = [], env = {} }: Surroundings,
    hear: (news: News) => void,
  ) {
    this.name = `${options.job}-${options.task}`
    const [command, ...args] = [
      ...prefix,
      process.execPath,
      '--conditions=@shoal/source',
      ...flags,
      program,
      JSON.stringify(options),
    ]
    this.child = spawn(command!, args, {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    })
    this.pid = this.child.pid!
    // What it says to nobody in particular is heard as well: a process that dies of an error says so there.
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line.trim()) hear({ kind: 'log', line: `stderr: ${line}` })
    })
    this.child.on('message', hear)
    this.ended = once(this.child, 'exit').then(
      ([code, signal]) => (signal ?? code) as number | NodeJS.Signals,
    )
  }

  /** Sends it a signal; nothing where it has ended. */
  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
}
