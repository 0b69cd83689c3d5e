import { describe, expect, it } from 'vitest'
import type { TraceEvent } from '../index.ts'
import { toChromeTrace } from '../index.ts'

const event = (node: string, startMs: number, durationMs: number, device = 'd0'): TraceEvent => ({
  node,
  op: 'Op',
  device,
  startMs,
  durationMs,
  bytes: 4,
})

describe('toChromeTrace', () => {
  it('gives each device a row, and what goes on beside its work another', () => {
    const events = [
      event('one', 1, 2),
      event('two', 3, 4),
      event('other', 0, 9, 'd1'),
      event('message', 2, 6),
      event('three', 7, 3),
    ]
    const { traceEvents } = toChromeTrace(events)
    const names = traceEvents.filter(({ ph }) => ph === 'M').map(({ args }) => args['name'])
    expect(names).toEqual(['d0', 'd1', 'd0, beside'])
    const rows = traceEvents.filter(({ ph }) => ph === 'X').map(({ name, tid }) => [name, tid])
    expect(rows).toEqual([
      ['one', 0],
      ['two', 0],
      ['other', 1],
      ['message', 2],
      ['three', 0],
    ])
    expect(traceEvents.find(({ name }) => name === 'two')).toMatchObject({ ts: 3000, dur: 4000 })
  })
})
