import { describe, expect, it } from 'vitest'
import { SimulatedClock } from './simulatedClock.ts'

/** A promise that is there after so many microtasks. */
async function chain(length: number): Promise<void> {
  for (let i = 0; i < length; i++) await Promise.resolve()
}

describe('a simulated clock', () => {
  it('goes from event to event, in the order of time and then of their making', async () => {
    const clock = new SimulatedClock()
    const story: string[] = []
    const note = (name: string) => () => story.push(`${name} at ${clock.now()}`)
    clock.after(20, note('c'))
    clock.after(10, note('a'))
    clock.after(10, note('b'))
    clock.after(-5, note('now'))
    const callOff = clock.after(15, note('never'))
    callOff()
    callOff()
    clock.after(Infinity, note('after all time'))
    await clock.run()
    expect(story).toEqual(['now at 0', 'a at 10', 'b at 10', 'c at 20'])
    expect(clock.events).toBe(4)
    expect(() => clock.after(NaN, () => {})).toThrow('NaN ms')
  })

  it('waits between two events for all promises, however many follow from each other', async () => {
    const clock = new SimulatedClock()
    const story: string[] = []
    clock.after(1, () => void chain(10_000).then(() => story.push(`chain at ${clock.now()}`)))
    clock.after(1, () => story.push('next'))
    await clock.run()
    expect(story).toEqual(['chain at 1', 'next'])
  })

  it('lets a program wait in its time', async () => {
    const clock = new SimulatedClock()
    const program = async (): Promise<number> => {
      for (let i = 0; i < 100; i++) await new Promise<void>((resolve) => clock.after(36_000, resolve))
      return clock.now()
    }
    expect(await clock.settle(program())).toBe(3_600_000)
  })

  it('runs until a moment, which it then is, and goes on from there', async () => {
    const clock = new SimulatedClock()
    const story: number[] = []
    for (const at of [1, 2, 3, 4]) clock.after(at, () => story.push(at))
    await clock.run(2)
    expect([story, clock.now()]).toEqual([[1, 2], 2])
    await clock.run(3.5)
    expect([story, clock.now()]).toEqual([[1, 2, 3], 3.5])
    clock.after(0.25, () => story.push(3.75))
    await clock.run()
    expect([story, clock.now()]).toEqual([[1, 2, 3, 3.75, 4], 4])
  })

  it('says when what is awaited does not come, or cannot', async () => {
    const clock = new SimulatedClock()
    const never = new Promise<void>(() => {})
    const stop = clock.after(1e6, () => {})
    await expect(clock.settle(never, { what: 'rain', withinMs: 100 })).rejects.toMatchObject({
      name: 'DeadlineError',
      message: 'rain did not come within 100 ms of simulated time',
    })
    stop()
    await expect(clock.settle(never)).rejects.toThrow(
      'what was awaited cannot come: nothing is left to happen after 0 ms',
    )
    await expect(clock.settle(Promise.reject(new RangeError('no')))).rejects.toThrow('no')
  })

  it('throws what an action throws, and goes on after it', async () => {
    const clock = new SimulatedClock()
    let later = false
    clock.after(1, () => {
      throw new RangeError('too far')
    })
    clock.after(2, () => (later = true))
    await expect(clock.run()).rejects.toThrow('too far')
    const one = clock.run()
    await expect(clock.run()).rejects.toThrow('runs already')
    await one
    expect(later).toBe(true)
  })

  it('stands while work outside is done', async () => {
    const clock = new SimulatedClock()
    const story: string[] = []
    const compile = async (): Promise<void> => {
      // Nothing of this is a promise that settles by itself.
      await clock.outside(WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)))
      story.push(`compiled at ${clock.now()}`)
    }
    clock.after(1, () => void compile())
    clock.after(2, () => story.push('next'))
    await clock.run()
    expect(story).toEqual(['compiled at 1', 'next'])
  })

  it('has room for a great many timers, most of which are called off', async () => {
    const clock = new SimulatedClock()
    let ended = 0
    for (let i = 0; i < 100_000; i++) {
      const off = clock.after(1e6, () => ended++)
      clock.at(i % 977, off, true)
    }
    await clock.run()
    expect([ended, clock.now(), clock.events]).toEqual([0, 976, 100_000])
  })
})
