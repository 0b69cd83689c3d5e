import type { Clock } from '@shoal/distributed/peers'
import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eachLine } from './lines.ts'

/** A second that passes when it is told to. */
function handClock() {
  const actions = new Set<() => void>()
  const clock: Clock = {
    now: () => 0,
    after(_, action) {
      actions.add(action)
      return () => void actions.delete(action)
    },
  }
  const pass = (): void => {
    for (const action of actions) {
      actions.delete(action)
      action()
    }
  }
  return { clock, pass }
}

describe('lines', () => {
  it('are put together, stripped of what terminals obey, and cut', async () => {
    const stream = new PassThrough()
    const lines: string[] = []
    eachLine(stream, handClock().clock, (line) => lines.push(line), { lineLength: 8 })
    for (const part of ['on', 'e\n\ntwo\r\n\u001b[31mred\u001b[0m\u0007', '\n12345678', '90\nlast'])
      stream.write(part)
    stream.end()
    await setImmediate()
    expect(lines).toEqual(['one', '', 'two', 'red… (cut)', '12345678… (cut)', 'last'])
  })

  it('are left out when there are too many in a second, and that is said', async () => {
    const stream = new PassThrough()
    const { clock, pass } = handClock()
    const lines: string[] = []
    eachLine(stream, clock, (line) => lines.push(line), { linesPerSecond: 2, charactersPerSecond: 10 })
    stream.write('a\nb\nc\nd\n')
    await setImmediate()
    expect(lines).toEqual(['a', 'b'])
    pass()
    stream.write('e\n1234567890\n')
    stream.write('later\n')
    await setImmediate()
    // So much was written that its writer has to wait.
    const now = ['a', 'b', '… 2 lines left out: more than 2 in a second', 'e', '1234567890']
    expect(lines).toEqual(now)
    expect(stream.isPaused()).toBe(true)
    pass()
    await setImmediate()
    expect(lines).toEqual([...now, 'later'])
  })
})
