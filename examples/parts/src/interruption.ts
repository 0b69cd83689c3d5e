// Ctrl+C as a wish to end soon: the present step is finished, and what was learned is saved.
import type { Hook } from '@shoal/train'

/** A terminal sends Ctrl+C to a whole group of processes, and some of them send it on: within this time it is the same wish. */
const sameWishMs = 1000

/** Aborts at the first SIGINT or SIGTERM. Whoever asks again a second later is not kept waiting: the process ends at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  let asked = 0
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => {
      if (!controller.signal.aborted) asked = performance.now()
      else if (performance.now() - asked > sameWishMs) process.exit(130)
      controller.abort(`it was asked to end by ${name}`)
    })
  return controller.signal
}

/** Ends training after the present step once a signal is aborted; hooks still do what they do at the end. */
export const stopWhen = (signal: AbortSignal): Hook => ({
  afterRun: (run) => {
    if (signal.aborted) run.stop(String(signal.reason))
  },
})
