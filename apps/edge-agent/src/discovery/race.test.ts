// Which of a peer's addresses leads there, how many are tried at once, and what becomes of the others.
import { ConnectError, type ConnectOptions, DeadlineError, SimulatedClock } from '@shoal/distributed'
import { describe, expect, it } from 'vitest'
import type { Problem } from './problem.ts'
import { inOrder, race, type Reached, Slots } from './race.ts'

/** What happens at each address: after so many milliseconds somebody answers, or nobody. */
type Answers = Readonly<
  Record<string, { readonly ms: number; readonly node?: string; readonly heeds?: boolean }>
>

function stage(answers: Answers, most = 8) {
  const clock = new SimulatedClock()
  const events: string[] = []
  const slots = new Slots(most)
  const stop = new AbortController()
  const reach = (address: string, { deadlineMs, signal }: ConnectOptions) =>
    new Promise<Reached>((resolve, reject) => {
      events.push(`${clock.now()} try ${address}`)
      const { ms, node, heeds = true } = answers[address]!
      signal?.addEventListener('abort', () => {
        if (!heeds) return
        disarm()
        events.push(`${clock.now()} drop ${address}`)
        reject(signal.reason as Error)
      })
      const disarm = clock.after(Math.min(ms, deadlineMs), () => {
        if (ms > deadlineMs) reject(new DeadlineError('too late'))
        else if (!node)
          reject(new ConnectError('no', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) }))
        else
          resolve({
            peer: { cluster: 'c', node, role: '' },
            closed: new Promise(() => {}),
            close: async () => void events.push(`${clock.now()} close ${address}`),
          })
      })
    })
  const problems: Record<string, string | undefined> = {}
  const run = async (addresses: readonly string[]) => {
    const won = race(addresses, {
      reach,
      clock,
      slots,
      staggerMs: 250,
      deadlineMs: 4000,
      signal: stop.signal,
      judge: ({ peer }): Problem | undefined =>
        peer.node === 'pi1' ? undefined : { kind: 'other-node', message: 'another' },
      tried: (address, problem) => void (problems[address] = problem?.kind),
    })
    return (await clock.settle(won))?.address
  }
  return { clock, events, slots, stop, problems, run }
}

describe('a race', () => {
  it('is won by the first address where that answers in time, and no other is tried', async () => {
    const { run, events } = stage({ a: { ms: 249, node: 'pi1' }, b: { ms: 1, node: 'pi1' } })
    expect(await run(['a', 'b'])).toBe('a')
    expect(events).toEqual(['0 try a'])
  })

  it('tries the next while one is silent, and withdraws what was not needed', async () => {
    const { run, events } = stage({ a: { ms: 9000 }, b: { ms: 30, node: 'pi1' } })
    expect(await run(['a', 'b'])).toBe('b')
    expect(events).toEqual(['0 try a', '250 try b', '280 drop a'])
  })

  it('tries the next at once when one fails', async () => {
    const { run, events, problems } = stage({ a: { ms: 5 }, b: { ms: 5, node: 'pi1' } })
    expect(await run(['a', 'b'])).toBe('b')
    expect(events).toEqual(['0 try a', '5 try b'])
    expect(problems).toEqual({ a: 'refused', b: undefined })
  })

  it('is not won by another node, whose connection is closed', async () => {
    const { run, events, problems } = stage({ a: { ms: 5, node: 'evil' }, b: { ms: 9000 } })
    expect(await run(['a', 'b'])).toBeUndefined()
    expect(events).toEqual(['0 try a', '5 close a', '5 try b'])
    expect(problems).toEqual({ a: 'other-node', b: 'timed-out' })
  })

  it('closes a connection that came in spite of being withdrawn', async () => {
    const { run, events, clock } = stage({
      a: { ms: 400, node: 'pi1', heeds: false },
      b: { ms: 50, node: 'pi1' },
    })
    expect(await run(['a', 'b'])).toBe('b')
    await clock.run()
    expect(events).toEqual(['0 try a', '250 try b', '400 close a'])
  })

  it('has no more attempts under way than there are slots, and gives all back', async () => {
    const { run, events, slots } = stage({ a: { ms: 1000 }, b: { ms: 1000 }, c: { ms: 10, node: 'pi1' } }, 2)
    expect(await run(['a', 'b', 'c'])).toBe('c')
    expect(events.slice(0, 3)).toEqual(['0 try a', '250 try b', '1000 try c'])
    expect([slots.take(), slots.take(), slots.take()]).toEqual([true, true, false])
  })

  it('ends when nobody waits for it any more', async () => {
    const { run, stop, clock, events } = stage({ a: { ms: 9000 } })
    clock.after(100, () => stop.abort())
    expect(await run(['a'])).toBeUndefined()
    expect(events).toEqual(['0 try a', '100 drop a'])
  })
})

describe('addresses', () => {
  it('are tried in turns of the families, and first where the peer was before', () => {
    const v6 = ['[2001:db8::1]:1', '[fe80::1%eth0]:1']
    const v4 = ['192.0.2.1:1', 'pi1.local:1', '192.0.2.2:1']
    expect(inOrder([...v4, ...v6], undefined)).toEqual([v6[0], v4[0], v6[1], v4[1], v4[2]])
    expect(inOrder([...v4, ...v6], v4[2])).toEqual([v4[2], v6[0], v4[0], v6[1], v4[1]])
    expect(inOrder(v4, 'gone:1')).toEqual(v4)
  })
})
