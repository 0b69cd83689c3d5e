// The end of a program that is asked for from outside, as one more reason to stop what it waits for.
import { TerminatedError } from './exitCode.ts'

/**
 * A signal that aborts with a TerminatedError when the system asks this process to end, by SIGTERM or SIGINT. The same one a second time ends the process
 * at once.
 */
export function termination(): AbortSignal {
  const control = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.once(name, () => control.abort(new TerminatedError(name)))
  return control.signal
}
