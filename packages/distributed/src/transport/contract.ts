// What every way of connecting two processes offers: calls with tensors, both ways, each with a deadline.
import type { DType, NDArray, Size } from '@shoal/core'

/** What travels: a small head in the caller's own encoding, and tensors. Neither may be changed until the call has settled. */
export interface Message {
  readonly head: Uint8Array
  readonly tensors: readonly NDArray[]
  /**
   * How float32 tensors travel where bytes do: rounded to nearest in 16 bits, and widened again on arrival. Default: as they are.
   * Where nothing is copied nothing is rounded.
   */
  readonly wire?: WireType
}

/** The 16-bit dtypes that float32 tensors may travel in. */
export type WireType = 'bfloat16' | 'float16'

/** Who is at the other end, as its certificate says, or the process that made it. What a peer says of itself counts for nothing. */
export interface PeerIdentity {
  /** The cluster that vouches for it; empty where there is no certificate. */
  readonly cluster: string
  /** The node's id; without a certificate its address. */
  readonly node: string
  /** What the node is there for: 'worker'. Empty where nobody said. */
  readonly role: string
  /** When its certificate ends, and the connection with it, in milliseconds since 1970; undefined without one. */
  readonly expiresAt?: number
}

/** Memory for an incoming tensor: exactly as many bytes as it has, at an offset that is a multiple of its element size. */
export type Into = (dtype: Exclude<DType, 'string'>, shape: Size, index: number) => Uint8Array

/** How a call is made. */
export interface CallOptions {
  /** Milliseconds from now until the call fails with a DeadlineError. */
  readonly deadlineMs: number
  /** Withdraws the call: it fails with a CancelledError, and the signal of the handler is aborted. */
  readonly signal?: AbortSignal | undefined
  /** This message and its answer go before all that are not urgent. For small ones. Default false. */
  readonly urgent?: boolean
  /** Gives the memory that the answer's tensors are to be in. Default: memory of their own. Strings are not asked for. */
  readonly into?: Into | undefined
}

/** What a handler knows of the call that it serves. */
export interface ServedCall {
  /** Aborted when the caller gave up or the connection was lost: nobody will see the answer. */
  readonly signal: AbortSignal
  readonly peer: PeerIdentity
  /** Did the caller say so? Its answer goes before others. */
  readonly urgent: boolean
}

/**
 * Serves one method. What it throws reaches the caller as a RemoteError with its name and message. What it answers with may not
 * be changed while the caller may still be receiving it.
 */
export type Handler = (message: Message, call: ServedCall) => Promise<Message>

/** What an end of a connection serves: handlers by method, or a function that finds them. */
export type Methods = Readonly<Record<string, Handler>> | ((method: string) => Handler | undefined)

/** Bytes that a connection has moved, frames included; where nothing is copied all are 0. */
export interface Traffic {
  readonly sent: number
  readonly received: number
  /** Bytes that the system has taken but not yet written out. */
  readonly queued: number
}

/** A connection to one peer. Once open both ends are alike: both may call, both may serve. Nothing is ever sent twice. */
export interface Connection {
  readonly peer: PeerIdentity
  /**
   * Calls a method of the peer. Calls and their answers share the connection in turns, chunk by chunk: their order is not kept.
   * @throws DeadlineError, CancelledError, RemoteError, ConnectionLostError, LimitError, ClosedError.
   */
  call(method: string, message: Message, options: CallOptions): Promise<Message>
  /** States what this end serves, in place of what was stated before. Calls that came earlier have waited for it. */
  serve(methods: Methods): void
  traffic(): Traffic
  /** Ends the connection; calls under way fail on both sides. The peer learns the message of `reason`. */
  close(reason?: Error): Promise<void>
  /** Settles when the connection has ended: with nothing where one side closed it without a reason, otherwise with why. It never rejects. */
  readonly closed: Promise<Error | undefined>
}

/** Something that waits for peers. */
export interface Listener {
  /** What peers connect to; a port of 0 is replaced by the one that was got. */
  readonly address: string
  /** Stops waiting; connections that are open stay open. */
  close(): Promise<void>
}

/** How to listen. */
export interface ListenOptions {
  /** Takes each connection, once the peer has proved who it is. */
  readonly connected: (connection: Connection) => void
  /** Told of each peer that was refused, in one error. Default: nobody is. */
  readonly refused?: (error: Error) => void
}

/** How to connect. */
export interface ConnectOptions {
  /** Milliseconds from now until the attempt fails. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
}

/** A way to connect processes. */
export interface Transport {
  /** @throws SecurityError where the address may not be used as asked, ConnectError where it cannot be. */
  listen(address: string, options: ListenOptions): Promise<Listener>
  /** @throws SecurityError, ConnectError, DeadlineError, CancelledError. */
  connect(address: string, options: ConnectOptions): Promise<Connection>
}

/** `worker 'n1'`: how messages name a peer. */
export const namePeer = ({ role, node }: PeerIdentity): string => `${role || 'peer'} '${node}'`
