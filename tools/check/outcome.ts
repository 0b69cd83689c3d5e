// The answer of one check: how much of it passed, and what it had to say.
import type { Ended } from '../run.ts'

/** How a check ended. `output` is shown when something failed. */
export interface Outcome {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly output: string
  readonly seconds: number
}

/** A child process as a check that counts as one. */
export function single(name: string, { ok, output, seconds }: Ended): Outcome {
  return { name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, output, seconds }
}

/** Something to find out, begun when it is called. */
export type Check = () => Promise<Outcome>
