// Steps that take as long everywhere.
import { setTimeout } from 'node:timers/promises'
import type { TrainingOptions } from './protocol.ts'

/** Does a step, which takes no less than `paceMs`. */
export async function paced(
  { paceMs }: Pick<TrainingOptions, 'paceMs'>,
  step: () => Promise<unknown>,
): Promise<void> {
  await Promise.all([step(), setTimeout(paceMs)])
}
