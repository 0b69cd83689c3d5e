// Why a peer could not be reached at an address: one of few kinds, and words that a person can act on.
import { asError, DeadlineError, SecurityError, ValidityError } from '@shoal/distributed/peers'

/** What kept two nodes apart. */
export type ProblemKind =
  | 'refused'
  | 'no-route'
  | 'timed-out'
  | 'unknown-host'
  | 'tls'
  | 'clocks'
  | 'other-cluster'
  | 'other-node'
  | 'self'
  | 'lost'
  | 'failed'

/** Why an address did not lead to a peer. */
export interface Problem {
  readonly kind: ProblemKind
  /** What happened, and where it helps, what to look at. */
  readonly message: string
}

const words: Readonly<Record<string, Problem>> = {
  ECONNREFUSED: {
    kind: 'refused',
    message: 'refused: the machine is there, but nothing listens at that port',
  },
  EHOSTUNREACH: { kind: 'no-route', message: 'no route: no machine answers at that address' },
  ENETUNREACH: { kind: 'no-route', message: 'no route: this machine has no interface in that network' },
  EADDRNOTAVAIL: { kind: 'no-route', message: 'no route: this machine has no address of that kind' },
  EINVAL: { kind: 'no-route', message: 'no route: the address cannot be used on this machine' },
  ETIMEDOUT: { kind: 'timed-out', message: 'timed out: no answer; a firewall may drop what is sent there' },
  ENOTFOUND: { kind: 'unknown-host', message: 'unknown host: the name cannot be resolved' },
  EAI_AGAIN: { kind: 'unknown-host', message: 'unknown host: no name server answers' },
  ECONNRESET: { kind: 'tls', message: 'reset: the peer ended the connection before it was secured' },
  EPROTO: { kind: 'tls', message: 'TLS failed: what answers there does not speak TLS 1.3' },
}

const clocksDiffer = ({ message }: ValidityError): Problem => ({
  kind: 'clocks',
  message: `${message}. This machine says that it is ${new Date().toISOString()}: set the clocks of both`,
})

/** The problem that an attempt to connect ended in. */
export function problemOf(thrown: unknown): Problem {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
    const known = words[code]
    if (known) return known
    if (error instanceof ValidityError) return clocksDiffer(error)
    if (error instanceof DeadlineError) return words['ETIMEDOUT']!
    if (/^ERR_(?:SSL|TLS)_|CERT/.test(code)) return { kind: 'tls', message: `TLS failed: ${error.message}` }
    if (error instanceof SecurityError) return { kind: 'tls', message: `TLS failed: ${error.message}` }
  }
  return { kind: 'failed', message: asError(thrown).message }
}
