import { createStudy, float, randomSampler, type TrialRecord } from '@shoal/tune'
import { describe, expect, it } from 'vitest'
import { Documents } from './documents.ts'
import { DocumentStorage } from './documentStorage.ts'
import { MemoryJob } from './testing/memoryJob.ts'

const space = { x: float(0, 1) }
const leaseMs = 1000

/** A job, a clock that stands still until it is moved, and storages of as many tasks as are asked for. */
function begin() {
  const job = new MemoryJob()
  const time = { now: 0 }
  const clock = { now: () => time.now, after: () => () => {} }
  const storage = (
    writer: string,
    ahead = 0,
    changed?: (before: TrialRecord | undefined, after: TrialRecord) => void,
  ) => {
    const { services, stopped: signal } = job.task(0)
    const own = { ...clock, now: () => time.now + ahead }
    // Pauses between attempts are over at once.
    const after = (_: number, action: () => void): (() => void) => (queueMicrotask(action), () => {})
    const documents = new Documents({ services, signal, clock: { ...own, after }, random: () => 0.5 })
    return {
      clock: own,
      storage: new DocumentStorage(documents, { clock: own, leaseMs, writer, ...(changed && { changed }) }),
    }
  }
  const study = (of: ReturnType<typeof storage>) =>
    createStudy({ space, sampler: randomSampler(), leaseMs, ...of })
  return { job, time, storage, study }
}

describe('studies in documents', () => {
  it('are kept as they were first opened, each in the document of its name', async () => {
    const { job, storage } = begin()
    const header = { name: 'a', space, directions: ['minimize' as const], seed: 7 }
    expect(await storage('one').storage.open(header)).toEqual(header)
    expect(await storage('two').storage.open({ ...header, seed: 8 })).toEqual(header)
    expect([...job.documents.keys()]).toEqual(['a'])
    await expect(storage('one').storage.change('b', () => ({ put: [], result: 0 }))).rejects.toThrow(
      "no study 'b'",
    )
  })

  it('are not what other documents hold', async () => {
    const { job, study, storage } = begin()
    job.documents.set('study', { version: 1, value: { epoch: 1 } })
    await expect(study(storage('one'))).rejects.toThrow('the document holds no study')
  })

  it('give each trial to one of several that ask at once, and each number once', async () => {
    const { study, storage } = begin()
    const studies = await Promise.all(['one', 'two', 'three'].map((name) => study(storage(name))))
    const trials = await Promise.all(studies.flatMap((one) => [one.ask(), one.ask()]))
    expect(trials.map((trial) => (trial as { number: number }).number).toSorted((a, b) => a - b)).toEqual([
      0, 1, 2, 3, 4, 5,
    ])
  })

  it('know a write again whose answer was lost', async () => {
    const { job, study, storage } = begin()
    const one = await study(storage('one'))
    let lost = 0
    job.onWrite = () => (lost++ === 0 ? 'lose the answer' : undefined)
    const trial = await one.ask()
    expect(trial).toMatchObject({ number: 0, attempt: 1 })
    lost = 0
    await one.tell(trial as Exclude<typeof trial, string>, 0.25)
    expect(await one.trials()).toMatchObject([{ number: 0, state: 'complete', value: 0.25, attempts: 1 }])
  })

  it('believe no clock of others: a lease is over when it was not renewed for so long here', async () => {
    const { time, study, storage } = begin()
    const hour = 3_600_000
    const behind = await study(storage('behind', -hour))
    const ahead = await study(storage('ahead', hour))
    const trial = await behind.ask({ limit: 1 })
    expect(await ahead.ask({ limit: 1 })).toBe('wait')
    time.now += leaseMs - 1
    expect(await ahead.ask({ limit: 1 })).toBe('wait')
    await (trial as Exclude<typeof trial, string>).report(1, 0.5)
    time.now += leaseMs - 1
    // It was renewed before, which is seen now.
    expect(await ahead.ask({ limit: 1 })).toBe('wait')
    time.now += leaseMs
    expect(await ahead.ask({ limit: 1 })).toMatchObject({ number: 0, attempt: 2 })
  })

  it('tell of each change once, whoever makes it', async () => {
    const { study, storage } = begin()
    const told: string[] = []
    const hears = (_: TrialRecord | undefined, after: TrialRecord): void =>
      void told.push(`${after.number} ${after.state}`)
    const [one, other] = [await study(storage('one', 0, hears)), await study(storage('other', 0, hears))]
    const trials = await Promise.all([one.ask(), other.ask()])
    await Promise.all(
      trials.map((trial, i) => [one, other][i]!.tell(trial as Exclude<typeof trial, string>, i)),
    )
    expect(told.toSorted()).toEqual(['0 complete', '0 running', '1 complete', '1 running'])
  })
})
