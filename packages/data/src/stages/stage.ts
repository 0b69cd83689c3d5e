// A stage is one step of a pipeline: it can be opened any number of times, at any element.

/** One pass over a stage. */
export interface Run {
  /** How many elements to leave out at the start. */
  readonly from: number
  /** Which pass this is; stages that shuffle anew each time mix it into their seed. */
  readonly epoch: number
  /** Aborts when the pass is over or was called off; sources that wait should listen to it. */
  readonly signal: AbortSignal
}

/** A step of a pipeline. */
export interface Stage<T> {
  /** The number of elements where it is known; Infinity for an endless stage. */
  readonly size: number | undefined
  /** Element `index` by itself, where that costs no more than making it. */
  readonly at?: ((index: number) => T) | undefined
  /** Begins a pass. Returning the generator closes everything behind it. */
  open(run: Run): AsyncGenerator<T, void, undefined>
}

/** A stage whose elements can be had in any order. */
export function indexed<T>(size: number, at: (index: number) => T): Stage<T> {
  return {
    size,
    at,
    async *open({ from, signal }) {
      for (let i = from; i < size; i++) {
        signal.throwIfAborted()
        yield at(i)
      }
    },
  }
}

/** A stage that can only go forward: what comes before `from` is made and thrown away. */
export function sequential<T>(
  size: number | undefined,
  generate: (run: Run) => AsyncGenerator<T, void, undefined>,
): Stage<T> {
  return {
    size,
    async *open(run) {
      let left = run.from
      for await (const element of generate({ ...run, from: 0 })) {
        if (left > 0) left--
        else yield element
      }
    },
  }
}
