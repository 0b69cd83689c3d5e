// The words at the beginning of the shared memory by which threads meet, and how one of them takes a share of the work.

/** Index of each word; the ones that are written most lie on cache lines of their own. */
export const word = {
  /** Counts everything that a worker must wake for. */
  epoch: 16,
  /** Programs that were posted. */
  posted: 17,
  /** Not 0: a chunk failed. */
  failed: 18,
  /** What is being computed: valid while chunks are pending. */
  program: 19,
  region: 20,
  /** Chunks that nobody has taken yet. */
  remaining: 32,
  /** Chunks that are not finished. */
  pending: 48,
} as const

/** Rounds of looking before a thread sleeps: a few microseconds. */
export const spins = 2000

/** The words of a memory. A view of shared memory stays valid when the memory grows. */
export const controlOf = (memory: WebAssembly.Memory): Int32Array<ArrayBufferLike> =>
  new Int32Array(memory.buffer, 0, 256)

/**
 * Takes chunks until there are none left. Taking one succeeds only while it is there, and while one is pending, program and region stand
 * still: so a late thread that takes a chunk of a newer region computes that region.
 */
export function takeChunks(
  control: Int32Array<ArrayBufferLike>,
  run: (program: number, region: number, chunk: number) => void,
): void {
  for (;;) {
    const left = Atomics.load(control, word.remaining)
    if (left <= 0) return
    if (Atomics.compareExchange(control, word.remaining, left, left - 1) !== left) continue
    try {
      run(Atomics.load(control, word.program), Atomics.load(control, word.region), left - 1)
    } catch {
      Atomics.store(control, word.failed, 1)
    }
    if (Atomics.sub(control, word.pending, 1) === 1) Atomics.notify(control, word.pending)
  }
}
