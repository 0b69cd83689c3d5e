// What can go wrong when a node joins a cluster: each is said in words for whoever types the code.
import { ShoalError } from '@shoal/core'
import { z } from 'zod'

/** A code that cannot be read: it says whether letters are missing, wrong, or of another version. */
export class CodeError extends ShoalError {
  override readonly name: string = 'CodeError'
}

/**
 * Why a node is not taken in. 'unknown': no such invitation at this node; 'used', 'expired', 'void': it does not count any more; 'taken': another node has that
 * id; 'removed': the node of that id was put out; 'version': the two speak other versions; 'request': what was sent is not as it should be.
 */
export const refusalReasonSchema = z.enum([
  'unknown',
  'used',
  'expired',
  'void',
  'taken',
  'removed',
  'version',
  'request',
])
/** Why a node is not taken in. */
export type RefusalReason = z.infer<typeof refusalReasonSchema>

/** A cluster that does not take a node in. */
export class JoinError extends ShoalError {
  override readonly name: string = 'JoinError'
  readonly reason: RefusalReason
  constructor(reason: RefusalReason, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.reason = reason
  }
}
