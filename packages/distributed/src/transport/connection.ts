// Calls over a link: ids, deadlines, withdrawals and handlers. The same for every transport.
import { ClosedError, ValueError } from '@shoal/core'
import type { Clock } from '../clock.ts'
import { systemClock } from '../clock.ts'
import {
  asError,
  CancelledError,
  ConnectionLostError,
  DeadlineError,
  ProtocolError,
  RemoteError,
  SecurityError,
} from '../errors.ts'
import { atMoment } from '../security/expiry.ts'
import type {
  CallOptions,
  Connection,
  Handler,
  Into,
  Message,
  Methods,
  PeerIdentity,
  ServedCall,
  Traffic,
} from './contract.ts'
import { namePeer } from './contract.ts'
import type { Envelope, Link, LinkEvents } from './link.ts'
import { maxOpenCalls } from './link.ts'

/** A call that awaits its answer. */
interface Pending {
  readonly method: string
  readonly into: Into | undefined
  readonly envelope: Envelope
  readonly resolve: (answer: Message) => void
  readonly reject: (error: Error) => void
  /** Calls off the deadline. */
  readonly disarm: () => void
  /** Listens no more to the caller's signal. */
  readonly unlisten: (() => void) | undefined
  /** Has the link got it, or does it wait for others to end? */
  open: boolean
}

type Call = Extract<Envelope, { kind: 'call' }>

/** A call of the peer while it is served. Its signal is made when it is asked for: it costs as much as the rest of a small call. */
class Serving implements ServedCall {
  readonly peer: PeerIdentity
  readonly urgent: boolean
  #control: AbortController | undefined
  #reason: Error | undefined

  constructor(peer: PeerIdentity, urgent: boolean) {
    this.peer = peer
    this.urgent = urgent
  }

  get signal(): AbortSignal {
    this.#control ??= new AbortController()
    if (this.#reason) this.#control.abort(this.#reason)
    return this.#control.signal
  }

  abort(reason: Error): void {
    this.#reason = reason
    this.#control?.abort(reason)
  }
}

/** One end of a connection, over any link. */
export class PeerConnection implements Connection, LinkEvents {
  readonly peer: PeerIdentity
  readonly closed: Promise<Error | undefined>
  readonly #link: Link
  readonly #clock: Clock
  readonly #pending = new Map<number, Pending>()
  /** Calls that wait until fewer are open. */
  readonly #waiting = new Set<number>()
  readonly #serving = new Map<number, Serving>()
  #methods: Methods | undefined
  /** Calls that came before it was stated what is served. */
  #early = new Map<number, Call>()
  #lastId = 0
  #open = 0
  #closing = false
  #end: { readonly reason: Error | undefined } | undefined
  #resolveClosed: (reason: Error | undefined) => void
  readonly #stopExpiry: () => void

  /** Starts the link. `clock` defaults to the system's. */
  constructor(link: Link, peer: PeerIdentity, clock: Clock = systemClock) {
    const closed = Promise.withResolvers<Error | undefined>()
    this.closed = closed.promise
    this.#resolveClosed = closed.resolve
    this.peer = peer
    this.#clock = clock
    this.#link = link
    this.#stopExpiry = atMoment(peer.expiresAt, clock, () =>
      link.close(new SecurityError(`the certificate of ${namePeer(peer)} has expired`)),
    )
    link.start(this)
  }

  call(method: string, message: Message, options: CallOptions): Promise<Message> {
    const { deadlineMs, signal, urgent = false, into } = options
    return new Promise((resolve, reject) => {
      if (this.#end || this.#closing) throw this.#lost(`'${method}' was called`)
      if (!(deadlineMs > 0))
        throw new ValueError(`'${method}': deadlineMs must be above 0, got ${deadlineMs}`)
      if (signal?.aborted) throw this.#withdrawn(method, signal)
      const id = this.#nextId()
      this.#pending.set(id, {
        method,
        into,
        envelope: { kind: 'call', id, method, message, urgent },
        resolve,
        reject,
        disarm: this.#clock.after(deadlineMs, () => this.#tooLate(id, deadlineMs)),
        unlisten: signal && this.#listen(signal, id, method),
        open: false,
      })
      this.#waiting.add(id)
      this.#openNext()
    })
  }

  serve(methods: Methods): void {
    this.#methods = methods
    const early = this.#early
    this.#early = new Map()
    for (const call of early.values()) void this.#answer(call, methods)
  }

  traffic(): Traffic {
    return this.#link.traffic()
  }

  async close(reason?: Error): Promise<void> {
    if (!this.#closing && !this.#end) {
      this.#closing = true
      this.#link.close(reason)
    }
    await this.closed
  }

  received(envelope: Envelope): void {
    switch (envelope.kind) {
      case 'call':
        return this.#take(envelope)
      case 'answer':
        return this.#settle(envelope.id)?.resolve(envelope.message)
      case 'error': {
        const pending = this.#settle(envelope.id)
        return pending?.reject(new RemoteError(this.#where(pending.method), envelope.name, envelope.text))
      }
      case 'cancel':
        this.#serving.get(envelope.id)?.abort(new CancelledError(`${namePeer(this.peer)} withdrew its call`))
        this.#serving.delete(envelope.id)
        if (this.#early.delete(envelope.id)) this.#link.release(envelope.id)
    }
  }

  awaits(id: number): boolean {
    return this.#pending.has(id)
  }

  into(id: number): Into | undefined {
    return this.#pending.get(id)?.into
  }

  failed(id: number, error: Error): void {
    this.#giveUp(id, error)
  }

  sent(kind: 'call' | 'answer', id: number): void {
    if (kind === 'answer') this.#serving.delete(id)
  }

  ended(reason?: Error): void {
    this.#end = { reason }
    this.#stopExpiry()
    for (const [id, { method }] of this.#pending)
      this.#settle(id)?.reject(this.#lost(`'${method}' awaited its answer`))
    for (const serving of this.#serving.values()) serving.abort(this.#lost('a call was served'))
    this.#serving.clear()
    this.#early.clear()
    this.#resolveClosed(reason)
  }

  #listen(signal: AbortSignal, id: number, method: string): () => void {
    const abort = (): void => this.#giveUp(id, this.#withdrawn(method, signal))
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  }

  #tooLate(id: number, deadlineMs: number): void {
    const { method } = this.#pending.get(id)!
    const behind = this.#waiting.has(id) ? `, behind ${maxOpenCalls} other calls` : ''
    this.#giveUp(id, new DeadlineError(`${this.#where(method)}: no answer within ${deadlineMs} ms${behind}`))
  }

  #withdrawn(method: string, { reason }: AbortSignal): Error {
    return new CancelledError(`${this.#where(method)} was withdrawn: ${asError(reason).message}`, {
      cause: reason,
    })
  }

  #where(method: string): string {
    return `${namePeer(this.peer)}, '${method}'`
  }

  /** What befalls a call when the connection is no more. */
  #lost(during: string): Error {
    const why = this.#end?.reason
    const of = `the connection to ${namePeer(this.peer)}`
    return this.#closing
      ? new ClosedError(`${of} was closed here when ${during}`, { cause: why })
      : new ConnectionLostError(`${of} was lost when ${during}: ${why?.message ?? 'the peer closed it'}`, {
          cause: why,
        })
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === 0xffffffff ? 1 : this.#lastId + 1
    while (this.#pending.has(this.#lastId))
    return this.#lastId
  }

  /** Gives the link as many of the waiting calls as may be open. */
  #openNext(): void {
    for (const id of this.#waiting) {
      if (this.#open >= maxOpenCalls || this.#end) return
      const pending = this.#pending.get(id)!
      this.#waiting.delete(id)
      pending.open = true
      this.#open++
      try {
        this.#link.send(pending.envelope)
      } catch (thrown) {
        this.#settle(id)?.reject(asError(thrown))
      }
    }
  }

  /** Takes a call off the list; whoever gets it settles it. */
  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    if (!pending) return undefined
    pending.disarm()
    pending.unlisten?.()
    this.#pending.delete(id)
    this.#waiting.delete(id)
    if (pending.open) this.#open--
    if (!this.#end) this.#openNext()
    return pending
  }

  #giveUp(id: number, error: Error): void {
    const pending = this.#pending.get(id)
    if (!pending) return
    if (pending.open) this.#link.send({ kind: 'cancel', id })
    this.#settle(id)?.reject(error)
  }

  #take(call: Call): void {
    const { id, urgent } = call
    if (this.#serving.has(id) || this.#serving.size >= maxOpenCalls)
      return this.#link.close(
        new ProtocolError(
          this.#serving.has(id)
            ? `${namePeer(this.peer)} opened call ${id} twice`
            : `${namePeer(this.peer)} opened more than ${maxOpenCalls} calls`,
        ),
      )
    this.#serving.set(id, new Serving(this.peer, urgent))
    if (this.#methods) void this.#answer(call, this.#methods)
    else this.#early.set(id, call)
  }

  async #answer({ id, method, message, urgent }: Call, methods: Methods): Promise<void> {
    const serving = this.#serving.get(id)!
    const wanted = (): boolean => this.#serving.get(id) === serving
    try {
      const answer = await handlerOf(methods, method)(message, serving)
      if (wanted()) this.#link.send({ kind: 'answer', id, message: answer, urgent })
    } catch (thrown) {
      const { name, message: text } = asError(thrown)
      if (wanted()) {
        this.#serving.delete(id)
        this.#link.send({ kind: 'error', id, name, text })
      }
    } finally {
      this.#link.release(id)
    }
  }
}

/** @throws ValueError for a method that is not served. */
function handlerOf(methods: Methods, method: string): Handler {
  if (typeof methods === 'function') {
    const handler = methods(method)
    if (handler) return handler
    throw new ValueError(`there is no method '${method}'`)
  }
  if (Object.hasOwn(methods, method)) return methods[method]!
  throw new ValueError(`there is no method '${method}'; there are ${Object.keys(methods).join(', ')}`)
}
