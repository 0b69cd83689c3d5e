// Who may be which task: a certificate that names a role is good for the tasks of the job of that name, and for no others.
import { formatDeviceName } from '@shoal/core'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { SecurityError } from '../errors.ts'
import { namePeer, type PeerIdentity } from '../transport/contract.ts'

/**
 * Makes sure that a node may be a task. One without a role may be any; so may all where there are no certificates.
 * @throws SecurityError naming the node, its role and the task.
 */
export function demandTask(task: TaskName, peer: PeerIdentity): void {
  if (peer.cluster === '' || peer.role === '' || peer.role === task.job) return
  throw new SecurityError(
    `${namePeer(peer)} may not be ${formatDeviceName(task)}: its certificate is for job '${peer.role}'`,
  )
}
