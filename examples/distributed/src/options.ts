// The command line of the example, which the processes of all its tasks are given as well.
import { type CommonArguments, readArguments } from '@shoal/example-parts'
import { arrangementOf, arrangements } from './arrangements.ts'
import type { Arrangement, TrainingOptions } from './training.ts'

/** What is to be trained, and on what. */
export interface ExampleOptions extends TrainingOptions, Pick<CommonArguments, 'device' | 'threads'> {
  /** The name of `arrangement`. */
  readonly named: string
  readonly arrangement: Arrangement
}

/** Reads the command line. Prints what went wrong and ends the process with 2 when it cannot be understood. */
export function readOptions(): ExampleOptions {
  const args = readArguments({ arrangement: 'asynchronous', steps: 0, batch: 0 })
  const arrangement = arrangementOf(args.arrangement)
  if (!arrangement) {
    console.error(
      `--arrangement is one of ${Object.keys(arrangements).join(', ')}, not '${args.arrangement}'`,
    )
    process.exit(2)
  }
  const { steps, batch } = arrangement.defaults[args.short ? 'short' : 'whole']
  const { seed, short, device, threads } = args
  return {
    named: args.arrangement,
    arrangement,
    steps: args.steps || steps,
    batch: args.batch || batch,
    seed,
    short,
    device,
    threads,
  }
}
