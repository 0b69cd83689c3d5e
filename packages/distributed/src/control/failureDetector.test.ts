import { describe, expect, it } from 'vitest'
import type { Clock } from '../clock.ts'
import { AwakeClock } from './awakeClock.ts'
import { Backoff, jittered } from '../backoff.ts'
import { FailureDetector, type PeerEvent } from './failureDetector.ts'
import { MainWatch } from './mainWatch.ts'

/** Time that passes when it is told to. */
class ManualClock implements Clock {
  #time = 0
  readonly #timers = new Set<{ readonly at: number; readonly action: () => void }>()
  now(): number {
    return this.#time
  }
  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#time + ms, action }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }
  /** Lets time pass timer by timer. */
  pass(ms: number): void {
    const end = this.#time + ms
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
      if (!next) break
      this.#timers.delete(next)
      this.#time = Math.max(this.#time, next.at)
      next.action()
    }
    this.#time = end
  }
  /** Lets time pass while the process is stopped: what was due goes off at the end, once. */
  stop(ms: number): void {
    this.#time += ms
    const due = [...this.#timers].filter(({ at }) => at <= this.#time)
    for (const timer of due) if (this.#timers.delete(timer)) timer.action()
  }
}

/** Numbers from 0 to 1, the same at every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const limits = { suspectAfterMs: 1500, deadAfterMs: 2500 }

function make() {
  const clock = new ManualClock()
  const awake = new AwakeClock(clock)
  const events: PeerEvent[] = []
  const detector = new FailureDetector(awake, limits, (event) => events.push(event))
  const states = () => events.splice(0).map(({ task, state }) => `${task} ${state}`)
  return { clock, awake, detector, events, states }
}

describe('a failure detector', () => {
  it('tells of a peer when it is first heard, suspects its silence, and calls it dead in less than 3 s', () => {
    const { clock, detector, events } = make()
    detector.heard('a', 'i1', 1)
    clock.pass(1499)
    expect(events).toMatchObject([{ task: 'a', state: 'joined', incarnation: 'i1' }])
    clock.pass(150)
    expect(events[1]).toMatchObject({ state: 'suspect', reason: expect.stringMatching(/1\.[5-6] s/) })
    clock.pass(1100)
    expect(events).toHaveLength(3)
    expect(events[2]).toMatchObject({ state: 'dead', incarnation: 'i1' })
    expect(events[2]!.silentMs).toBeGreaterThanOrEqual(2500)
    expect(events[2]!.silentMs).toBeLessThan(2700)
    clock.pass(60_000)
    expect(events).toHaveLength(3)
  })

  it('finds nothing to say of an hour of heartbeats with jitter, some of them lost', () => {
    const { clock, detector, states } = make()
    const random = seeded(7)
    let lost = false
    for (let sequence = 1; clock.now() < 3_600_000; sequence++) {
      // Never two in a row: 1.2 s are the longest silence.
      lost = !lost && random() < 0.2
      if (!lost) detector.heard('a', 'i1', sequence)
      clock.pass(jittered(500, 0.2, random))
    }
    expect(states()).toEqual(['a joined'])
  })

  it('takes a late heartbeat as a sign of life, and one that was overtaken as none', () => {
    const { clock, detector, states } = make()
    detector.heard('a', 'i1', 5)
    clock.pass(2000)
    detector.heard('a', 'i1', 4)
    expect(states()).toEqual(['a joined', 'a suspect'])
    detector.heard('a', 'i1', 6)
    expect(states()).toEqual(['a joined'])
    // A burst of what was held up counts once.
    for (let sequence = 7; sequence < 50; sequence++) detector.heard('a', 'i1', sequence)
    clock.pass(1400)
    expect(states()).toEqual([])
    clock.pass(1300)
    expect(states()).toEqual(['a suspect', 'a dead'])
  })

  it('lets the dead come back, the same or another process', () => {
    const { clock, detector, events, states } = make()
    detector.heard('a', 'i1', 1)
    clock.pass(5000)
    detector.heard('a', 'i1', 2)
    expect(events.at(-1)).toMatchObject({ state: 'joined', incarnation: 'i1' })
    expect(events.at(-1)!.silentMs).toBeGreaterThan(4900)
    clock.pass(5000)
    detector.heard('a', 'i2', 1)
    expect(states()).toEqual([
      'a joined',
      'a suspect',
      'a dead',
      'a joined',
      'a suspect',
      'a dead',
      'a restarted',
    ])
    clock.pass(2700)
    expect(states()).toEqual(['a suspect', 'a dead'])
  })

  it('knows a restart that was too quick for anybody to be missed, and does not listen to the one before', () => {
    const { clock, detector, events } = make()
    expect(detector.heard('a', 'i1', 900)).toBe(true)
    clock.pass(100)
    expect(detector.heard('a', 'i2', 1)).toBe(true)
    expect(events.at(-1)).toMatchObject({
      state: 'restarted',
      incarnation: 'i2',
      reason: 'it is i2 now, and was i1',
    })
    expect(detector.heard('a', 'i1', 901)).toBe(false)
    expect(detector.look('a')).toMatchObject({ incarnation: 'i2', state: 'joined' })
    expect(events).toHaveLength(2)
  })

  it('believes a proof at once, and says it once', () => {
    const { clock, detector, events } = make()
    detector.gone('a', 'never heard')
    detector.heard('a', 'i1', 1)
    clock.pass(300)
    detector.gone('a', 'nobody listens any more')
    detector.gone('a', 'nobody listens any more')
    clock.pass(10_000)
    expect(events.slice(1)).toEqual([
      { task: 'a', state: 'dead', incarnation: 'i1', reason: 'nobody listens any more', silentMs: 300 },
    ])
  })

  it('declares nobody dead because this process was stopped', () => {
    const { clock, detector, states } = make()
    detector.heard('a', 'i1', 1)
    detector.heard('b', 'i1', 1)
    clock.pass(600)
    clock.stop(3_600_000)
    expect(states()).toEqual(['a joined', 'b joined'])
    // What was on its way is read then; who is dead indeed is known as soon as ever.
    detector.heard('a', 'i1', 2)
    clock.pass(1200)
    detector.heard('a', 'i1', 3)
    expect(states()).toEqual(['b suspect'])
    clock.pass(500)
    expect(states()).toEqual(['b dead'])
  })

  it('does not lose its judgement over many short pauses', () => {
    const { clock, detector, states } = make()
    detector.heard('a', 'i1', 1)
    for (let n = 0; n < 20; n++) {
      clock.pass(100)
      clock.stop(400)
    }
    expect(states()).toEqual(['a joined', 'a suspect', 'a dead'])
  })

  it('forgets whom it is told to forget', () => {
    const { clock, detector, states } = make()
    detector.heard('a', 'i1', 1)
    detector.forget('a')
    expect(detector.look('a')).toBeUndefined()
    clock.pass(10_000)
    detector.heard('a', 'i1', 1)
    expect(states()).toEqual(['a joined', 'a joined'])
    detector.close()
    clock.pass(10_000)
    expect(states()).toEqual([])
  })
})

describe('a clock that goes while the process is awake', () => {
  it('sets its timers off in order, not those that were called off, and none when it is closed', () => {
    const { clock, awake } = make()
    const done: string[] = []
    const never = awake.after(350, () => done.push('never'))
    awake.after(320, () => done.push('second'))
    awake.after(310, () => {
      done.push('first')
      never()
    })
    clock.pass(299)
    expect(done).toEqual([])
    clock.pass(101)
    expect(done).toEqual(['first', 'second'])
    awake.after(1, () => done.push('never'))
    awake.close()
    clock.pass(1000)
    expect(done).toEqual(['first', 'second'])
  })
})

describe('the watch over the main thread', () => {
  it('tells a busy one from a process that was stopped', () => {
    const { clock, awake } = make()
    const words = new Int32Array(1)
    const watch = new MainWatch(awake, words)
    const idle = (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 50) {
        clock.pass(50)
        words[0]!++
      }
    }
    idle(1000)
    expect(watch.busyMs).toBeLessThanOrEqual(200)
    clock.stop(60_000)
    expect(watch.busyMs).toBeLessThanOrEqual(700)
    idle(300)
    expect(watch.busyMs).toBeLessThanOrEqual(200)
    clock.pass(4000)
    expect(watch.busyMs).toBeGreaterThanOrEqual(3800)
  })
})

describe('pauses between attempts', () => {
  it('grow from 100 ms to 2 s, and differ from one to the other', () => {
    const backoff = new Backoff({ random: seeded(3) })
    const pauses = Array.from({ length: 200 }, () => backoff.next())
    expect(pauses[0]).toBeGreaterThanOrEqual(80)
    expect(pauses[0]).toBeLessThanOrEqual(120)
    expect(pauses[1]).toBeGreaterThan(120)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2000)
    expect(Math.min(...pauses.slice(10))).toBeGreaterThanOrEqual(1600)
    expect(new Set(pauses).size).toBeGreaterThan(50)
    backoff.reset()
    expect(backoff.next()).toBeLessThanOrEqual(120)
  })
})
