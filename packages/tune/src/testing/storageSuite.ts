// What every storage keeps to, as a suite of its maker.
import { describe, expect, it } from 'vitest'
import { float } from '../space/domain.ts'
import type { StudyStorage } from '../storage/storage.ts'
import type { TrialRecord } from '../trial.ts'
import { waitingTrial } from '../trial.ts'

const header = (name: string) => ({
  name,
  space: { x: float(0, 1) },
  directions: ['minimize' as const],
  seed: 7,
})
const put = (...trials: TrialRecord[]) => ({ put: trials, result: trials.length })

/** Tests a storage that `make` gives anew each time. */
export function storageSuite(name: string, make: () => StudyStorage): void {
  describe(name, () => {
    it('keeps a study as it was first opened', async () => {
      const storage = make()
      expect(await storage.open(header('a'))).toEqual(header('a'))
      expect(await storage.open({ ...header('a'), seed: 8 })).toEqual(header('a'))
      await storage.close()
    })

    it('keeps studies apart', async () => {
      const storage = make()
      await storage.open(header('a'))
      await storage.open(header('b'))
      await storage.change('a', () => put(waitingTrial(0, { x: 0.5 })))
      expect(await storage.change('b', (trials) => ({ put: [], result: trials }))).toEqual([])
      expect(await storage.change('a', (trials) => ({ put: [], result: trials }))).toEqual([
        waitingTrial(0, { x: 0.5 }),
      ])
      await storage.close()
    })

    it('puts all of a change or nothing', async () => {
      const storage = make()
      await storage.open(header('a'))
      await storage.change('a', () => put(waitingTrial(0, { x: 0 }), waitingTrial(1, { x: 1 })))
      const failing = storage.change('a', () => {
        throw new RangeError('no')
      })
      await expect(failing).rejects.toThrow(RangeError)
      await storage.change('a', (trials) => put({ ...trials[1]!, state: 'failed', error: 'was refused' }))
      const states = await storage.change('a', (trials) => ({
        put: [],
        result: trials.map(({ state }) => state),
      }))
      expect(states).toEqual(['waiting', 'failed'])
      await storage.close()
    })

    it('knows no study that was not opened', async () => {
      const storage = make()
      await expect(storage.change('a', () => put())).rejects.toThrow("no study 'a'")
      await storage.close()
    })
  })
}
