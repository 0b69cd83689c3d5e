// How large things may be. All is checked before memory is taken.
import type { OptionRules } from '@shoal/core'
import { optionRules } from '@shoal/core'

/** What a connection takes and how it sends; both ends of a connection should agree on the limits. */
export interface FrameOptions {
  /** The most bytes of one head. Larger things travel as tensors. Default 1 MiB. */
  readonly headBytes?: number
  /** The most bytes that the tensors of one message may have. Default 1 GiB. */
  readonly messageBytes?: number
  /** The most tensors of one message. Default 4096. */
  readonly tensors?: number
  /**
   * The most bytes that calls of the peer may hold here until they are served, heads and all; further calls wait at the peer. Calls of up to 64 KiB, each
   * tensor counted as half a KiB more, never wait and are not counted, and those that wait may have sent as much; one that is larger than all this is
   * let in when there is no other. Default 256 MiB.
   */
  readonly servedBytes?: number
  /** Guards every body with a CRC-32C, for links that have no checksum as good. TLS has. Default false. */
  readonly checksums?: boolean
  /** Milliseconds between signs of life, give or take a tenth. A peer is dead that gave none for four of them. Default 600. */
  readonly aliveMs?: number
}

/** Options with their defaults. */
export type Limits = Required<FrameOptions>

export const defaultLimits: Limits = {
  headBytes: 2 ** 20,
  messageBytes: 2 ** 30,
  tensors: 4096,
  servedBytes: 2 ** 28,
  checksums: false,
  aliveMs: 600,
}

/** What the options may be, for `checkOptions`. */
export const frameOptionRules: OptionRules<FrameOptions> = {
  headBytes: optionRules.whole(0),
  messageBytes: optionRules.whole(0),
  tensors: optionRules.whole(0),
  servedBytes: optionRules.whole(0),
  checksums: optionRules.boolean,
  aliveMs: optionRules.from(1),
}

/** Tensors travel in pieces of at most this many bytes: half a MiB costs a tenth less than a quarter does. Part of the protocol. */
export const chunkBytes = 2 ** 19
/** The bytes of a call that may come before it is let in, with those that describe it. Smaller calls need not be. Part of the protocol. */
export const earlyBytes = 2 ** 16
/** A head of more bytes comes in chunks before the tensors, and waits for memory as they do. Part of the protocol. */
export const shortHeadBytes = 2 ** 12
/** What a tensor counts, to be kept track of, besides its own bytes. Part of the protocol. */
export const tensorCostBytes = 2 ** 9
/** The bytes of chunks that may be on their way, sent and not yet taken in; urgent ones go nevertheless. Part of the protocol. */
export const windowBytes = 4 * chunkBytes
/** The most bytes of a method's name. */
export const methodBytes = 256
/** The most bytes of an error's name and message together. */
export const errorBytes = 4096
/** The most axes of a tensor. */
export const maxRank = 32
