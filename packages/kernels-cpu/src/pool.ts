// A pool of threads over one shared memory: the calling thread cuts the work and takes its share, the others join in and sleep on a futex in between.
import { ClosedError, InternalError } from '@shoal/core'
import { controlOf, spins, takeChunks, word } from './control.ts'
import type { FromWorker, ToWorker } from './worker.ts'

/** The name under which a Program imports `fork(region, chunks)`. */
export const forkModule = 'pool'

/** One thread, in Node or in a browser. */
interface Thread {
  post(message: ToWorker): void
  listen(receive: (message: FromWorker) => void, fail: (error: Error) => void): void
  /** Must the process stay alive for it? */
  hold(on: boolean): void
  end(): Promise<void>
}

/** May this thread sleep? The main thread of a browser may not. */
const maySleep = typeof document === 'undefined'

/** Threads that share a memory. Made when the first Program needs them. */
export class Pool {
  readonly threads: number
  readonly #memory: WebAssembly.Memory
  readonly #control: Int32Array<ArrayBufferLike>
  readonly #workers: Thread[] = []
  readonly #waiting = new Map<
    number,
    { missing: number; resolve(program: number): void; reject(error: Error): void }
  >()
  readonly #forgotten: number[] = []
  readonly #registry = new FinalizationRegistry<number>((program) => this.#forgotten.push(program))
  #programs = 0
  closed = false

  /** @param threads all threads, the calling one included. */
  constructor(threads: number, memory: WebAssembly.Memory) {
    this.threads = threads
    this.#memory = memory
    this.#control = controlOf(memory)
  }

  /** Hands a module with a function `work(region, chunk)` to every thread; answers its number when all have it. @throws ClosedError */
  load(module: WebAssembly.Module): Promise<number> {
    if (this.closed) return Promise.reject(new ClosedError('the cpu device was disposed'))
    this.#start()
    const program = ++this.#programs
    const forget = this.#forgotten.splice(0)
    const loaded = new Promise<number>((resolve, reject) => {
      this.#waiting.set(program, { missing: this.#workers.length, resolve, reject })
    })
    for (const worker of this.#workers) {
      worker.hold(true)
      worker.post({ program, module, forget })
    }
    Atomics.add(this.#control, word.posted, 1)
    this.#wake()
    return loaded.finally(() => {
      if (this.#waiting.size === 0) for (const worker of this.#workers) worker.hold(false)
    })
  }

  /** Lets the threads drop a Program once `owner` is gone. */
  forgetWith(owner: object, program: number): void {
    this.#registry.register(owner, program)
  }

  /** Computes all chunks of a region of a loaded Program, and returns when they are done. */
  fork(program: number, region: number, chunks: number, work: (region: number, chunk: number) => void): void {
    const control = this.#control
    Atomics.store(control, word.program, program)
    Atomics.store(control, word.region, region)
    Atomics.store(control, word.pending, chunks)
    Atomics.store(control, word.remaining, chunks)
    this.#wake()
    takeChunks(control, (_, current, chunk) => work(current, chunk))
    this.#join()
    if (Atomics.exchange(control, word.failed, 0) !== 0)
      throw new InternalError(`region ${region} of program ${program} failed on a thread of the cpu device`)
  }

  /** Ends all threads. */
  async dispose(): Promise<void> {
    this.closed = true
    for (const { reject } of this.#waiting.values()) reject(new ClosedError('the cpu device was disposed'))
    this.#waiting.clear()
    await Promise.all(this.#workers.splice(0).map((worker) => worker.end()))
  }

  #wake(): void {
    Atomics.add(this.#control, word.epoch, 1)
    Atomics.notify(this.#control, word.epoch)
  }

  #join(): void {
    const control = this.#control
    for (let looks = 0; ; looks++) {
      const pending = Atomics.load(control, word.pending)
      if (pending === 0) return
      if (looks > spins && maySleep) Atomics.wait(control, word.pending, pending)
    }
  }

  #start(): void {
    while (this.#workers.length < this.threads - 1) {
      const worker = startThread()
      worker.listen(
        ({ program, error }) => this.#answered(program, error),
        (error) => this.#fail(error),
      )
      worker.post({ memory: this.#memory })
      this.#workers.push(worker)
    }
  }

  #answered(program: number, error: string | undefined): void {
    const waiting = this.#waiting.get(program)
    if (!waiting) return
    if (error === undefined && --waiting.missing > 0) return
    this.#waiting.delete(program)
    if (error === undefined) waiting.resolve(program)
    else waiting.reject(new InternalError(`a thread of the cpu device could not load a program: ${error}`))
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values())
      reject(new InternalError(`a thread of the cpu device ended: ${error.message}`, { cause: error }))
    this.#waiting.clear()
  }
}

/** A thread inherits the flags of its process; but one that says how the source on the command line is written would stop it. */
function inheritedFlags(): { execArgv?: string[] } {
  const { execArgv } = process
  if (!execArgv.some((flag) => flag.startsWith('--input-type'))) return {}
  return { execArgv: execArgv.filter((flag) => flag.startsWith('--conditions=')) }
}

function startThread(): Thread {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  if (node) {
    // Sources run as they are; what is published has been compiled.
    const source = import.meta.url.endsWith('/pool.ts')
    const url = source
      ? import.meta.url.replace(/pool\.ts$/, 'worker.ts')
      : new URL('./worker.js', import.meta.url)
    const worker = new node.Worker(new URL(url), inheritedFlags())
    worker.unref()
    return {
      post: (message) => worker.postMessage(message),
      listen: (receive, fail) => void worker.on('message', receive).on('error', fail),
      hold: (on) => (on ? worker.ref() : worker.unref()),
      end: async () => void (await worker.terminate()),
    }
  }
  // Bundlers know this form, and make a file of the worker.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  return {
    post: (message) => worker.postMessage(message),
    listen: (receive, fail) => {
      worker.addEventListener('message', (event) => receive(event.data as FromWorker))
      worker.addEventListener('error', (event) => fail(new Error(event.message)))
    },
    hold: () => {},
    end: async () => worker.terminate(),
  }
}
