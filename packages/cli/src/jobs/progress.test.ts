// What a job looks like after some events, as lines.
import { describe, expect, it } from 'vitest'
import type { JobEvent } from '@shoal/edge-agent/client'
import { widthOf } from '../drawing/width.ts'
import { screen } from '../testing/shells.ts'
import { event, submitted } from '../testing/events.ts'
import { Terminal } from '../terminal/terminal.ts'
import { drawJob } from './draw.ts'
import { EventLines } from './lines.ts'
import { JobProgress } from './progress.ts'
import { RateOverTime } from './rateOverTime.ts'
import { Series } from './series.ts'

const plain = (_: string, text: string): string => text
const draw = (events: readonly JobEvent[], { columns = 80, rows = 24 } = {}): readonly string[] => {
  const progress = new JobProgress()
  for (const one of events) progress.add(one)
  return drawJob(progress, { columns, rows, style: plain, now: 65_000 })
}

const training = [
  submitted('digits'),
  event(1000, { kind: 'state', state: 'running', attempt: 0, reason: '' }),
  event(1000, { kind: 'taskStarted', task: 'worker:0', attempt: 0, node: 'pi-1' }),
  event(1000, { kind: 'taskStarted', task: 'worker:1', attempt: 0, node: '机器' }),
  ...[0, 1, 2, 3].flatMap((step) =>
    ['worker:0', 'worker:1'].map((task) =>
      event(2000 + step * 500, {
        kind: 'metrics',
        task,
        attempt: 0,
        node: 'pi-1',
        step,
        values: { loss: 2 - step / 2, accuracy: 0.25 * step },
      }),
    ),
  ),
  event(4000, { kind: 'traffic', task: 'worker:0', attempt: 0, node: 'pi-1', sent: 2 ** 20, received: 0 }),
  event(6000, {
    kind: 'traffic',
    task: 'worker:0',
    attempt: 0,
    node: 'pi-1',
    sent: 2 ** 21,
    received: 2 ** 20,
  }),
  event(7000, { kind: 'taskEnded', task: 'worker:1', attempt: 0, node: '机器', reason: 'out of memory' }),
]

describe('a job', () => {
  it('is drawn with its tasks, their speed, and the curve of its loss', () => {
    expect(draw(training)).toEqual([
      'digits  j-aaaaaaaaaaaa  running  1 m 5 s  3 MiB moved',
      'task      node  state    step   loss  accuracy  steps    bytes  why',
      'worker:0  pi-1  running     3  0.500     0.750    2/s  1 MiB/s',
      'worker:1  机器  failed      3  0.500     0.750                  out of memory',
      'loss',
      expect.stringMatching(/^ {9}2 ⠉⠑⠒⠒⠤⠤⢄⣀⣀⠀{59}$/u),
      ...Array.from({ length: 5 }, () => expect.stringMatching(/^ {11}[⠀-⣿]+$/) as string),
      expect.stringMatching(/^ {5}0\.500 ⠀{59}⠉⠉⠑⠒⠒⠤⠤⢄⣀$/u),
    ])
  })

  it('fits in what room there is', () => {
    for (const [columns, rows] of [
      [40, 6],
      [20, 3],
      [100, 10],
    ] as const) {
      const lines = draw(training, { columns, rows })
      expect(lines.length).toBeLessThan(rows)
      expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns)
    }
  })

  it('counts and lists the trials of a search', () => {
    const lines = draw([
      submitted('tune', 'search'),
      event(1, { kind: 'taskStarted', task: 'worker:0', attempt: 0, node: 'pi-1' }),
      event(2, {
        kind: 'trialEnded',
        trial: 0,
        node: 'pi-1',
        state: 'complete',
        params: { rate: 0.01, kind: 'sgd' },
        value: 0.25,
      }),
      event(3, { kind: 'trialEnded', trial: 2, node: 'pi-1', state: 'pruned', params: { rate: 0.5 } }),
      event(4, {
        kind: 'metrics',
        task: 'worker:0',
        attempt: 0,
        node: 'pi-1',
        step: 7,
        trial: 1,
        values: { value: 0.5 },
      }),
    ])
    expect(lines.slice(3)).toEqual([
      'trials  1 running, 1 complete, 1 pruned',
      'trial  state     node  value  rate    kind',
      '    0  complete  pi-1  0.250  0.0100  sgd',
      '    1  running   pi-1  0.500',
      '    2  pruned    pi-1         0.500',
    ])
  })

  it('shows a node that is lost and comes back, and what a new attempt forgets', () => {
    const started = event(1, { kind: 'taskStarted', task: 'worker:0', attempt: 0, node: 'pi-1' })
    const lost = event(2, { kind: 'node', node: 'pi-1', state: 'lost' })
    const state = (events: readonly JobEvent[]): string | undefined => draw(events)[2]?.split(/\s+/)[2]
    expect(state([submitted('a'), started, lost])).toBe('lost')
    expect(state([submitted('a'), started, lost, { ...lost, at: 3, state: 'back' } as JobEvent])).toBe(
      'running',
    )
    const again = event(4, { kind: 'taskStarted', task: 'worker:0', attempt: 1, node: 'pi-2' })
    const lines = draw([...training, again])
    expect(lines[0]).toContain('attempt 2')
    expect(lines[0]).toContain('3 MiB moved')
    expect(lines[2]).toBe('worker:0  pi-2  running')
  })
})

describe('lines', () => {
  it('say what happens, numbers once a second', () => {
    const lines = new EventLines(new Terminal(screen()))
    expect(training.map((one) => lines.of(one)).filter((line) => line !== undefined)).toEqual([
      'digits (j-aaaaaaaaaaaa) was submitted at pi-1',
      'running',
      'worker:0 runs on pi-1',
      'worker:1 runs on 机器',
      'worker:0 step 0  loss 2  accuracy 0',
      'worker:1 step 0  loss 2  accuracy 0',
      'worker:0 step 2  loss 1  accuracy 0.500',
      'worker:1 step 2  loss 1  accuracy 0.500',
      'worker:1 ended: out of memory',
    ])
    const failed = event(1, { kind: 'state', state: 'failed', attempt: 2, reason: 'it threw' })
    expect(lines.of(failed)).toBe('failed: it threw')
    const again = event(1, { kind: 'taskStarted', task: 'worker:0', attempt: 1, node: 'pi-2' })
    expect(lines.of(again)).toBe('worker:0 runs on pi-2, attempt 2')
  })
})

describe('a series', () => {
  it('is the mean of what was measured at a step', () => {
    const series = new Series()
    for (const [step, value] of [
      [1, 4],
      [0, 8],
      [1, 2],
    ] as const)
      series.add(step, value)
    expect(series.points()).toEqual([
      { x: 0, y: 8 },
      { x: 1, y: 3 },
    ])
  })

  it('keeps its shape in little memory', () => {
    const series = new Series(64)
    for (let step = 0; step < 10_000; step++) series.add(step, step)
    const points = series.points()
    expect(points.length).toBeGreaterThan(16)
    expect(points.length).toBeLessThanOrEqual(64)
    for (const { x, y } of points) expect(Math.abs(x - y)).toBeLessThan(400)
  })
})

describe('a rate', () => {
  it('is that of the last ten seconds', () => {
    const rate = new RateOverTime()
    expect(rate.perSecond).toBeUndefined()
    for (let second = 0; second <= 60; second++) rate.add(second * 1000, second < 40 ? 0 : (second - 40) * 5)
    expect(rate.perSecond).toBe(5)
  })

  it('begins anew where a task did', () => {
    const rate = new RateOverTime()
    rate.add(0, 100)
    rate.add(1000, 200)
    rate.add(2000, 10)
    expect(rate.perSecond).toBeUndefined()
    rate.add(3000, 30)
    expect(rate.perSecond).toBe(20)
  })
})
