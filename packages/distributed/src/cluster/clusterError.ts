// What can be wrong about the description of a cluster.
import { ShoalError } from '@shoal/core'

/** A cluster, a task or TF_CONFIG that is described wrongly; the message says where and what is wanted. Trying again does not help. */
export class ClusterError extends ShoalError {
  override readonly name: string = 'ClusterError'
}
