// Knocking: a node asks another one at its port whether it would be let in. Who has a certificate of the cluster is told why not, which the handshake of TLS does not say.
import {
  asError,
  type Clock,
  type Credentials,
  dial,
  type OtherProtocol,
  SecurityError,
  systemClock,
  verifyIdentity,
} from '@shoal/distributed/peers'
import { z } from 'zod'
import { Conversation } from '../identity/conversation.ts'
import type { Identity } from '../identity/identity.ts'

/** What is spoken, as TLS names it. */
export const knockProtocolName = 'shoal-knock/1'

/** Milliseconds that the answer may take. */
const talkMs = 5000

const answerSchema = z.object({
  /** In milliseconds since 1970. */
  now: z.number(),
  /** Why the asker is not let in; empty where it is. */
  refused: z.string().max(1000),
})

/** What came of knocking. */
export interface Knock {
  /** Who has answered. */
  readonly nodeId: string
  /** By how many milliseconds its clock is ahead of this one's, the way of the answer included. */
  readonly aheadMs: number
  /** Why it does not let this node in; empty where it does. */
  readonly refused: string
}

/** The side that answers. It says nothing to those who have no certificate of this cluster, be it valid still or not. */
export const knockProtocol = (
  identity: Pick<Identity, 'newest' | 'removals'>,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): OtherProtocol => ({
  strangers: true,
  accepted(socket) {
    const certificate = socket.getPeerX509Certificate()
    if (!certificate) throw new SecurityError('a peer without a certificate asks whether it would be let in')
    const { authority } = identity.newest
    const now = Date.now()
    const valid = Math.min(Math.max(now, Date.parse(certificate.validFrom)), Date.parse(certificate.validTo))
    const { node } = verifyIdentity(certificate, authority, new Date(valid))
    const talk = new Conversation(socket, { deadlineMs: talkMs, clock, about: `the question of '${node}'` })
    talk.sayLast({
      now,
      refused: whyRefused(() => {
        identity.removals.admit({ node })
        verifyIdentity(certificate, authority)
      }),
    })
  },
})

function whyRefused(check: () => void): string {
  try {
    check()
    return ''
  } catch (error) {
    return asError(error).message.slice(0, 1000)
  }
}

/** How to knock. */
export interface KnockOptions {
  /** Of this node; they need not be valid. */
  readonly credentials: Credentials
  readonly deadlineMs: number
  /** Milliseconds since 1970. Default: the system's. */
  readonly today?: () => number
  /** Default: the system's. */
  readonly clock?: Clock
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks the node at an address whether it would let this one in.
 * @throws as `dial`, ConnectionLostError and DeadlineError where nothing is answered.
 */
export async function knock(
  address: string,
  { credentials, deadlineMs, today = Date.now, clock = systemClock, signal }: KnockOptions,
): Promise<Knock> {
  const how = { credentials, protocol: knockProtocolName, deadlineMs, clock, signal }
  const { socket, peer } = await dial(address, how)
  const talk = new Conversation(socket, { deadlineMs, clock, about: `knocking at ${address}` })
  try {
    const { now, refused } = await talk.hear(answerSchema)
    return { nodeId: peer.node, aheadMs: now - today(), refused }
  } finally {
    talk.end()
  }
}
