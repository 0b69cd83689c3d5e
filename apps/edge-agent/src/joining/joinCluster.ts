// The way into a cluster, from outside: who opens is made to show that it is of the cluster of the code before anything is said to it.
import type { TLSSocket } from 'node:tls'
import {
  asError,
  Backoff,
  CancelledError,
  type Clock,
  ConnectError,
  ConnectionLostError,
  clusterOf,
  DeadlineError,
  pause,
  SecurityError,
  systemClock,
  ValidityError,
  verifyIdentity,
} from '@shoal/distributed/peers'
import type { Conversation } from '../identity/conversation.ts'
import { memberOf, type Membership } from '../identity/membership.ts'
import { newNodeKey, type NodeKey, signedFor } from '../identity/nodeKey.ts'
import { type JoinCode, parseCode } from './code.ts'
import { JoinError } from './errors.ts'
import {
  acceptanceSchema,
  applicationPurpose,
  helloSchema,
  type KnownMember,
  protocolVersion,
  welcomeSchema,
} from './joinMessages.ts'
import { type Door, knockAtAll } from './knock.ts'
import { otherVersion } from './joinProtocol.ts'
import { isProofOf, proofOf, secretsOf } from './secret.ts'

/** Milliseconds that one attempt at one address may take. */
const attemptMs = 12_000

/** How to join. */
export interface JoinOptions {
  /** The id that the node is to have: its own. */
  readonly nodeId: string
  /** Where nodes of the cluster may be besides those in the code, tried first: `host:port`. Default: none. */
  readonly addresses?: readonly string[]
  /** Milliseconds until it is given up. Default 30 s. */
  readonly deadlineMs?: number
  readonly signal?: AbortSignal | undefined
  /** Default: the system's. */
  readonly clock?: Clock
  /** Default: `protocolVersion`. */
  readonly version?: string
}

/** What a node gets that joins: for `Identity.adopt`, and whom to connect to. */
export interface Joined extends Membership {
  readonly members: readonly KnownMember[]
}

/**
 * Joins the cluster of a code. The same key is shown at each attempt, so that an attempt whose answer was lost is none lost.
 * @throws CodeError for a code that cannot be read, JoinError where the cluster does not take the node in, SecurityError where others than the cluster
 *   answer, ConnectError where nobody does, DeadlineError, the reason of the signal.
 */
export async function joinCluster(text: string, options: JoinOptions): Promise<Joined> {
  const { addresses: given = [], deadlineMs = 30_000, signal, clock = systemClock } = options
  const code = parseCode(text)
  signal?.throwIfAborted()
  const addresses = [...new Set([...given, ...code.addresses])]
  if (addresses.length === 0)
    throw new ConnectError(
      `no node of the cluster ${code.clusterId.slice(0, 12)}… was found: give the address of the one that has made the code`,
    )
  const key = newNodeKey()
  const until = clock.now() + deadlineMs
  const backoff = new Backoff({ random: Math.random })
  for (;;) {
    const problems: Problem[] = []
    const over = new AbortController()
    const leave = (): void => over.abort(signal!.reason)
    signal?.addEventListener('abort', leave, { once: true })
    try {
      const leftMs = Math.max(1, Math.min(attemptMs, until - clock.now()))
      const how = { clock, deadlineMs: leftMs, signal: over.signal }
      // One by one: two at the doors of the same node would be in each other's way.
      for await (const { address, ...knocked } of knockAtAll(addresses, how)) {
        signal?.throwIfAborted()
        try {
          if ('error' in knocked) throw knocked.error
          return await joinAt(knocked.door, code, key, options)
        } catch (thrown) {
          signal?.throwIfAborted()
          const error = asError(thrown)
          // Another node of the cluster may know the code; all else is the same everywhere.
          if (error instanceof JoinError && error.reason !== 'unknown') throw error
          problems.push({ address, error })
        }
      }
    } finally {
      signal?.removeEventListener('abort', leave)
      over.abort(new CancelledError('nobody stands at this door any more'))
    }
    // Who hung up, or was slow, may have had too many at the door.
    const isWorthAnother = problems.some(
      ({ error }) => error instanceof ConnectionLostError || error instanceof DeadlineError,
    )
    const pauseMs = backoff.next()
    if (!isWorthAnother || clock.now() + pauseMs >= until) throw failureOf(problems)
    await pause(pauseMs, clock, signal)
  }
}

interface Problem {
  readonly address: string
  readonly error: Error
}

/** One error for what went wrong everywhere. */
function failureOf(problems: readonly Problem[]): Error {
  const errors = problems.map(({ error }) => error)
  const message = `the cluster was not joined: ${problems.map(({ address, error }) => `at ${address}, ${error.message}`).join('; ')}`
  const cause = errors.find((error) => error instanceof JoinError) ?? errors[0]
  if (cause instanceof JoinError) return new JoinError(cause.reason, message, { cause })
  const Kind = [SecurityError, DeadlineError].find((kind) => errors.some((error) => error instanceof kind))
  return new (Kind ?? ConnectError)(message, { cause })
}

async function joinAt(
  { socket, talk }: Door,
  code: JoinCode,
  key: NodeKey,
  { nodeId, version = protocolVersion }: JoinOptions,
): Promise<Joined> {
  try {
    const authority = await inviterOf(socket, talk, code, version)
    const secrets = secretsOf(code.secret, code.clusterId)
    const { binding } = talk
    talk.say({ version, invitation: secrets.id, proof: proofOf(secrets.key, 'joiner', binding) })
    const welcome = await talk.hear(welcomeSchema)
    if (welcome.kind === 'refused') throw new JoinError(welcome.reason, welcome.message)
    if (!isProofOf(secrets.key, 'inviter', binding, welcome.proof))
      throw new SecurityError('the node there does not know the secret of the code')
    const { publicKey, privateKey } = key
    talk.say({ nodeId, publicKey, signature: signedFor(applicationPurpose, binding, privateKey) })
    const answer = await talk.hear(acceptanceSchema)
    if (answer.kind === 'refused') throw new JoinError(answer.reason, answer.message)
    const { certificate, authorityKey, members } = answer
    const credentials = { certificate, privateKey, authority }
    checkCertificate(memberOf(credentials), { ...code, nodeId })
    return { credentials, authorityKey, members }
  } finally {
    talk.end()
  }
}

/** The authority of the cluster of the code, once the other end has proved to be a manager of it. */
async function inviterOf(
  socket: TLSSocket,
  talk: Conversation,
  { clusterId }: JoinCode,
  version: string,
): Promise<string> {
  const hello = await talk.hear(helloSchema)
  const { authority } = hello
  if (authority === undefined) throw new ConnectError(otherVersion(hello.version, version))
  if (clusterOf(authority) !== clusterId)
    throw new SecurityError(
      `the node there is of another cluster, ${clusterOf(authority).slice(0, 12)}…: the code is for ${clusterId.slice(0, 12)}…`,
    )
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) throw new SecurityError('the node there shows no certificate')
  try {
    const { node, role } = verifyIdentity(certificate, authority)
    if (role !== 'manager') throw new SecurityError(`'${node}' there is a ${role}, and may not take nodes in`)
  } catch (error) {
    if (!(error instanceof ValidityError)) throw error
    const now = new Date().toISOString()
    throw new ValidityError(`${error.message}. This machine says that it is ${now}: set the clocks of both`, {
      cause: error,
    })
  }
  if (hello.version !== version) throw new JoinError('version', otherVersion(hello.version, version))
  return authority
}

function checkCertificate(
  got: ReturnType<typeof memberOf>,
  wanted: Pick<JoinCode, 'clusterId' | 'role'> & { readonly nodeId: string },
): void {
  if (got.nodeId !== wanted.nodeId || got.role !== wanted.role || got.clusterId !== wanted.clusterId)
    throw new SecurityError(
      `the certificate that was given is for ${got.role} '${got.nodeId}', and not for ${wanted.role} '${wanted.nodeId}'`,
    )
}
