// Runs told again by logs that are written here.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { historyPath } from '@shoal/edge-agent/history'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { event, job, submitted } from '../testing/events.ts'
import { testShell } from '../testing/shells.ts'

let state = ''
const shoal = (...args: readonly string[]) => testShell().run('history', ...args, '--folder', state)
const began = Date.UTC(2026, 10, 19, 23)
const numbers = Array.from({ length: 8 }, (_, step) =>
  event(began + 1000 * step, {
    kind: 'metrics',
    task: 'worker:0',
    attempt: 0,
    node: 'pi-1',
    step,
    values: { loss: 8 - step },
  }),
)
const events = [
  { ...submitted('digits'), at: began },
  event(began, { kind: 'state', state: 'running', attempt: 0, reason: '' }),
  event(began, { kind: 'taskStarted', task: 'worker:0', attempt: 0, node: 'pi-1' }),
  ...numbers,
  event(began + 8000, {
    kind: 'trialEnded',
    trial: 3,
    node: 'pi-1',
    state: 'complete',
    params: { rate: 0.5 },
    value: 2,
  }),
  event(began + 9000, {
    kind: 'traffic',
    task: 'worker:0',
    attempt: 0,
    node: 'pi-1',
    sent: 2048,
    received: 1024,
  }),
  event(began + 9000, { kind: 'taskEnded', task: 'worker:0', attempt: 0, node: 'pi-1', reason: 'it threw' }),
  event(began + 10_000, { kind: 'state', state: 'failed', attempt: 0, reason: 'worker:0 failed' }),
]

beforeAll(() => {
  state = mkdtempSync(join(tmpdir(), 'shoal-history-'))
  const path = historyPath(join(state, 'jobs', 'abcd'), job)
  mkdirSync(dirname(path), { recursive: true })
  const lines = [{ format: 'shoal-history', version: 1 }, ...events]
  writeFileSync(path, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`)
})
afterAll(() => rmSync(state, { recursive: true }))

describe('shoal history', () => {
  it('lists runs without any agent', async () => {
    expect((await shoal()).out.split('\n').slice(0, 2)).toEqual([
      'job             name    kind   state     begun    took  why',
      'j-aaaaaaaaaaaa  digits  train  failed  1 h ago  10.0 s  worker:0 failed',
    ])
  })

  it('tells one again', async () => {
    const { code, out } = await shoal('digits')
    expect(code).toBe(0)
    expect(out.split('\n')).toEqual([
      'digits  j-aaaaaaaaaaaa  train  failed  10.0 s  worker:0 failed',
      '',
      'node  tasks  trials   sent  received',
      'pi-1      1       1  2 KiB     1 KiB',
      '',
      'metric  task      last  step  course',
      'loss    worker:0     1     7  █▇▆▅▄▃▂▁',
      '',
      'trial  state     node  value  rate',
      '    3  complete  pi-1      2  0.500',
      '',
      'worker:0 on pi-1: it threw',
      'the job failed: worker:0 failed',
      '',
    ])
  })

  it('tells it as events, and as JSON', async () => {
    const lines = (await shoal('aaaa', '--events')).out.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(events)
    expect(JSON.parse((await shoal(job, '--json')).out)).toMatchObject({ name: 'digits', state: 'failed' })
  })

  it('knows only what there is', async () => {
    expect((await shoal('nothing')).code).toBe(5)
    const empty = await testShell().run('history', '--folder', join(state, 'none'))
    expect(empty).toEqual({ code: 0, out: 'This node has no logs of runs.\n', err: '' })
  })
})
