// What ends with a certificate. Certificates go by the calendar, timers by a clock that stands still while a machine sleeps: one has to look again.
import type { Clock } from '../clock.ts'

/** Milliseconds after which the calendar is looked at again, whatever is left. */
const lookAgainMs = 60_000

/**
 * Calls `action` when a moment of the calendar has come, at most a minute late where the machine was asleep.
 * @param moment milliseconds since 1970; undefined: it never comes.
 * @returns what calls it off.
 */
export function atMoment(moment: number | undefined, clock: Clock, action: () => void): () => void {
  if (moment === undefined) return () => undefined
  let disarm: () => void
  const look = (): void => {
    const leftMs = moment - Date.now()
    disarm = clock.after(Math.max(0, Math.min(leftMs, lookAgainMs)), leftMs > 0 ? look : action)
  }
  look()
  return () => disarm()
}
