// How a node that joins comes to the doors of a cluster: at all addresses it knows, each a little later than the one before, since some lead nowhere and say so late.
import { connect, type TLSSocket } from 'node:tls'
import {
  asError,
  type Clock,
  ConnectError,
  DeadlineError,
  parseAddress,
  pause,
} from '@shoal/distributed/peers'
import { Conversation } from '../identity/conversation.ts'
import { joinProtocolName } from './joinMessages.ts'

/** So long does an address wait for the one before it. */
const staggerMs = 100

/** Somebody who answers, of whom nothing is known yet. */
export interface Door {
  readonly socket: TLSSocket
  readonly talk: Conversation
}

/** What came of one address. */
export type Knocked = { readonly address: string } & ({ readonly door: Door } | { readonly error: Error })

/** How to knock. */
export interface KnockOptions {
  readonly clock: Clock
  /** Milliseconds that everything may take that is said at one door, the way there included. */
  readonly deadlineMs: number
  readonly signal: AbortSignal
}

/** Knocks at all addresses, and tells what came of each as soon as it is known. Whoever reads no more must abort the signal, which shuts all doors. */
export async function* knockAtAll(
  addresses: readonly string[],
  options: KnockOptions,
): AsyncGenerator<Knocked> {
  const knocks = new Map(
    addresses.map((address, i) => [address, knockLater(address, i * staggerMs, options)] as const),
  )
  while (knocks.size > 0) {
    const knocked = await Promise.race(knocks.values())
    knocks.delete(knocked.address)
    yield knocked
  }
}

async function knockLater(address: string, afterMs: number, options: KnockOptions): Promise<Knocked> {
  try {
    if (afterMs > 0) await pause(afterMs, options.clock, options.signal)
    return { address, door: await knock(address, options) }
  } catch (thrown) {
    return { address, error: asError(thrown) }
  }
}

/** Connects without showing who one is, and without believing anything yet. */
function knock(address: string, { clock, deadlineMs, signal }: KnockOptions): Promise<Door> {
  const { host, port } = parseAddress(address)
  return new Promise((resolve, reject) => {
    const settings = {
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      checkServerIdentity: () => undefined,
    } as const
    const socket = connect({ host, port, ALPNProtocols: [joinProtocolName], ...settings })
    const talk = new Conversation(socket, { deadlineMs, clock, about: 'joining' })
    const withdraw = (): void => void socket.destroy(asError(signal.reason))
    signal.addEventListener('abort', withdraw, { once: true })
    socket.once('close', () => {
      signal.removeEventListener('abort', withdraw)
      reject(failedKnock(socket))
    })
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol === joinProtocolName) return resolve({ socket, talk })
      socket.destroy(new ConnectError(`what answers does not speak ${joinProtocolName}`))
    })
  })
}

function failedKnock({ errored }: TLSSocket): Error {
  if (errored instanceof DeadlineError || errored instanceof ConnectError) return errored
  const { code, message = 'it hung up' } = (errored ?? {}) as Partial<NodeJS.ErrnoException>
  const isOther = code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'
  const why = isOther
    ? `what answers does not speak ${joinProtocolName}: it may be a shoal of another version`
    : message
  return new ConnectError(why, { cause: errored })
}
