import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing/temporaryFolder.ts'
import { examineClock } from './clock.ts'
import { begin, neighbour, patient, report } from './testing/patients.ts'

const says = async (...found: Parameters<typeof patient>) =>
  (await examineClock(patient(...found))).map(({ verdict, what }) => `${verdict}: ${what}`)
const clocks = (...aheadMs: readonly number[]) => ({
  report: report({ neighbours: aheadMs.map((ms, i) => neighbour(`pi${i + 2}`, { aheadMs: ms })) }),
})

describe('the examination of the clock', () => {
  it('is content where all say the same', async () => {
    expect(await says(clocks(20, -900))).toEqual([
      "good: it is 2026-11-20T01:00:00Z, as 'pi2', 'pi3' says too",
    ])
  })

  it('tells whose clock is off, where more than two can be compared', async () => {
    expect(await says(clocks(-90_000))).toEqual([
      "fault: the clocks of this machine and of 'pi2' are apart: 'pi2' is 2 minutes behind",
    ])
    expect(await says(clocks(5, 7_200_000))).toEqual([
      "fault: the clocks of this machine and of 'pi3' are apart: 'pi3' is 2 hours ahead",
    ])
    expect(await says(clocks(40_000, 40_100))).toEqual([
      "fault: the clock of this machine is off: 'pi2' is 40 seconds ahead, 'pi3' is 40 seconds ahead",
    ])
  })

  it('finds that it is before what has certainly been', async () => {
    expect(await says({}, 1000)).toEqual([
      'fault: this machine says that it is 1970-01-01T00:00:01Z, and its certificate was made at 2026-11-20T00:00:00Z',
    ])
    const folder = temporaryFolder()
    const file = join(folder, 'identity.json')
    writeFileSync(file, '')
    utimesSync(file, new Date(begin + 7_200_000), new Date(begin + 7_200_000))
    const { means } = patient()
    expect(await says({ means: { ...means, folder } })).toEqual([
      'fault: this machine says that it is 2026-11-20T01:00:00Z, and a file of its state folder was written at 2026-11-20T02:00:00Z',
    ])
  })

  it('finds that certificates of others are not valid by it', async () => {
    const problem = "TLS failed: the certificate of 'pi2' is valid from then on, which is not now"
    const knocks = [{ address: '10.0.0.2:7070', answer: undefined, problem, isUntimely: true }]
    expect((await says({ knocks }))[0]).toBe(
      `fault: this machine says that it is 2026-11-20T01:00:00Z. ${problem}`,
    )
  })

  it('does not know where nobody is there', async () => {
    const silent = {
      report: report({ neighbours: [neighbour('pi2', { problem: 'no answer', aheadMs: 0 })] }),
    }
    expect((await says(silent))[0]).toMatch(/^unknown: .* no other node to compare/)
  })
})
