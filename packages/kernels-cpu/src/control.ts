// The words by which threads meet: those of a device's memory, through which a region's chunks are handed out, and those of the pool, by which its threads sleep.

/** A word of a device's memory, as an index of 32-bit words. Those that several threads write lie on cache lines of their own. */
export const word = {
  /** Chunks of the region that nobody has taken. Taking one is subtracting 1 from what is positive. */
  remaining: 16,
  /**
   * The chunk after the last one that is left: other threads take from the end, while the one that forks takes from the beginning, so that
   * step by step each finds much of what it needs in its own cache.
   */
  end: 17,
  /** The number of the Program that runs. It stands still while a chunk is pending. */
  program: 18,
  /** Chunks that are not finished. */
  pending: 32,
  /** Not 0: a chunk failed. */
  failed: 33,
  /** Threads that look at `remaining` all the time. */
  listeners: 48,
  /** The round of the loop that is run: what finds its memory at another place in every round computes it from this. */
  round: 64,
} as const

/** A word of the memory that a pool's threads share, as an index of 32-bit words. */
export const poolWord = {
  /** Counts everything that a thread must wake for. */
  epoch: 0,
  /** Messages that were posted to every thread. */
  posted: 1,
  /** The Program that woken threads are to join. */
  program: 2,
  /** The last Program that a thread was sent and has seen to; one word for each thread from here on. */
  loaded: 16,
} as const

/** Rounds of looking before a thread sleeps: some 20 to 80 microseconds, longer than a chunk takes, and so than others need to finish theirs. */
export const patience = 10_000
/** As many rounds does one count for while nothing is computed: a thread that is not needed sleeps after 3 to 10 microseconds. */
export const idleRound = 8

/** How long the thread that forks sleeps before it looks whether all threads are still there. */
export const watchMs = 100
/** Where a thread has ended, chunks that nobody finishes for so many times as long are lost. */
export const lostAfter = 3

/** The words of a device's memory. A view of shared memory stays valid when the memory grows. */
export const controlOf = (memory: WebAssembly.Memory): Int32Array<ArrayBufferLike> =>
  new Int32Array(memory.buffer, 0, 256)

/** Says that chunks are finished, and wakes the thread that waits for the last. */
export function finish(control: Int32Array<ArrayBufferLike>, chunks: number): void {
  if (Atomics.sub(control, word.pending, chunks) === chunks) Atomics.notify(control, word.pending)
}
