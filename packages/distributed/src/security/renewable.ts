// Certificates that last for hours have to be replaced while they are in use: whoever opens a connection asks here for the present one.
import { SecurityError } from '../errors.ts'
import { checkCredentials, type NodeCredentials } from './identity.ts'

/** A node's credentials, which may be replaced by newer ones at any time. Connections that are opened from then on use the newer ones. */
export class RenewableCredentials {
  #present: NodeCredentials
  readonly #name: string
  readonly #listeners = new Set<(present: NodeCredentials) => void>()

  /** @throws SecurityError for credentials that are not valid. */
  constructor(first: NodeCredentials) {
    this.#name = nameOf(first)
    this.#present = first
  }

  /** Those that were given last. */
  get present(): NodeCredentials {
    return this.#present
  }

  /**
   * Replaces them, be they still valid or not. Connections that are open stay open until the certificates end with which they were opened.
   * @throws SecurityError for credentials that are not valid, and for those of another node, role or cluster: who a process is does not change.
   */
  renew(next: NodeCredentials): void {
    const is = nameOf(next)
    if (this.#name !== is)
      throw new SecurityError(`the credentials of ${this.#name} cannot be renewed by those of ${is}`)
    this.#present = next
    for (const listener of this.#listeners) listener(next)
  }

  /** Has `renewed` called with all that follow, until what is returned is called. */
  onRenewal(renewed: (present: NodeCredentials) => void): () => void {
    this.#listeners.add(renewed)
    return () => void this.#listeners.delete(renewed)
  }
}

/** Credentials that stay as they are, or that may be renewed. */
export type Credentials = NodeCredentials | RenewableCredentials

/** The credentials to use at this moment. */
export const presentOf = (credentials: Credentials): NodeCredentials =>
  credentials instanceof RenewableCredentials ? credentials.present : credentials

/** Has `renewed` called whenever there are newer ones, until what is returned is called. */
export const onRenewal = (
  credentials: Credentials,
  renewed: (present: NodeCredentials) => void,
): (() => void) =>
  credentials instanceof RenewableCredentials ? credentials.onRenewal(renewed) : () => undefined

function nameOf(credentials: NodeCredentials): string {
  const { cluster, node, role } = checkCredentials(credentials)
  return `${role || 'node'} '${node}' of cluster ${cluster}`
}
