// Runs told again by their logs alone, in bounded memory, and lists of them.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventAt, sampleEvents, sampleJob } from '../testing/sampleEvents.ts'
import { temporaryFolder } from '../testing/temporaryFolder.ts'
import { JournalError } from './errors.ts'
import type { JobEvent } from './event.ts'
import { EventLog } from './eventLog.ts'
import { historyPath, readHistory } from './format.ts'
import { listHistories } from './jobs.ts'
import { Replay, summarise } from './replay.ts'

const root = temporaryFolder()
const submitted = sampleEvents[0]!
const start = submitted.at

async function write(path: string, events: readonly JobEvent[]): Promise<string> {
  await using log = await EventLog.open(path, { log: () => {} })
  await log.append(events)
  return path
}

const measured = (
  step: number,
  loss: number,
  more: { attempt?: number; task?: string; trial?: number } = {},
) =>
  eventAt(step, { kind: 'metrics', task: 'worker:0', attempt: 0, node: 'n', step, values: { loss }, ...more })

const trial = (number: number, node: string, value: number): JobEvent =>
  eventAt(number, { kind: 'trialEnded', trial: number, node, state: 'complete', params: { lr: 0.1 }, value })

describe('a replay', () => {
  it('tells of a run by its log alone', async () => {
    const path = await write(join(root, 'run.jsonl'), sampleEvents)
    const run = await summarise(readHistory(path))
    expect(run).toMatchObject({
      job: sampleJob,
      name: 'mnist',
      kind: 'train',
      state: 'succeeded',
      reason: '',
      submittedAt: start,
      startedAt: start + 10,
      endedAt: start + 100,
      durationMs: 100,
      attempts: 2,
      leaders: ['pi1', 'pi3'],
      logLines: 1,
      events: sampleEvents.length,
      unreadable: 0,
      failureCount: 2,
    })
    expect(run.tasks).toEqual([
      expect.objectContaining({ task: 'worker:0', attempt: 0, node: 'pi1', endedAt: start + 52, reason: '' }),
      expect.objectContaining({ task: 'worker:1', attempt: 0, node: 'pi2', reason: 'its node was lost' }),
      expect.objectContaining({ task: 'worker:0', attempt: 1, node: 'pi1', sent: 100, received: 40 }),
      expect.objectContaining({ task: 'worker:1', attempt: 1, node: 'pi3', sent: 40, received: 100 }),
    ])
    expect(run.nodes).toEqual([
      { node: 'pi1', tasks: 2, sent: 100, received: 40, trials: 0, lost: 0 },
      { node: 'pi2', tasks: 1, sent: 0, received: 0, trials: 0, lost: 1 },
      { node: 'pi3', tasks: 1, sent: 40, received: 100, trials: 0, lost: 0 },
    ])
    expect(run.failures).toEqual([
      { at: start + 50, what: 'pi2 was lost' },
      { at: start + 51, what: 'worker:1 on pi2: its node was lost' },
    ])
    // Steps 2 and 3 of the first attempt were lost with it.
    expect(run.series).toHaveLength(1)
    expect(run.series[0]).toMatchObject({ metric: 'loss', task: 'worker:0', trial: undefined, last: 2 })
    expect(run.series[0]!.points.map(({ step, mean }) => [step, mean])).toEqual([
      [1, 4],
      [2, 2.75],
      [3, 2],
    ])
  })

  it('keeps a series of any length in so many points, and nothing of it is lost in their bounds', async () => {
    const steps = Array.from({ length: 10_007 }, (_, i) => i + 1)
    const run = await summarise([submitted, ...steps.map((step) => measured(step, Math.sin(step)))], {
      mostPoints: 100,
    })
    const { points } = run.series[0]!
    expect(points.length).toBeLessThanOrEqual(100)
    expect(points.length).toBeGreaterThanOrEqual(50)
    expect(points.at(-1)!.step).toBe(10_007)
    let from = 0
    for (const { step, mean, min, max, count } of points) {
      const values = steps.slice(from, from + count).map(Math.sin)
      from += count
      expect(step).toBe(from)
      expect(min).toBe(Math.min(...values))
      expect(max).toBe(Math.max(...values))
      expect(mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / count, 12)
    }
    expect(from).toBe(10_007)
  })

  it('keeps the series of trials apart, and begins one anew where another task takes the trial', async () => {
    const run = await summarise([
      submitted,
      measured(1, 5, { trial: 0 }),
      measured(1, 7, { trial: 1, task: 'worker:1' }),
      measured(2, 4, { trial: 0 }),
      measured(1, 3, { trial: 0, task: 'worker:1' }),
    ])
    const series = run.series.map((one) => [one.trial, one.task, one.points.map(({ mean }) => mean)])
    expect(series).toEqual([
      [0, undefined, [3]],
      [1, undefined, [7]],
    ])
  })

  it('bounds the number of series and of failures, and says so', async () => {
    const many = Array.from({ length: 10 }, (_, i) => measured(1, 1, { trial: i }))
    const lost = Array.from({ length: 9 }, () => eventAt(1, { kind: 'node', node: 'pi1', state: 'lost' }))
    const run = await summarise([submitted, ...many, ...many, ...lost], { mostSeries: 4, mostFailures: 3 })
    expect(run).toMatchObject({ leftOut: 12, failureCount: 9 })
    expect(run.series).toHaveLength(4)
    expect(run.failures).toHaveLength(3)
  })

  it('lists each trial once, by number, and counts who ran it', async () => {
    const failed = eventAt(9, { kind: 'trialEnded', trial: 2, node: 'pi2', state: 'failed', params: {} })
    const run = await summarise([
      submitted,
      trial(1, 'pi1', 0.5),
      trial(0, 'pi2', 0.25),
      trial(1, 'pi1', 0.5),
      failed,
    ])
    expect(run.trials.map((row) => [row.trial, row.node, row.state, row.value])).toEqual([
      [0, 'pi2', 'complete', 0.25],
      [1, 'pi1', 'complete', 0.5],
      [2, 'pi2', 'failed', undefined],
    ])
    expect(run.nodes.map(({ node, trials }) => [node, trials])).toEqual([
      ['pi1', 1],
      ['pi2', 2],
    ])
    expect(run.failures).toEqual([{ at: start + 9, what: 'trial 2 on pi2 failed' }])
  })

  it('tells of a run that goes on, at any moment', () => {
    const replay = new Replay()
    expect(() => replay.summary).toThrow(JournalError)
    for (const event of sampleEvents.slice(0, 6)) replay.add(event)
    expect(replay.summary).toMatchObject({ state: 'running', endedAt: undefined, durationMs: 20 })
    replay.add(undefined)
    expect(replay.summary.unreadable).toBe(1)
  })

  it('refuses the log of a newer version, saying what to do', async () => {
    const path = join(root, 'newer.jsonl')
    writeFileSync(path, '{"format":"shoal-history","version":2}\n{"v":2}\n')
    await expect(summarise(readHistory(path))).rejects.toThrow(/newer version of this program.*Update/s)
  })

  it('reads a log whose last line is torn, and leaves it as it is', async () => {
    const path = await write(join(root, 'torn.jsonl'), sampleEvents)
    appendFileSync(path, '{"v":1,"job"')
    const before = readFileSync(path)
    expect((await summarise(readHistory(path))).events).toBe(sampleEvents.length)
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

describe('a folder of histories', () => {
  it('lists them, the newest first, and says what is wrong with those that cannot be read', async () => {
    const folder = join(root, 'histories')
    mkdirSync(folder)
    const pathOf = (job: string): string => {
      mkdirSync(join(folder, job))
      return historyPath(folder, job)
    }
    const named = (job: string, events: readonly JobEvent[], later = 0) =>
      write(
        pathOf(job),
        events.map((event) => ({ ...event, job, at: event.at + later })),
      )
    await named('j-aaaaaaaaaaaa', sampleEvents)
    await named('j-bbbbbbbbbbbb', sampleEvents.slice(0, 5), 1000)
    // Its last state stands far before its end.
    const chatter = Array.from({ length: 1000 }, (_, i) => measured(i, 1))
    await named('j-cccccccccccc', [...sampleEvents.slice(0, 3), ...chatter], 2000)
    await named('j-dddddddddddd', sampleEvents.slice(1))
    writeFileSync(pathOf('j-eeeeeeeeeeee'), '{"format":"shoal-history","version":2}\n')
    writeFileSync(join(folder, 'notes.txt'), 'not a history')
    const views = await listHistories(folder)
    expect(views.map((view) => [view.job, view.readable && view.state])).toEqual([
      ['j-cccccccccccc', 'running'],
      ['j-bbbbbbbbbbbb', 'running'],
      ['j-aaaaaaaaaaaa', 'succeeded'],
      ['j-dddddddddddd', false],
      ['j-eeeeeeeeeeee', false],
    ])
    expect(views[2]).toMatchObject({ name: 'mnist', kind: 'train', submittedAt: start, endedAt: start + 100 })
    expect(views[3]).toMatchObject({ problem: expect.stringContaining('first event') as string })
    expect(views[4]).toMatchObject({ problem: expect.stringContaining('newer version') as string })
  })

  it('lists nothing where there is no folder', async () => {
    expect(await listHistories(join(root, 'nowhere'))).toEqual([])
  })
})
