// Lines about training, for logs.
import type { Hook } from '../hook.ts'
import { formatMetrics, formatPart, scalarsOf } from '../hook.ts'
import { Means } from '../metrics/means.ts'

/** When and where lines are written. */
export interface LoggingOptions {
  /** A line after so many steps, with means over them. Default: only at the ends of epochs. */
  readonly everySteps?: number
  /** Default: `console.log`. */
  readonly log?: (line: string) => void
}

/** Writes a line at the end of each epoch, which says so when the epoch was a partial one, and every so many steps if wanted. */
export function logging({ everySteps, log = (line) => console.log(line) }: LoggingOptions = {}): Hook {
  const means = new Means()
  return {
    afterRun(run, values) {
      if (everySteps === undefined) return
      means.add(scalarsOf(values))
      if (run.step % everySteps !== 0) return
      log(`step ${run.step}: ${formatMetrics(means.means)}`)
      means.clear()
    },
    epochEnd(run, metrics) {
      log(
        `epoch ${run.epoch + 1} of ${run.epochs}${formatPart(run)}, step ${run.step}: ${formatMetrics(metrics)}`,
      )
    },
    end(run, error) {
      if (error === undefined && run.stopped !== undefined) log(`stopped: ${run.stopped}`)
    },
  }
}
