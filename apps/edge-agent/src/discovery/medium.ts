// What carries discovery: packets to everybody on a link, of which each is heard with its sender and its link.
import type { Link } from './links.ts'

/** A packet that was heard. */
export interface Heard {
  readonly bytes: Uint8Array
  /** Who sent it, as the network says. */
  readonly address: string
  readonly port: number
  /** The name of the link. */
  readonly link: string
}

/** What a medium tells the one who uses it. */
export interface MediumListener {
  heard(packet: Heard): void
  /** The links that can be spoken on are now these. */
  linksChanged(links: readonly Link[]): void
  /** Something has kept it from working somewhere for a while: told once, until it has worked again. */
  faulted(fault: string): void
}

/** A way to speak to everybody on each link. Packets may be lost, and are never sent twice. */
export interface Medium {
  /** The port of the group: who sends from another one speaks no multicast DNS, and is answered alone. */
  readonly port: number
  /** Sends to everybody on a link; nothing where the link is gone. */
  send(link: string, bytes: Uint8Array): void
  /** Answers the sender of a packet alone. */
  reply(to: Heard, bytes: Uint8Array): void
  /** What keeps discovery from working, in words, by link and family; empty where all is well. */
  readonly faults: readonly string[]
  /** Closes it, once all that was sent has left. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Opens a medium; what it hears goes to the listener. */
export type OpenMedium = (listener: MediumListener) => Medium
