// How a control plane is started, and what its thread is started with once that has been checked.
import { randomBytes } from 'node:crypto'
import { checkOptions, type OptionRules, optionRules, parseDeviceName, ValueError } from '@shoal/core'
import { clusterOf } from '../security/identity.ts'
import { presentOf } from '../security/renewable.ts'
import { parseAddress } from '../transport/address.ts'
import { checkHost, checkSecurity, type Security } from '../transport/security.ts'
import type { HeartbeatSettings, News, NodeSettings, PeerTable } from './controlNode.ts'
import type { StopRequest } from './controlService.ts'
import type { PeerAddress } from './dialler.ts'
import type { PeerEvent } from './failureDetector.ts'
import type { NodeUpdate } from './nodeStatus.ts'

/** The peers of a node by the names of their tasks: where each is, and if it matters which node it has to be. */
export type ControlPeers = Readonly<Record<string, string | PeerAddress>>

/** How to start a control plane: with `credentials`, or on this machine alone with `insecure: true`, which logs a warning. */
export type ControlOptions = Security & {
  /** Where to listen: `host:port`; port 0 takes a free one. */
  readonly address: string
  /** Whom this node is: `/job:worker/task:1`. */
  readonly task: string
  /** Of this start of the process. Default: 64 random bits as 16 hexadecimal digits. */
  readonly incarnation?: string
  /** The name of the cluster, which all its nodes have to give alike. Default: with credentials the id of their authority, else empty. */
  readonly cluster?: string
  /** What this node runs, for people. Default: empty. */
  readonly version?: string
  /** What the node says of itself at first; `Control.update` changes it. Default: it serves, and has no devices. */
  readonly status?: NodeUpdate
  /** Whom to attend. Default: nobody; others may attend this node nevertheless. */
  readonly peers?: ControlPeers
  /** How often to give signs of life, and how long to wait for those of others. */
  readonly heartbeat?: Partial<HeartbeatSettings>
  /** The roles whose certificates may drain or stop this node. Default: chief, master. Without certificates everybody may. */
  readonly operators?: readonly string[]
  /** Where the code of the thread is, for bundles: that of `@shoal/distributed/control-thread`. Default: beside this module. */
  readonly thread?: URL
  /** Told when a peer joins, is suspected, dies or was restarted. */
  readonly onPeer?: (event: PeerEvent) => void
  /** Told what peers say of others. It is hearsay: what counts is what `onPeer` is told. */
  readonly onNews?: (news: News) => void
  /** Told when an operator wants this node to drain or to stop. What it does then is its own affair; it should say so with `update`. */
  readonly onStop?: (request: StopRequest) => void
  /** Told of each process that was refused, in one line. Default: nobody is. */
  readonly onRefused?: (why: string) => void
  /** Told of what a person should know. Default: `console.warn`. */
  readonly log?: (line: string) => void
}

const defaultHeartbeat: HeartbeatSettings = {
  everyMs: 500,
  jitter: 0.2,
  suspectAfterMs: 1500,
  deadAfterMs: 2500,
}

const heartbeatRules: OptionRules<HeartbeatSettings> = {
  everyMs: optionRules.from(1),
  jitter: optionRules.from(0),
  suspectAfterMs: optionRules.from(1),
  deadAfterMs: optionRules.from(1),
}

/**
 * Checks options and fills in what was left out.
 * @throws ValueError for options that make no sense, SecurityError for credentials that are not valid and for clear text that would leave
 * this machine, ConnectError for an address that is none.
 */
export function nodeSettings(options: ControlOptions): NodeSettings {
  checkSecurity(options, options.log ?? console.warn)
  checkHost(options, parseAddress(options.address).host)
  const { task, incarnation = randomBytes(8).toString('hex'), version = '' } = options
  checkTask(task)
  return {
    name: { cluster: options.cluster ?? clusterName(options), task, incarnation, version },
    address: options.address,
    // What may be renewed cannot be sent to a thread.
    security: 'credentials' in options ? { credentials: presentOf(options.credentials) } : { insecure: true },
    peers: peerTable(options.peers ?? {}, options),
    heartbeat: heartbeatSettings(options.heartbeat ?? {}),
    operators: options.operators ?? ['chief', 'master'],
  }
}

/** Peers as the thread wants them. @throws ValueError, SecurityError, ConnectError. */
export function peerTable(peers: ControlPeers, security: Security): PeerTable {
  const entries = Object.entries(peers).map(([task, given]) => {
    checkTask(task)
    const peer = typeof given === 'string' ? { address: given } : given
    checkHost(security, parseAddress(peer.address).host)
    return [task, peer] as const
  })
  return Object.fromEntries(entries)
}

function heartbeatSettings(given: Partial<HeartbeatSettings>): HeartbeatSettings {
  checkOptions('the heartbeat of a control plane', given, heartbeatRules)
  const settings = { ...defaultHeartbeat, ...given }
  const { everyMs, jitter, suspectAfterMs, deadAfterMs } = settings
  if (!(jitter < 1 && everyMs * (1 + jitter) < suspectAfterMs && suspectAfterMs <= deadAfterMs))
    throw new ValueError(
      `the heartbeat of a control plane: every ${everyMs} ms (± ${jitter}), suspected after ${suspectAfterMs} ms, dead after ${deadAfterMs} ms: each has to be longer than the one before`,
    )
  return settings
}

function checkTask(task: string): void {
  const { job, task: index, type } = parseDeviceName(task)
  if (job === undefined || index === undefined || type !== undefined)
    throw new ValueError(`'${task}' is no task: write '/job:worker/task:0'`)
}

const clusterName = (security: Security): string =>
  'credentials' in security ? clusterOf(presentOf(security.credentials).authority) : ''
