// Several models from one training: its rate falls and starts anew in cycles, and the model at the end of each cycle is kept.
//
// Huang et al., Snapshot ensembles: train 1, get M for free, 2017. The rate is `cosineDecayRestarts({ steps: every, lengthen: 1 })`.
import { ValueError } from '@shoal/core'
import type { Hook } from '../hook.ts'
import { formatMetrics, scalarsOf } from '../hook.ts'
import type { CaptureOptions, SavedModel } from '../model/savedModel.ts'
import { captureModel } from '../model/savedModel.ts'

/** What is kept, and when. */
export interface SnapshotOptions extends Omit<CaptureOptions, 'session' | 'metadata'> {
  /** Steps from one snapshot to the next: the length of a cycle of the rate. */
  readonly every: number
  /** How many of the last snapshots are kept. Default: all. */
  readonly keep?: number
}

/** A hook that collects models. */
export interface Snapshots extends Hook {
  /** The oldest first. Their metadata have the `step`, and its `metrics`. */
  readonly models: readonly SavedModel[]
}

/** Keeps the model as it is after each `every` steps. @throws ValueError for numbers below 1; at the first snapshot, what `captureModel` throws. */
export function snapshots({ every, keep = Infinity, ...parts }: SnapshotOptions): Snapshots {
  for (const [name, x] of Object.entries({ every, keep }))
    if (!(x >= 1 && (Number.isSafeInteger(x) || (name === 'keep' && x === Infinity))))
      throw new ValueError(`${name} is ${x}; it must be a whole number, at least 1`)
  const models: SavedModel[] = []
  return {
    models,
    async afterRun({ session, step }, values) {
      if (step % every !== 0) return
      const metadata = { step: String(step), metrics: formatMetrics(scalarsOf(values)) }
      models.push(await captureModel({ ...parts, session, metadata }))
      if (models.length > keep) models.shift()
    },
  }
}
