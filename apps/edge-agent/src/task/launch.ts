// A task as its agent sees it: a process that can do nothing but compute, and ask its agent.
import { type Clock, callMethod, connectSocket, type Connection, systemClock } from '@shoal/distributed/peers'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, realpath, rm, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { livingCall, peerNamed, pipeFd, pipeFrames, stopCall, type HandedOver } from './calls.ts'
import { ChannelGuard } from './channelGuard.ts'
import {
  boundToThisProcess,
  checkEngine,
  confinedArguments,
  confinedEnvironment,
  type TaskFiles,
} from './command.ts'
import { LaunchError } from './errors.ts'
import { gpuGrant, type GpuGrant } from './gpu.ts'
import { type TaskLimits, watchLimits } from './limits.ts'
import { eachLine } from './lines.ts'
import { taskMethods } from './serveTask.ts'
import type { Assignment, RunningTask, TaskEnd, TaskServices } from './services.ts'
import { endFirst } from './processes.ts'
import { recordProcess } from './strays.ts'
import { verdictOf } from './verdict.ts'

/** What to run, and how. */
export interface LaunchOptions {
  readonly assignment: Assignment
  /** One file of JavaScript, a module, as `bundleProgram` makes it. */
  readonly program: Uint8Array
  /** Of this task alone: it is made, and removed when the task has ended. */
  readonly folder: string
  readonly services: TaskServices
  readonly limits: TaskLimits
  /** Bytes of the task's streams, as whoever makes them counts them. Default: none. */
  readonly traffic?: RunningTask['traffic']
  /** Default: the system's. */
  readonly clock?: Clock
}

/** Code that runs before the program, beside this file whether that is a source or as it is published. */
const beside = (name: string): URL => new URL(`./${name}${import.meta.url.slice(-3)}`, import.meta.url)
/** How long its process may take to begin to speak; a small machine that is busy reads a bundle slowly. */
const startMs = 60_000
/** How long a process may go on when its program has ended. */
const lingerMs = 2000
/** How long a task may take to listen to what it is told: it may be computing. */
const heardMs = 86_400_000
/** Computing yields to whatever else the machine does, its agent first. */
const niceness = 5
/** So many of the last lines that were written as errors are told of a task that died. */
const lastLines = 30

/** Starts a task in a process of its own. @throws LaunchError where it cannot be started. */
export async function launchTask(options: LaunchOptions): Promise<RunningTask> {
  checkEngine()
  const gpu = gpuGrant(options.assignment)
  let child: ChildProcess | undefined
  try {
    const files = await prepare(options, gpu)
    const [command, ...args] = [
      ...(await boundToThisProcess()),
      process.execPath,
      ...confinedArguments(files, options.limits.memoryBytes, gpu),
    ]
    child = spawn(command!, args, {
      cwd: files.work,
      env: confinedEnvironment(files, gpu),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      serialization: 'advanced',
      // A group of its own: Ctrl-C is for the agent.
      detached: true,
    })
    // Rejects with what keeps it from being started.
    await once(child, 'spawn')
    return new ConfinedTask(child, files, options)
  } catch (thrown) {
    child?.kill('SIGKILL')
    await rm(options.folder, { recursive: true, force: true }).catch(() => undefined)
    if (thrown instanceof LaunchError) throw thrown
    throw new LaunchError(`a task cannot be started: ${(thrown as Error).message}`, { cause: thrown })
  }
}

async function prepare({ folder, program }: LaunchOptions, gpu: GpuGrant | undefined): Promise<TaskFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const own = await realpath(folder)
  const files = { folder: own, work: join(own, 'work'), main: join(own, 'confine.mjs') }
  await mkdir(files.work, { mode: 0o700 })
  await copyFile(beside('confine'), files.main)
  if (gpu) await copyFile(beside('openGpu'), join(own, 'openGpu.mjs'))
  await writeFile(join(own, 'program.mjs'), program)
  return files
}

class ConfinedTask implements RunningTask {
  readonly assignment: Assignment
  readonly ended: Promise<TaskEnd>
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly #traffic: RunningTask['traffic']
  readonly #guard: ChannelGuard
  readonly #connection: Promise<Connection>
  /** What calls off a timer. */
  readonly #disarm: (() => void)[] = []
  readonly #errors: string[] = []
  #told: TaskEnd | undefined
  #fault: string | undefined

  constructor(child: ChildProcess, files: TaskFiles, options: LaunchOptions) {
    const { assignment, services, limits, clock = systemClock, traffic } = options
    this.assignment = assignment
    this.#child = child
    this.#clock = clock
    this.#traffic = traffic ?? (() => ({ sent: 0, received: 0 }))
    this.#guard = new ChannelGuard(child, ({ message }) => this.#end(`it misused its channel: ${message}`))
    setPriority(child.pid!, niceness)
    void endFirst(child.pid!)
    eachLine(child.stdout!, clock, (line) => services.log('stdout', line))
    eachLine(child.stderr!, clock, (line) => {
      services.log('stderr', line)
      this.#errors.push(line)
      if (this.#errors.length > lastLines) this.#errors.shift()
    })
    this.#connection = this.#open(services)
    // What keeps it from being opened ends the process, which is how it is told.
    this.#connection.catch(() => undefined)
    this.#disarm.push(
      watchLimits({
        pid: child.pid!,
        work: files.work,
        limits,
        clock,
        exceeded: (message) => this.#end(message),
      }),
    )
    this.ended = this.#gone(files, limits, recordProcess(files.folder, child.pid!))
  }

  incoming(fromTask: string, socket: Socket): void {
    this.#handOver({ from: fromTask }, socket)
  }

  living(tasks: readonly string[]): void {
    void this.#tell((connection) =>
      callMethod(connection, livingCall, { tasks: [...tasks] }, { deadlineMs: heardMs }),
    )
  }

  stop(reason: string, graceMs: number): void {
    const late = `it was told to stop (${reason}), and had not after ${graceMs / 1000} s`
    this.#disarm.push(this.#clock.after(graceMs, () => this.#end(late)))
    void this.#tell((connection) => callMethod(connection, stopCall, { reason }, { deadlineMs: heardMs }))
  }

  traffic(): { readonly sent: number; readonly received: number } {
    return this.#traffic()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end('its agent was closed')
    await this.ended
  }

  /** Opens the pipe. A process that does not speak is ended, and so is one that has said nonsense or has closed the pipe. */
  async #open(services: TaskServices): Promise<Connection> {
    const pipe = this.#child.stdio[pipeFd] as unknown as Socket
    const { jobId, task } = this.assignment
    const peer = peerNamed('task', `${jobId}/${task.job}:${task.index}`)
    const how = { deadlineMs: startMs, frames: pipeFrames, clock: this.#clock }
    try {
      const connection = await connectSocket(pipe, peer, how)
      connection.serve(
        taskMethods({
          assignment: this.assignment,
          services,
          clock: this.#clock,
          handOver: (what, socket) => this.#handOver(what, socket),
          ended: (end) => this.#hasEnded(end),
        }),
      )
      void connection.closed.then((error) =>
        this.#endSoon(`it broke off: ${error?.message ?? 'it closed its pipe'}`),
      )
      return connection
    } catch (thrown) {
      this.#endSoon(`it does not speak to its agent: ${(thrown as Error).message}`)
      throw thrown
    }
  }

  async #tell(call: (connection: Connection) => Promise<unknown>): Promise<void> {
    // Whoever is not there any more need not be told.
    await this.#connection.then(call).catch(() => undefined)
  }

  #handOver(what: HandedOver, socket: Socket): void {
    if (!this.#child.connected) {
      socket.destroy()
      return
    }
    this.#guard.allow()
    this.#child.send(what, socket, { keepOpen: false }, (error) => {
      if (error) socket.destroy()
    })
  }

  #hasEnded(end: TaskEnd): void {
    this.#told ??= end
    this.#disarm.push(this.#clock.after(lingerMs, () => this.#kill()))
  }

  /** Ends it, if it does not end by itself: the pipe of a process that dies is closed first, and its own last words say more. */
  #endSoon(fault: string): void {
    this.#disarm.push(this.#clock.after(lingerMs, () => this.#end(fault)))
  }

  #end(fault: string): void {
    if (this.#told === undefined) this.#fault ??= fault
    this.#kill()
  }

  #kill(): void {
    this.#child.kill('SIGKILL')
  }

  async #gone(files: TaskFiles, { memoryBytes }: TaskLimits, recorded: Promise<void>): Promise<TaskEnd> {
    const [code, signal] = (await once(this.#child, 'close')) as [number | null, string | null]
    for (const disarm of this.#disarm) disarm()
    await recorded.catch(() => undefined)
    await rm(files.folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined)
    return verdictOf({
      told: this.#told,
      fault: this.#fault,
      code,
      signal,
      errors: this.#errors,
      memoryBytes,
    })
  }
}
