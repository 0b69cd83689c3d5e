// Certificates last a day: from two thirds of that on a node asks for the next one. A node that slept longer than its certificate may still ask, with nothing else.
import {
  asError,
  atMoment,
  Backoff,
  type Clock,
  dial,
  type OtherProtocol,
  pause,
  SecurityError,
  systemClock,
  verifyIdentity,
} from '@shoal/distributed/peers'
import { z } from 'zod'
import { roleSchema } from '../api/node.ts'
import { Conversation } from './conversation.ts'
import type { Identity } from './identity.ts'
import { validityOf } from './membership.ts'
import { isSignedFor, newNodeKey, signedFor } from './nodeKey.ts'

/** What is spoken, as TLS names it. */
export const renewalProtocolName = 'shoal-renew/1'

/** Milliseconds that a renewal may take. */
const talkMs = 10_000
/** Milliseconds between two renewals, however far the clocks of two machines are apart. */
const leastMs = 60_000
const purpose = 'renewal'

const requestSchema = z.object({
  publicKey: z.string().max(1000),
  /** Of the connection, with the new key: that it is the asker's own. Base64. */
  signature: z.string().max(200),
})
const answerSchema = z.union([
  z.object({ certificate: z.string().max(10_000) }),
  z.object({ refused: z.string().max(1000) }),
])

/**
 * The side of a manager. Whoever proves to have the key of a certificate of this cluster gets the next one for the same node and role, unless the
 * node was removed. That the certificate has ended does not matter: what keeps a node out is the list of those that were removed.
 */
export const renewalProtocol = (
  identity: Identity,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): OtherProtocol => ({
  strangers: true,
  accepted(socket) {
    const certificate = socket.getPeerX509Certificate()
    if (!certificate) throw new SecurityError('a peer without a certificate asks for its renewal')
    const lastValid = Math.min(Date.now(), Date.parse(certificate.validTo))
    const { node, role } = verifyIdentity(certificate, identity.newest.authority, new Date(lastValid))
    const talk = new Conversation(socket, { deadlineMs: talkMs, clock, about: `the renewal of '${node}'` })
    const answer = async (): Promise<object> => {
      identity.removals.admit({ node })
      const { authority } = identity
      if (!authority) throw new SecurityError(`'${identity.nodeId}' is no manager`)
      const { publicKey, signature } = await talk.hear(requestSchema)
      if (!isSignedFor(purpose, talk.binding, publicKey, signature))
        throw new SecurityError(`'${node}' has not got the key that it wants a certificate for`)
      return { certificate: await authority.sign({ node, role: roleSchema.parse(role), publicKey }) }
    }
    void answer()
      .catch((error) => ({ refused: asError(error).message.slice(0, 1000) }))
      .then((said) => talk.sayLast(said))
  },
})

/** How to ask for a certificate. */
export interface RenewOptions {
  readonly signal?: AbortSignal | undefined
  /** Default: the system's. */
  readonly clock?: Clock
}

/**
 * Has a manager give this node its next certificate. A new key is made for it.
 * @param address that of a manager: `host:port`.
 * @throws ConnectError, DeadlineError, SecurityError where the manager refuses or is none, StateError where the certificate cannot be kept.
 */
export async function renewAt(
  address: string,
  identity: Identity,
  { signal, clock = systemClock }: RenewOptions = {},
): Promise<void> {
  const { authority } = identity.newest
  const how = { credentials: identity.newest, protocol: renewalProtocolName, deadlineMs: talkMs }
  const { socket, peer } = await dial(address, { ...how, clock, signal })
  const talk = new Conversation(socket, { deadlineMs: talkMs, clock, about: `renewal at ${address}` })
  try {
    identity.removals.admit(peer)
    if (peer.role !== 'manager') throw new SecurityError(`'${peer.node}' at ${address} is no manager`)
    const { publicKey, privateKey } = newNodeKey()
    talk.say({ publicKey, signature: signedFor(purpose, talk.binding, privateKey) })
    const answer = await talk.hear(answerSchema)
    if ('refused' in answer)
      throw new SecurityError(`'${peer.node}' does not renew the certificate: ${answer.refused}`)
    await identity.renewBy({ certificate: answer.certificate, privateKey, authority })
  } finally {
    talk.end()
  }
}

/** Who to ask, and whom to tell. */
export interface KeepRenewedOptions extends RenewOptions {
  /** Where managers may be, those first that should be asked first: `host:port`. Asked for anew at each attempt. */
  readonly managers: () => readonly string[]
  /** Told of what a person should know. */
  readonly log: (line: string) => void
  /** Ends it. */
  readonly signal: AbortSignal
  /** Evenly from 0 to below 1. Default `Math.random`. */
  readonly random?: () => number
}

/**
 * Waits until the certificate of a node is valid: at once where it is, else as soon as a manager has renewed it, or the clock of this machine was set. A
 * node that slept for longer than its certificate begins with this.
 * @throws the reason of the signal, and nothing else: it tries again after pauses of up to five minutes, and says why.
 */
export async function becomeValid(identity: Identity, options: KeepRenewedOptions): Promise<void> {
  const { log, signal, clock = systemClock } = options
  const backoff = backoffOf(options)
  while (!identity.isValid) {
    try {
      await renew(identity, options)
    } catch (error) {
      signal.throwIfAborted()
      log(troubleOf(identity, error))
      await pause(backoff.next(), clock, signal)
    }
  }
}

/**
 * Renews the certificate of a node at two thirds of its life, again and again; where nobody can do so it tries again after pauses of up to five
 * minutes, also when it has ended. Until the signal aborts.
 */
export function keepRenewed(identity: Identity, options: KeepRenewedOptions): void {
  const { log, signal, clock = systemClock } = options
  const backoff = backoffOf(options)
  let callOff = (): void => {}
  const attempt = (): void => {
    renew(identity, options).then(
      () => {
        backoff.reset()
        wait(Date.now() + leastMs)
        log(`the certificate of this node is good until ${endOf(identity)}`)
      },
      (error) => {
        if (signal.aborted) return
        log(troubleOf(identity, error))
        callOff = clock.after(backoff.next(), attempt)
      },
    )
  }
  const wait = (earliest: number): void => {
    if (signal.aborted) return
    const { from, to } = validityOf(identity.newest)
    callOff = atMoment(Math.max(earliest, from + ((to - from) * 2) / 3), clock, attempt)
  }
  signal.addEventListener('abort', () => callOff(), { once: true })
  wait(0)
}

const backoffOf = ({ random = Math.random }: KeepRenewedOptions): Backoff =>
  new Backoff({ firstMs: 1000, mostMs: 300_000, random })

/** One attempt: by itself, or by the first manager that does so. */
async function renew(identity: Identity, { managers, signal, clock }: KeepRenewedOptions): Promise<void> {
  if (identity.authority) return identity.renewOwn()
  const problems: string[] = []
  for (const address of managers()) {
    try {
      return await renewAt(address, identity, { signal, ...(clock && { clock }) })
    } catch (thrown) {
      problems.push(asError(thrown).message)
    }
  }
  throw new SecurityError(problems.join('; ') || 'no manager of the cluster is known')
}

const troubleOf = (identity: Identity, error: unknown): string =>
  `the certificate of this node ${identity.isValid ? 'ends' : 'is not valid: it ends'} at ${endOf(identity)}. ${asError(error).message}`

const endOf = (identity: Identity): string => new Date(validityOf(identity.newest).to).toISOString()
