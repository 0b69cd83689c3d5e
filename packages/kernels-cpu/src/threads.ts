// What a device has of the threads: the pool that it shares with others, the words of its own memory, and the Programs that it has sent.
import { InternalError } from '@shoal/core'
import { controlOf, finish, lostAfter, watchMs, word } from './control.ts'
import { Pool } from './pool.ts'

/** May this thread sleep? The main thread of a browser may not. */
const maySleep = typeof document === 'undefined'

/** A device's share of a pool, entered when its first Program is compiled. */
export class Threads {
  /** Threads besides the calling one. */
  readonly helpers: number
  readonly maySleep: boolean = maySleep
  readonly #enter: () => Pool
  readonly #memory: WebAssembly.Memory
  readonly #control: Int32Array<ArrayBufferLike>
  readonly #programs = new Set<number>()
  readonly #forgotten: number[] = []
  readonly #registry = new FinalizationRegistry<number>((program) => this.#forgotten.push(program))
  #pool: Pool | undefined
  #latest = 0
  #closed = false

  /**
   * @param threads all threads, the calling one included.
   * @param code where the code of a thread is; by default beside this module.
   */
  constructor(threads: number, memory: WebAssembly.Memory, code?: URL) {
    this.helpers = threads - 1
    this.#enter = () => Pool.enter(threads, code)
    this.#memory = memory
    this.#control = controlOf(memory)
  }

  /** A number for a Program that is about to be loaded. */
  nextProgram(): number {
    this.#pool ??= this.#enter()
    return this.#pool.nextProgram()
  }

  /** Sends a Program's module, made with `writeForkJoin`, to every thread. They drop it once `owner` is gone. */
  load(program: number, module: WebAssembly.Module, owner: object): void {
    const pool = this.#pool!
    const gone = this.#forgotten.splice(0)
    gone.forEach((number) => this.#programs.delete(number))
    pool.forget(gone)
    pool.load(program, module, this.#memory)
    this.#latest = program
    this.#programs.add(program)
    this.#registry.register(owner, program)
  }

  /** Do all threads have a Program? From when one has ended they never do, and the calling thread is alone. */
  have(program: number): boolean {
    return !this.#closed && this.#pool!.has(program)
  }

  /** Resolves when all threads have all Programs that were loaded so far. @throws InternalError when a thread has ended */
  async whenReady(): Promise<void> {
    if (this.#latest > 0) await this.#pool!.whenLoaded(this.#latest)
  }

  /** What a Program imports as `forkModule`. */
  imports(program: number): { wake(missing: number): void; fail(): never; stall(): void } {
    const pool = this.#pool!
    return {
      wake: (missing) => pool.wake(program, missing),
      stall: () => {
        if (pool.ended > 0 && this.#awaitOthers()) throw pool.lose()
      },
      fail: () => {
        Atomics.store(this.#control, word.failed, 0)
        throw new InternalError('part of a kernel failed on another thread of the cpu device')
      },
    }
  }

  /** Ends a region whose chunk failed on the calling thread: nobody takes another, and those that are being computed are waited for. */
  recover(): void {
    const control = this.#control
    const left = Math.max(0, Atomics.exchange(control, word.remaining, 0))
    if (Atomics.load(control, word.pending) === 0) return
    finish(control, left + 1)
    if (this.#awaitOthers()) this.#pool!.lose()
    Atomics.store(control, word.failed, 0)
  }

  /** Waits until no chunk is pending but those that threads had taken that have ended. @returns whether there are such */
  #awaitOthers(): boolean {
    const control = this.#control
    let [pending, quiet] = [Atomics.load(control, word.pending), 0]
    while (pending > 0) {
      if (maySleep) Atomics.wait(control, word.pending, pending, watchMs)
      const left = Atomics.load(control, word.pending)
      quiet = left === pending ? quiet + 1 : 0
      pending = left
      // Each of them had taken one at most; what is beyond that is being computed.
      if (quiet < lostAfter || pending > this.#pool!.ended) continue
      Atomics.store(control, word.pending, 0)
      return true
    }
    return false
  }

  /** Leaves the pool; the last one out ends its threads. */
  async dispose(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#pool?.forget([...this.#programs])
    await this.#pool?.leave()
  }
}
