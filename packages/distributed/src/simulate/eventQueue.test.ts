import { describe, expect, it } from 'vitest'
import { Chance } from './chance.ts'
import { type QueuedEvent, EventQueue } from './eventQueue.ts'

describe('an event queue', () => {
  it('answers with the earliest, of two at one time with the older, whatever was called off', () => {
    const chance = new Chance(1, 0)
    const queue = new EventQueue()
    let expected: QueuedEvent[] = []
    const out: QueuedEvent[] = []
    const takeFirst = (): void => {
      expected.sort((a, b) => a.at - b.at || a.order - b.order)
      expect(queue.first).toBe(expected[0])
      const first = expected.shift()
      if (!first) return
      queue.remove(first)
      out.push(first)
    }
    for (let order = 0; order < 2000; order++) {
      const event: QueuedEvent = {
        at: Math.floor(50 * chance.uniform()),
        order,
        action: () => {},
        quiet: false,
        place: -1,
      }
      queue.add(event)
      expected.push(event)
      if (chance.uniform() < 0.3) {
        const off = expected[Math.floor(chance.uniform() * expected.length)]!
        queue.remove(off)
        // Once is enough.
        queue.remove(off)
        expected = expected.filter((one) => one !== off)
      }
      if (chance.uniform() < 0.3) takeFirst()
    }
    while (expected.length > 0) takeFirst()
    expect(queue.size).toBe(0)
    expect(queue.first).toBeUndefined()
    expect(out.length).toBeGreaterThan(1000)
  })
})
