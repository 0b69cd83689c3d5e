// Below a connection lies a link: it carries envelopes one way and the other, and knows nothing of deadlines or handlers.
import type { Into, Message, Traffic } from './contract.ts'

/** One thing that a connection tells another. Ids of calls are given by the caller; what is `answer`ed refers to them. */
export type Envelope =
  | {
      readonly kind: 'call'
      readonly id: number
      readonly method: string
      readonly message: Message
      readonly urgent: boolean
    }
  | { readonly kind: 'answer'; readonly id: number; readonly message: Message; readonly urgent: boolean }
  | { readonly kind: 'error'; readonly id: number; readonly name: string; readonly text: string }
  | { readonly kind: 'cancel'; readonly id: number }

/** What a link tells the connection above it. */
export interface LinkEvents {
  received(envelope: Envelope): void
  /** Does anybody still await the answer to call `id`? */
  awaits(id: number): boolean
  /** Where the tensors of the answer to call `id` are to be: memory, or nothing where any will do. */
  into(id: number): Into | undefined
  /** The answer to call `id` came, or was to be received, in a way that fails this call alone. */
  failed(id: number, error: Error): void
  /** A call or an answer of this end has left, so that nothing of it is held any more. */
  sent(kind: 'call' | 'answer', id: number): void
  /** The link has ended. Told once, and nothing after it. `reason` is absent where one side closed it without one. */
  ended(reason?: Error): void
}

/** Calls that one end may have open at a time; more wait at the caller. Part of the protocol: who opens more is cut off. */
export const maxOpenCalls = 4096

/** Carries envelopes. */
export interface Link {
  /** Called once, before anything else. */
  start(events: LinkEvents): void
  /** Takes an envelope; what cannot go at once waits. A cancel also stops what is left of the call. @throws LimitError. */
  send(envelope: Envelope): void
  /** Call `id` of the peer is over: memory that was set apart for it is free. */
  release(id: number): void
  traffic(): Traffic
  /** Ends the link; the peer learns the reason. `events.ended` follows. */
  close(reason?: Error): void
}

/** A link that copies nothing moves no bytes. */
export const noTraffic: Traffic = { sent: 0, received: 0, queued: 0 }
