import { Session, UninitializedError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { ClusterSpec } from '../cluster/clusterSpec.ts'
import { CheckpointKeeper } from './checkpointKeeper.ts'
import { Chiefship } from './chiefship.ts'
import { everyoneLives } from './liveness.ts'
import { QuickClock } from './testing/quickClock.ts'

const cluster = new ClusterSpec({ worker: ['w:0'] })

/** A keeper that is chief, and the steps that it saves. */
function keeperOf(fail?: Error) {
  const steps: number[] = []
  const log = (): void => {}
  const clock = new QuickClock()
  const keeper = new CheckpointKeeper({
    saver: {
      save: async (_, __, { step }) => {
        if (fail) throw fail
        steps.push(step)
      },
      latest: async () => steps.at(-1),
      restore: () => Promise.reject(new Error('not asked for')),
    },
    variables: [],
    chiefship: new Chiefship({ cluster, own: { job: 'worker', task: 0 }, liveness: everyoneLives, log }),
    name: 'w',
    everySteps: 10,
    everySeconds: 60,
    clock,
    log,
  })
  return { keeper, steps, clock }
}

describe('a keeper of checkpoints', () => {
  const session = new Session()

  it('saves the end once, and again where training was set back to an earlier step meanwhile', async () => {
    const { keeper, steps } = keeperOf()
    keeper.begin(0)
    await keeper.stepDone(session, 10, {})
    await keeper.end(session, 10, {})
    expect(steps).toEqual([10])
    keeper.begin(5)
    await keeper.end(session, 10, {})
    expect(steps).toEqual([10, 10])
  })

  it('goes on counting when a session is opened anew at the same step, by steps and by time', async () => {
    const { keeper, steps, clock } = keeperOf()
    keeper.begin(0)
    for (const step of [4, 8, 11]) {
      await keeper.stepDone(session, step, {})
      keeper.begin(step)
    }
    expect(steps).toEqual([11])
    clock.advance(40_000)
    keeper.begin(12)
    clock.advance(20_000)
    await keeper.stepDone(session, 13, {})
    expect(steps).toEqual([11, 13])
  })

  it('hides no error but those of the system', async () => {
    const { keeper } = keeperOf(new UninitializedError('w has no value'))
    keeper.begin(0)
    await expect(keeper.stepDone(session, 10, {})).rejects.toThrow(UninitializedError)
  })
})
