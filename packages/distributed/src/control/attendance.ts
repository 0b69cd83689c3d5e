// One stream between two nodes, from either end: both say who they are, then both give signs of life until one of them is not heard any more.
import { type ClientDuplexStream, type ServerDuplexStream, status as grpcStatus } from '@grpc/grpc-js'
import type { Clock } from '../clock.ts'
import { asError } from '../errors.ts'
import type { PeerIdentity } from '../transport/contract.ts'
import type { AttendanceMessage, HelloMessage } from './proto/control.ts'
import { StatusError } from './rpc.ts'

/** What an attendance tells of. */
export interface AttendanceHooks {
  /** The peer says who it is, first of all and again when something of it has changed. @throws StatusError where it is not welcome. */
  greeted(attendance: Attendance, hello: HelloMessage): void
  /** It says something else. */
  heard(attendance: Attendance, message: AttendanceMessage['says']): void
  /** The stream has ended. Called once. */
  ended(attendance: Attendance, why: Error): void
}

/** How long to wait. */
export interface AttendanceLimits {
  /** Milliseconds without a word after which the stream is ended. */
  readonly silentMs: number
  /** Where such time is measured: it should stand still while this process does. */
  readonly clock: Clock
}

type Says = AttendanceMessage['says']
type ServerStream = ServerDuplexStream<AttendanceMessage, AttendanceMessage>
type ClientStream = ClientDuplexStream<AttendanceMessage, AttendanceMessage>

/** One stream. */
export class Attendance {
  /** Who is at the other end, as its certificate says; undefined at the end that dialled, where TLS has checked it. */
  readonly caller: PeerIdentity | undefined
  readonly #stream: ServerStream | ClientStream
  readonly #hooks: AttendanceHooks
  readonly #limits: AttendanceLimits
  readonly #openedAt: number
  #heardAt: number
  #peer: HelloMessage | undefined
  #full = false
  #over = false
  #stopWatching = (): void => {}

  /**
   * Says hello.
   * @param caller of a stream that came in.
   */
  constructor(
    stream: ServerStream | ClientStream,
    hello: HelloMessage,
    hooks: AttendanceHooks,
    limits: AttendanceLimits,
    caller?: PeerIdentity,
  ) {
    this.caller = caller
    this.#stream = stream
    this.#hooks = hooks
    this.#limits = limits
    this.#openedAt = this.#heardAt = limits.clock.now()
    this.#watch()
    stream
      .on('data', (message: AttendanceMessage) => this.#take(message.says))
      .on('drain', () => (this.#full = false))
      .on('end', () => this.end(new StatusError(grpcStatus.OK, 'the peer ended the stream')))
      .on('cancelled', () => this.#ended(new StatusError(grpcStatus.CANCELLED, 'the connection was lost')))
      .on('error', (error: Error) => this.#ended(error))
    this.send({ case: 'hello', value: hello })
  }

  /** What the peer said of itself last; undefined before it did. */
  get peer(): HelloMessage | undefined {
    return this.#peer
  }
  /** Milliseconds since it was opened. */
  get ageMs(): number {
    return this.#limits.clock.now() - this.#openedAt
  }

  /** Says something. To a peer that has not yet taken what was said before it says only who it is: all else is soon old. */
  send(says: Says): void {
    if (this.#over || (this.#full && says.case !== 'hello')) return
    this.#full = !this.#stream.write({ says })
  }

  /** Ends the stream when the peer has taken what was said. */
  leave(): void {
    if (this.#over) return
    if ('cancel' in this.#stream) this.#stream.end()
    else this.end(new StatusError(grpcStatus.OK, 'this end leaves'))
  }

  /** Ends the stream; the side that was dialled tells the other why. */
  end(why: StatusError): void {
    if (this.#over) return
    this.#ended(why)
    if ('cancel' in this.#stream) this.#stream.cancel()
    else if (why.code === grpcStatus.OK) this.#stream.end()
    else this.#stream.emit('error', why)
  }

  #take(says: Says): void {
    if (this.#over) return
    this.#heardAt = this.#limits.clock.now()
    try {
      if (says.case === 'hello') {
        this.#hooks.greeted(this, says.value)
        this.#peer = says.value
      } else if (this.#peer) this.#hooks.heard(this, says)
      else throw new StatusError(grpcStatus.FAILED_PRECONDITION, 'the first message has to be a hello')
    } catch (thrown) {
      this.end(
        thrown instanceof StatusError
          ? thrown
          : new StatusError(grpcStatus.INTERNAL, asError(thrown).message),
      )
    }
  }

  #watch(): void {
    const { clock, silentMs } = this.#limits
    const leftMs = this.#heardAt + silentMs - clock.now()
    if (leftMs > 0) this.#stopWatching = clock.after(leftMs, () => this.#watch())
    else
      this.end(
        new StatusError(grpcStatus.DEADLINE_EXCEEDED, `nothing was heard on the stream for ${silentMs} ms`),
      )
  }

  #ended(why: Error): void {
    if (this.#over) return
    this.#over = true
    this.#stopWatching()
    this.#hooks.ended(this, why)
  }
}
