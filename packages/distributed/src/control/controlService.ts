// What a node answers when it is asked: who it is, what there is, and that it shall stop.
import { status as grpcStatus } from '@grpc/grpc-js'
import { namePeer, type PeerIdentity } from '../transport/contract.ts'
import type { NodeStatus } from './nodeStatus.ts'
import { type controlFile, type DeviceMessage, nodeStates } from './proto/control.ts'
import { type Handlers, StatusError } from './rpc.ts'

/** Somebody wants the node to take no more work, or to stop. */
export interface StopRequest {
  /** 'drain': finish what is under way, begin nothing. 'stop': end. */
  readonly kind: 'drain' | 'stop'
  readonly by: PeerIdentity
  readonly reason: string
  /** Milliseconds for what is under way. */
  readonly graceMs: number
}

/** What the answers come from. */
export interface ServiceMeans {
  readonly status: NodeStatus
  /** The devices of those that are attended. */
  readonly peerDevices: () => readonly DeviceMessage[]
  /** The roles that may stop the node; undefined where everybody may. */
  readonly operators: ReadonlySet<string> | undefined
  readonly stop: (request: StopRequest) => void
}

/** All methods but the one that attends. */
export function controlService({
  status,
  peerDevices,
  operators,
  stop,
}: ServiceMeans): Omit<Handlers<typeof controlFile.definition>, 'Attend'> {
  const stopping =
    (kind: StopRequest['kind']) =>
    ({ reason, graceMs }: { reason: string; graceMs: number }, by: PeerIdentity) => {
      if (operators && !operators.has(by.role))
        throw new StatusError(
          grpcStatus.PERMISSION_DENIED,
          `${namePeer(by)} may not ${kind} ${status.name.task}: only nodes with the role ${[...operators].join(' or ')} may`,
        )
      if (!(graceMs >= 0 && graceMs < Infinity))
        throw new StatusError(grpcStatus.INVALID_ARGUMENT, `graceMs is a time, not ${graceMs}`)
      stop({ kind, by, reason, graceMs })
      return { state: kind === 'stop' ? nodeStates.STOPPING : nodeStates.DRAINING }
    }
  return {
    GetStatus: { one: () => status.message() },
    ListDevices: { one: () => ({ devices: [...status.devices, ...peerDevices()] }) },
    Drain: { one: stopping('drain') },
    Stop: { one: stopping('stop') },
  }
}
