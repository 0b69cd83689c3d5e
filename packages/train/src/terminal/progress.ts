// Progress on the terminal: a bar that moves, or plain lines where nothing can move.
import { createLogUpdate } from 'log-update'
import type { Hook, TrainingRun } from '../hook.ts'
import { formatMetrics, formatPart, scalarsOf } from '../hook.ts'

/** Where progress is shown. */
export interface ProgressOptions {
  /** Default: standard error, so that results can be piped elsewhere. */
  readonly stream?: NodeJS.WriteStream
  /** Milliseconds between redraws; default 100. */
  readonly everyMs?: number
  /** Milliseconds that only grow. Default: the clock of the process. */
  readonly now?: () => number
}

/**
 * Shows, on a terminal, a bar for the epoch with the numbers of the last step and the time that is left; and leaves one line for each epoch, a partial one marked.
 * Anywhere else it writes only these lines.
 */
export function progress({
  stream = process.stderr,
  everyMs = 100,
  now = () => performance.now(),
}: ProgressOptions = {}): Hook {
  // The cursor stays: a program that is killed could not bring it back.
  const live = stream.isTTY ? createLogUpdate(stream, { showCursor: true }) : undefined
  const keep = (line: string): void => {
    if (!live) return void stream.write(`${line}\n`)
    live.clear()
    live.persist(line)
  }
  let begun = 0
  let drawn = Number.NEGATIVE_INFINITY
  return {
    epochBegin() {
      begun = now()
      drawn = Number.NEGATIVE_INFINITY
    },
    afterRun(run, values) {
      if (!live || now() - drawn < everyMs) return
      drawn = now()
      const perBatch = (drawn - begun) / (run.batch - run.skipped)
      live(
        [nameOf(run), bar(run), formatMetrics(scalarsOf(values)), remaining(run, perBatch)]
          .filter(Boolean)
          .join('  '),
      )
    },
    epochEnd(run, metrics) {
      keep(
        `${nameOf(run)}${formatPart(run)}  step ${run.step}  ${formatMetrics(metrics)}  ${duration(now() - begun)}`,
      )
    },
    end(run, error) {
      if (error === undefined && run.stopped !== undefined) keep(`stopped: ${run.stopped}`)
      live?.done()
    },
  }
}

const nameOf = (run: TrainingRun): string => `epoch ${run.epoch + 1}/${run.epochs}`

const barCells = 20
function bar({ batch, batches }: TrainingRun): string {
  if (batches === undefined || !Number.isFinite(batches)) return `batch ${batch}`
  const filled = Math.min(barCells, Math.floor((barCells * batch) / batches))
  return `${'█'.repeat(filled)}${'░'.repeat(barCells - filled)} ${batch}/${batches}`
}

function remaining({ batch, batches }: TrainingRun, perBatch: number): string {
  if (batches === undefined || !Number.isFinite(batches)) return ''
  return `${duration(perBatch * (batches - batch))} left`
}

/** `0.8 s`, `42 s`, `3 min 20 s`. */
function duration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 59.5) return `${Math.round(seconds)} s`
  return `${Math.floor(Math.round(seconds) / 60)} min ${Math.round(seconds) % 60} s`
}
