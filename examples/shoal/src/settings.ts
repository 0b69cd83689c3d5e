// What the program is told by flags, as numbers: how much there is to be learnt.
import { ValueError } from '@shoal/core'
import type { Task } from 'shoal'

const defaults = {
  /** Of initial weights and of the order of images. */
  seed: 1,
  /** Times that all images for learning are gone through in the training. */
  epochs: 5,
  /** Times that a trial goes through its sample. */
  trialEpochs: 8,
  /** Images that a trial learns from. */
  sample: 2000,
}

/** The settings of the job; those that it was not given are as they are by default. @throws ValueError for one that is no whole number above 0 */
export function settingsOf({ settings }: Pick<Task, 'settings'>): Readonly<typeof defaults> {
  const given = Object.keys(defaults).flatMap((name) => {
    const value = settings[name]
    if (value === undefined) return []
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return [[name, value] as const]
    throw new ValueError(
      `the setting '${name}' is ${JSON.stringify(value)}; it must be a whole number above 0`,
    )
  })
  return { ...defaults, ...Object.fromEntries(given) }
}
