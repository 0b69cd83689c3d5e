// Documents as tasks change them: read, think, write unless somebody else wrote meanwhile, and then think again.
import { Backoff, type Clock, pause } from '@shoal/distributed/peers'
import type { Json } from '../jobs/json.ts'
import type { TaskServices } from './services.ts'

/** What becomes of a document. */
export interface Changed<T> {
  /** Left out: the document stays as it is. */
  readonly value?: Json
  readonly result: T
}

/** How documents are reached. */
export interface DocumentsOptions {
  readonly services: Pick<TaskServices, 'readDocument' | 'writeDocument'>
  /** Withdraws whatever is under way: what waits for it throws the reason. */
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Numbers from 0 to 1, for the lengths of pauses. */
  readonly random: () => number
}

/** The documents of a job, as one of its tasks uses them. */
export class Documents {
  readonly #options: DocumentsOptions

  constructor(options: DocumentsOptions) {
    this.#options = options
  }

  /** What stands in a document of this job, or of another one that it may read; undefined where there is none. */
  async read(key: string, from: { readonly jobId?: string } = {}): Promise<Json | undefined> {
    const { services, signal } = this.#options
    const { version, value } = await services.readDocument(key, { ...from, signal })
    return version === 0 ? undefined : value
  }

  /** Writes a document, whatever stood in it. */
  set(key: string, value: Json): Promise<void> {
    return this.change(key, () => ({ value, result: undefined }))
  }

  /**
   * Changes a document as if nobody else did: `decide` sees it, undefined where there is none, and is asked again when others were quicker.
   * @throws what `decide` throws, the reason of the signal
   */
  async change<T>(key: string, decide: (value: Json | undefined) => Changed<T>): Promise<T> {
    const { services, signal, clock, random } = this.#options
    const backoff = new Backoff({ firstMs: 5, mostMs: 500, random })
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      // The first time that others were quicker it is tried again at once: they are through.
      if (attempt > 1) await pause(backoff.next(), clock, signal)
      const before = await services.readDocument(key, { signal })
      const { value, result } = decide(before.version === 0 ? undefined : before.value)
      if (value === undefined) return result
      const version = await services.writeDocument({ key, ifVersion: before.version, value }, { signal })
      if (version !== undefined) return result
    }
  }
}
