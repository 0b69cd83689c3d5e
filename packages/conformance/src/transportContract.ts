// What the transport suite needs to know of a connection: its interface as seen from outside, so that it stands on no transport's package.
import type { DType, NDArray, Size } from '@shoal/core'

/** What travels. */
export interface SuiteMessage {
  readonly head: Uint8Array
  readonly tensors: readonly NDArray[]
}

/** How a call is made. */
export interface SuiteCallOptions {
  readonly deadlineMs: number
  readonly signal?: AbortSignal
  readonly urgent?: boolean
  readonly into?: (dtype: Exclude<DType, 'string'>, shape: Size, index: number) => Uint8Array
}

/** Serves a method. */
export type SuiteHandler = (
  message: SuiteMessage,
  call: { readonly signal: AbortSignal },
) => Promise<SuiteMessage>

/** One end of a connection. */
export interface SuiteConnection {
  call(method: string, message: SuiteMessage, options: SuiteCallOptions): Promise<SuiteMessage>
  serve(methods: Readonly<Record<string, SuiteHandler>>): void
  traffic(): { readonly sent: number; readonly queued: number }
  close(reason?: Error): Promise<void>
  readonly closed: Promise<Error | undefined>
}

/** Both ends of a connection that was just made. */
export interface Pair {
  readonly near: SuiteConnection
  readonly far: SuiteConnection
  /** Ends what carries the connection without a word, as the death of a process does. */
  kill?(): void
  /** Frees what was set up for the pair besides its connections. */
  close?(): Promise<void>
}

/** What a test asks of its pair. */
export interface PairOptions {
  /** Bytes of tensors that calls may hold at one end until they are served. */
  readonly servedBytes?: number
  /** Must there be `kill`? */
  readonly mortal?: boolean
}

/** Connects two ends. */
export type MakePair = (options?: PairOptions) => Promise<Pair>

/** What a transport says of itself. */
export interface TransportClaims {
  /** Do tensors travel as bytes, in chunks, under flow control? Default true. */
  readonly chunks?: boolean
  /** Can one end die without the other? Default true. */
  readonly mortal?: boolean
}
