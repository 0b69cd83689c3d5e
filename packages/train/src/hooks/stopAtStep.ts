// Ends training after a number of steps.
import type { Hook } from '../hook.ts'

/** Ends training once `step` steps are done, those before a resumed start included. */
export const stopAtStep = (step: number): Hook => ({
  begin: (run) => {
    if (run.step >= step) run.stop(`${run.step} steps were done before`)
  },
  afterRun: (run) => {
    if (run.step >= step) run.stop(`${step} steps are done`)
  },
})
