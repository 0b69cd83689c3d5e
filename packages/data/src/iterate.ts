// One pass over a pipeline as its consumer sees it: it can be called off, and leaves nothing open behind it.
import type { Stage } from './stages/stage.ts'

/** How to go over a dataset. */
export interface IterateOptions {
  /** Ends the pass with the signal's reason, even while an element is awaited. */
  readonly signal?: AbortSignal | undefined
  /** The element to begin with; 0 when left out. */
  readonly from?: number
  /** Which epoch's order shuffles give; counted up by itself with each pass over the same dataset when left out. */
  readonly epoch?: number
}

/** Runs a stage for a consumer. */
export async function* iterate<T>(
  stage: Stage<T>,
  { signal, from, epoch }: { signal: AbortSignal | undefined; from: number; epoch: number },
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted()
  const over = new AbortController()
  const source = stage.open({
    from,
    epoch,
    signal: signal ? AbortSignal.any([signal, over.signal]) : over.signal,
  })
  try {
    for (;;) {
      const step = await (signal ? unlessAborted(source.next(), signal) : source.next())
      if (step.done) return
      yield step.value
    }
  } finally {
    over.abort()
    const closed = source.return()
    // A source that hangs cannot close before it answers: who called off does not wait for it.
    if (signal?.aborted) closed.catch(() => {})
    else await closed
  }
}

/** The promise's result, unless the signal aborts first. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
