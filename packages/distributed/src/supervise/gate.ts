// What replicas that wait for each other pass through: it is told of every session, of who lives, and of the end.
import type { Session } from '@shoal/core'

/** One replica's gate; that of the chief is the one that moves. */
export interface Gate {
  /** Before the chief gives variables values. */
  hold(session: Session): Promise<void>
  /** In every new session that is ready: this replica may train in it. */
  enter(session: Session): Promise<void>
  /** Who lives, or who is chief, may have changed. */
  adjust(session: Session): Promise<void>
  /** Training is over: nobody has to wait any more. */
  finish(session: Session): Promise<void>
}
