// Blobs got from other nodes: piece by piece, from whoever answers first, from the next where one breaks off; once, however many wait for them.
import { asError, callMethod, type Connection, namePeer, ProtocolError } from '@shoal/distributed/peers'
import * as api from '../api/blobs.ts'
import type { BlobStore } from './blobStore.ts'
import { BlobUnavailableError, CorruptBlobError, StorageFullError } from './errors.ts'
import { pieceOf } from './piece.ts'

/** From whom blobs are got. */
export interface BlobFetcherOptions {
  readonly store: BlobStore
  /** Connections to nodes that serve blobs; asked again when all that it answered before were tried. */
  readonly sources: () => readonly Connection[]
  /** Told in words of nodes that gave something wrong, or broke off. */
  readonly log: (line: string) => void
  /** Milliseconds that a node may take for a piece. Default 30,000. */
  readonly deadlineMs?: number
}

/** Who waits. */
export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
}

interface Download {
  readonly done: Promise<void>
  readonly control: AbortController
  waiting: number
}

/** Milliseconds that a node may take to say what it has. */
const askMs = 5000
/** So many reasons are told of why a blob could not be had. */
const mostReasons = 5
/** So often a blob may be damaged, or dropped again, between being fetched and being read. */
const mostAttempts = 3

/** Gets blobs for the store of this node. */
export class BlobFetcher {
  readonly #options: Required<BlobFetcherOptions>
  readonly #underWay = new Map<string, Download>()
  #blobs = 0
  #bytes = 0

  constructor(options: BlobFetcherOptions) {
    this.#options = { deadlineMs: 30_000, ...options }
  }

  /** What came from other nodes so far: whole blobs, and bytes, also of those that broke off. */
  get fetched(): { readonly blobs: number; readonly bytes: number } {
    return { blobs: this.#blobs, bytes: this.#bytes }
  }

  /**
   * Sees to it that a blob is in the store: nothing is moved where it is. Who wants it kept says so to the store before.
   * @throws BlobUnavailableError where no node gives it, StorageFullError, the reason of the signal.
   */
  async fetch(hash: string, { signal }: FetchOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#options.store.has(hash)) return
    const download = this.#underWay.get(hash) ?? this.#begin(hash)
    download.waiting++
    try {
      await unlessAborted(download.done, signal)
    } finally {
      if (--download.waiting === 0) this.#end(hash, download)
    }
  }

  /** The bytes of a blob, which is fetched where it is not here, or is damaged. @throws as `fetch`. */
  async get(hash: string, options: FetchOptions = {}): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      await this.fetch(hash, options)
      try {
        return await this.#options.store.get(hash)
      } catch (error) {
        // Damaged, or dropped to make room: as long as the store does not have it any more, it can be had again.
        if (this.#options.store.has(hash) || attempt >= mostAttempts) throw error
      }
    }
  }

  #begin(hash: string): Download {
    const control = new AbortController()
    const download = { done: this.#download(hash, control.signal), control, waiting: 0 }
    this.#underWay.set(hash, download)
    const end = (): void => this.#end(hash, download)
    download.done.then(end, end)
    return download
  }

  #end(hash: string, download: Download): void {
    if (this.#underWay.get(hash) === download) this.#underWay.delete(hash)
    download.control.abort(new BlobUnavailableError(`nobody waits for the blob ${hash} any more`))
  }

  async #download(hash: string, signal: AbortSignal): Promise<void> {
    const tried = new Set<Connection>()
    const reasons: string[] = []
    for (;;) {
      const untried = this.#options.sources().filter((source) => !tried.has(source))
      if (untried.length === 0) throw unavailable(hash, reasons)
      for (const source of untried) tried.add(source)
      for await (const { source, bytes, problem } of holders(hash, untried, signal)) {
        if (bytes < 0) {
          reasons.push(`${namePeer(source.peer)} ${problem}`)
          continue
        }
        try {
          await this.#from(source, hash, bytes, signal)
          this.#blobs++
          return
        } catch (thrown) {
          signal.throwIfAborted()
          if (thrown instanceof StorageFullError) throw thrown
          reasons.push(`${namePeer(source.peer)} broke off: ${asError(thrown).message}`)
          this.#options.log(`the blob ${hash} is looked for elsewhere: ${reasons.at(-1)}`)
        }
      }
    }
  }

  async #from(source: Connection, hash: string, bytes: number, signal: AbortSignal): Promise<void> {
    const there = await this.#options.store.begin(hash, bytes)
    try {
      await this.#pieces(source, hash, bytes, there, signal)
    } catch (error) {
      // What was there before may be what is wrong. If all of it came from this node, the node is.
      if (!(error instanceof CorruptBlobError) || there === 0) throw error
      await this.#pieces(source, hash, bytes, 0, signal)
    }
  }

  async #pieces(
    source: Connection,
    hash: string,
    bytes: number,
    from: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, deadlineMs } = this.#options
    let there = from
    while (!store.has(hash)) {
      const { says, tensors } = await callMethod(
        source,
        api.read,
        { hash, offset: there },
        { deadlineMs, signal },
      )
      const piece = pieceOf(tensors)
      if (says.bytes !== bytes || (piece.length === 0 && there < bytes))
        throw new ProtocolError(
          `the blob ${hash} had ${bytes} bytes, and now ${says.bytes}, of which none is at ${there}`,
        )
      this.#bytes += piece.length
      there = await store.append({ hash, bytes, offset: there, piece })
    }
  }
}

/** What a node said of a blob. */
interface Answered {
  readonly source: Connection
  /** Below 0 where it does not have it. */
  readonly bytes: number
  readonly problem: string
}

/** Asks all at once who has a blob, and answers in the order in which they do: the nearest and least busy first. */
async function* holders(
  hash: string,
  sources: readonly Connection[],
  signal: AbortSignal,
): AsyncGenerator<Answered, void, undefined> {
  const ask = async (source: Connection): Promise<Answered> => {
    try {
      const { says } = await callMethod(
        source,
        api.has,
        { hashes: [hash] },
        { deadlineMs: askMs, signal, urgent: true },
      )
      return { source, bytes: says.bytes[0] ?? -1, problem: 'does not have it' }
    } catch (thrown) {
      return { source, bytes: -1, problem: `did not say whether it has it: ${asError(thrown).message}` }
    }
  }
  const open = new Map(sources.map((source) => [source, ask(source)]))
  while (open.size > 0) {
    const answered = await Promise.race(open.values())
    open.delete(answered.source)
    signal.throwIfAborted()
    yield answered
  }
}

function unavailable(hash: string, reasons: readonly string[]): BlobUnavailableError {
  const told = reasons.slice(0, mostReasons).join('; ')
  const more = reasons.length > mostReasons ? `; and ${reasons.length - mostReasons} more` : ''
  return new BlobUnavailableError(
    `no node gives the blob ${hash}: ${told === '' ? 'this node is connected to no other' : `${told}${more}`}`,
  )
}

/** What comes of work, or the reason of the signal as soon as that aborts: the work may go on for others. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work
  const aborted = Promise.withResolvers<never>()
  const stop = (): void => aborted.reject(asError(signal.reason))
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
