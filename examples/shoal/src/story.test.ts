import type { JobEvent } from 'shoal/client'
import { describe, expect, it } from 'vitest'
import { JobLines, Story } from './story.ts'

const base = { v: 1, job: 'j-000000000000', at: 0 } as const
const where = { task: 'worker:1', attempt: 0, node: 'pi-2' } as const
const step = (at: number, number: number): JobEvent => ({
  ...base,
  ...where,
  at,
  kind: 'metrics',
  step: number,
  values: { loss: 0.25, stepsPerSecond: 12.34 },
})

/** What a watcher reads of these events. */
function read(...events: readonly JobEvent[]): readonly string[] {
  const lines = new JobLines()
  return events.flatMap((event) => lines.of(event) ?? [])
}

describe('JobLines', () => {
  it('says where tasks begin, and which do so again', () => {
    const begins: JobEvent = { ...base, ...where, kind: 'taskStarted' }
    expect(read(begins, { ...begins, task: 'worker:2', attempt: 3 }, { ...begins, node: 'pi-3' })).toEqual([
      'worker:1 begins on pi-2',
      'worker:2 begins on pi-2',
      'worker:1 begins again on pi-3',
    ])
  })

  it('says steps every two seconds, whichever task tells of them', () => {
    expect(read(step(0, 1), step(10, 1), step(1999, 9), step(2000, 10))).toEqual([
      'step 1  loss 0.250  12.3/s',
      'step 10  loss 0.250  12.3/s',
    ])
  })

  it('says how trials end, not how they go', () => {
    const report: JobEvent = { ...base, ...where, kind: 'metrics', step: 1, trial: 4, values: { value: 0.5 } }
    const params = { learningRate: 0.00123456, wide: true }
    const ended: JobEvent = {
      ...base,
      kind: 'trialEnded',
      trial: 4,
      node: 'pi-2',
      state: 'pruned',
      params,
      value: 0.5,
    }
    const { value: _, ...failed } = { ...ended, state: 'failed' as const }
    expect(read(report, ended, failed)).toEqual([
      'trial 4 on pi-2 was stopped at loss 0.500  (learningRate 0.00123, wide true)',
      'trial 4 on pi-2 failed  (learningRate 0.00123, wide true)',
    ])
  })

  it('says what has gone wrong', () => {
    expect(
      read(
        { ...base, ...where, kind: 'log', stream: 'stderr', line: 'Error: no' },
        { ...base, ...where, kind: 'log', stream: 'stdout', line: 'as always' },
        { ...base, ...where, kind: 'taskEnded', reason: 'no memory' },
        { ...base, ...where, kind: 'taskEnded', reason: '' },
        { ...base, kind: 'node', node: 'pi-2', state: 'lost' },
        { ...base, kind: 'state', state: 'failed', attempt: 1, reason: 'it throws' },
        { ...base, kind: 'state', state: 'running', attempt: 1, reason: '' },
      ),
    ).toEqual([
      'worker:1 Error: no',
      'worker:1 on pi-2 has ended: no memory',
      'nothing is heard of pi-2',
      'the job is failed: it throws',
    ])
  })
})

describe('Story', () => {
  it('says when things happen, in seconds since its beginning', () => {
    const lines: string[] = []
    let now = 5000
    const story = new Story(
      (line) => lines.push(line),
      () => now,
    )
    now = 17_300
    story.heading('Training')
    story.line('a step')
    story.table(['title', 'row'])
    expect(lines).toEqual(['\nTraining', '  12.3 s  a step', '  title', '  row'])
  })
})
