// The threads of this process: as many as devices ask for, shared by all devices that ask for the same number, asleep while there is nothing to do.
import { ClosedError, InternalError, ValueError } from '@shoal/core'
import { poolWord } from './control.ts'
import type { FromWorker, ToWorker } from './worker.ts'

/** One thread, in Node or in a browser. */
interface Thread {
  post(message: ToWorker): void
  listen(receive: (message: FromWorker) => void, fail: (error: Error) => void): void
  /** Has it ended? Known before anything is heard of it, as its end is an event and the thread that waits for a chunk hears none. */
  hasEnded(): boolean
  /** Must the process stay alive for it? */
  hold(on: boolean): void
  end(): Promise<void>
}

interface Waiting {
  readonly program: number
  resolve(): void
  reject(error: Error): void
}

/** The pools of this process by what they were asked for with. */
const pools = new Map<string, Pool>()

/** Threads besides the calling one. Each has all Programs of the devices that share the pool. */
export class Pool {
  readonly helpers: number
  readonly #key: string
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #workers: readonly Thread[]
  #waiting: Waiting[] = []
  #holding = false
  #users = 0
  #programs = 0
  #failure: Error | undefined

  /**
   * The pool of so many threads, the calling one included; started if nobody has it. Whoever enters has to leave.
   * @param code where the code of a thread is; by default beside this module.
   * @throws ValueError when threads cannot be started from such a URL
   */
  static enter(threads: number, code?: URL): Pool {
    const key = `${threads} ${code ?? ''}`
    let pool = pools.get(key)
    if (!pool) pools.set(key, (pool = new Pool(threads - 1, key, code)))
    pool.#users++
    return pool
  }

  private constructor(helpers: number, key: string, code: URL | undefined) {
    this.helpers = helpers
    this.#key = key
    const words = new SharedArrayBuffer(4 * (poolWord.loaded + helpers))
    this.#words = new Int32Array(words)
    this.#workers = Array.from({ length: helpers }, (_, thread) => {
      const worker = startThread(code)
      worker.listen(
        ({ error }) =>
          error === undefined ? this.#settle() : this.#fail(`could not load a Program: ${error}`),
        (error) =>
          this.#fail(
            `ended: ${error.message}; the option \`worker\` says where the code of threads is`,
            error,
          ),
      )
      worker.post({ kind: 'start', words, thread })
      return worker
    })
  }

  /** Ends the threads when the last one leaves. */
  async leave(): Promise<void> {
    if (--this.#users > 0) return
    if (pools.get(this.#key) === this) pools.delete(this.#key)
    this.#failure ??= new ClosedError('the cpu device was disposed')
    this.#settle()
    await Promise.all(this.#workers.map((worker) => worker.end()))
  }

  /** A number for the next Program. */
  nextProgram(): number {
    return ++this.#programs
  }

  /** Sends a Program to every thread; those of smaller numbers have been sent by then. */
  load(program: number, module: WebAssembly.Module, memory: WebAssembly.Memory): void {
    this.#post({ kind: 'load', program, module, memory })
  }

  /** Lets the threads drop Programs that will not run again. */
  forget(programs: readonly number[]): void {
    if (programs.length > 0) this.#post({ kind: 'forget', programs })
  }

  /** Does every thread have a Program? From when a thread has ended, or cannot have one, there are no threads to share with. */
  has(program: number): boolean {
    if (this.#failure) return false
    for (let thread = 0; thread < this.helpers; thread++)
      if (Atomics.load(this.#words, poolWord.loaded + thread) < program) return false
    return true
  }

  /**
   * Resolves when every thread has a Program.
   * @throws InternalError when a thread has ended, or cannot have one, and ClosedError when the pool ends before
   */
  whenLoaded(program: number): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#waiting.push({ program, resolve, reject })
      this.#settle()
    })
  }

  /** Wakes threads to join a Program. */
  wake(program: number, threads: number): void {
    Atomics.store(this.#words, poolWord.program, program)
    Atomics.add(this.#words, poolWord.epoch, 1)
    Atomics.notify(this.#words, poolWord.epoch, threads)
  }

  /** How many threads have ended. */
  get ended(): number {
    return this.#workers.filter((worker) => worker.hasEnded()).length
  }

  /** Gives the threads up, as one has ended that had taken a chunk, and says so. */
  lose(): Error {
    this.#fail(
      'ended while it computed part of a kernel, which is lost; the calling thread goes on alone. Threads end when ' +
        'they are terminated, or run out of memory',
    )
    return this.#failure!
  }

  #post(message: ToWorker): void {
    for (const worker of this.#workers) worker.post(message)
    Atomics.add(this.#words, poolWord.posted, 1)
    Atomics.add(this.#words, poolWord.epoch, 1)
    Atomics.notify(this.#words, poolWord.epoch)
  }

  #fail(what: string, cause?: Error): void {
    this.#failure ??= new InternalError(`a thread of the cpu device ${what}`, cause && { cause })
    // The next device may have better luck.
    if (pools.get(this.#key) === this) pools.delete(this.#key)
    this.#settle()
  }

  #settle(): void {
    this.#waiting = this.#waiting.filter(({ program, resolve, reject }) => {
      if (this.#failure) reject(this.#failure)
      else if (this.has(program)) resolve()
      else return true
      return false
    })
    // The process stays alive for as long as somebody waits.
    const holding = this.#waiting.length > 0
    if (holding !== this.#holding) for (const worker of this.#workers) worker.hold(holding)
    this.#holding = holding
  }
}

/** A thread inherits the flags of its process; but one that says how the source on the command line is written would stop it. */
function inheritedFlags(): { execArgv?: string[] } {
  const { execArgv } = process
  if (!execArgv.some((flag) => flag.startsWith('--input-type'))) return {}
  return { execArgv: execArgv.filter((flag) => flag.startsWith('--conditions=')) }
}

/** Starts a thread with code from a URL; one that cannot be started from at all is the user's mistake. */
function startFrom<T>(code: URL | undefined, start: () => T): T {
  if (!code) return start()
  try {
    return start()
  } catch (cause) {
    throw new ValueError(
      `worker: no thread can be started from ${code.href} (${(cause as Error).message}); give the URL of a file that the page or process may load`,
      { cause },
    )
  }
}

function startThread(code: URL | undefined): Thread {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  if (node) {
    // Sources run as they are; what is published has been compiled.
    const beside = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
    const flags = inheritedFlags()
    const worker = startFrom(code, () => new node.Worker(new URL(code ?? beside, import.meta.url), flags))
    // Asks the thread itself, not what events have told of it. The first answer must come from a living thread for later ones to tell.
    const idleMs = (): number => worker.performance.eventLoopUtilization().idle
    return {
      post: (message) => worker.postMessage(message),
      listen: (receive, fail) => {
        worker
          .on('message', (message: FromWorker) => {
            idleMs()
            receive(message)
          })
          .on('error', fail)
        // A file of something else ends without an error.
        worker.on('exit', (code) => fail(new Error(`it exited with code ${code}`)))
        // Listening holds the process.
        worker.unref()
      },
      // Of a thread that is not there any more Node says that it was idle for −1 ms.
      hasEnded: () => idleMs() < 0,
      hold: (on) => (on ? worker.ref() : worker.unref()),
      end: async () => {
        // Otherwise the process may end before the thread has, and leave whoever waits for that alone.
        worker.ref()
        await worker.terminate()
      },
    }
  }
  // Bundlers know the second form, and make a file of the worker.
  const worker = code
    ? startFrom(code, () => new Worker(code, { type: 'module' }))
    : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  return {
    post: (message) => worker.postMessage(message),
    listen: (receive, fail) => {
      worker.addEventListener('message', (event) => receive(event.data as FromWorker))
      worker.addEventListener('error', (event) =>
        fail(new Error(event.message || 'its code could not be loaded')),
      )
    },
    // A page's threads end with it, or when this pool ends them.
    hasEnded: () => false,
    hold: () => {},
    end: async () => worker.terminate(),
  }
}
