// What goes on beside the kernels of a program, seen from outside: by events, never by time.
import { describe, expect, it } from 'vitest'
import type { BoundLaunch, Device, HostFunction, NDArray, Tensor, TraceEvent } from '../index.ts'
import { add, exp, hostFunction, matmul, mul, placeholder, reference, Session, tanh } from '../index.ts'

const x = placeholder({ shape: [4, 4], name: 'x' })
const feeds = { x: Array.from({ length: 4 }, (_, i) => [i, 1, -i, 0.5]) }
const call = (t: Tensor, name: string, run: HostFunction, overlaps = true): Tensor =>
  hostFunction([t], run, { types: [t.type], overlaps, name })[0]!

/** Settles in a turn of its own, as what comes over a network does. */
const message = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })

describe('what goes on beside kernels', () => {
  it('lets kernels run while it is under way, and the trace shows it', async () => {
    const computed = Promise.withResolvers<void>()
    // The first exchange ends only after the second has begun, and after what is computed besides has been looked at.
    const second = Promise.withResolvers<void>()
    const slow = call(tanh(x), 'slow', async ([value]) => {
      await Promise.all([computed.promise, second.promise])
      return [value!]
    })
    const product = matmul(mul(x, 2), x, { name: 'product' })
    const other = call(product, 'other', ([value]) => {
      second.resolve()
      return [value!]
    })
    const looked = call(
      matmul(product, x, { name: 'beside' }),
      'looked',
      ([value]) => {
        computed.resolve()
        return [value!]
      },
      false,
    )
    let events: readonly TraceEvent[] = []
    await using session = new Session()
    const fetches = [add(slow, other), looked]
    const traced = await session.run(fetches, feeds, { onTrace: (seen) => (events = seen) })
    const eventOf = (name: string): TraceEvent => events.find(({ node }) => node === name)!
    const endOf = (name: string): number => eventOf(name).startMs + eventOf(name).durationMs
    for (const name of ['product', 'other', 'beside', 'looked']) {
      expect(eventOf(name).startMs).toBeGreaterThanOrEqual(eventOf('slow').startMs)
      expect(eventOf(name).startMs).toBeLessThanOrEqual(endOf('slow'))
    }
    expect(events.indexOf(eventOf('slow'))).toBeGreaterThan(events.indexOf(eventOf('looked')))
    const again = await session.run(fetches, feeds)
    expect(again.map((a) => a.toArray())).toEqual(traced.map((a) => a.toArray()))
  })

  it('changes no bit of the results', async () => {
    const build = (overlaps: boolean): Tensor[] => {
      const half = call(tanh(x), 'half', ([value]) => [value!], overlaps)
      const rest = exp(mul(matmul(x, tanh(x)), 0.1))
      return [matmul(add(half, rest), rest), call(rest, 'rest', ([value]) => [value!], overlaps)]
    }
    await using session = new Session()
    const [beside, before] = await Promise.all([
      session.run(build(true), feeds),
      session.run(build(false), feeds),
    ])
    const bytes = (arrays: readonly NDArray[]): string[] =>
      arrays.map((a) => Buffer.from(a.bytes).toString('hex'))
    expect(bytes(beside)).toEqual(bytes(before))
  })

  it('keeps what it was given when the memory of its input is used anew', async () => {
    const gate = Promise.withResolvers<void>()
    const small = call(tanh(x), 'kept', async ([value]) => {
      await gate.promise
      return [value!]
    })
    let chain = matmul(x, x)
    for (let i = 0; i < 6; i++) chain = matmul(tanh(chain), x)
    const done = call(
      chain,
      'done',
      ([value]) => {
        gate.resolve()
        return [value!]
      },
      false,
    )
    await using session = new Session()
    const [kept] = await session.run([small, done], feeds)
    expect(kept.toArray()).toEqual((await session.run(tanh(x), feeds)).toArray())
  })

  it('gives messages a turn before the kernels that follow, and only while something is under way', async () => {
    for (const overlaps of [true, false]) {
      const seen: string[] = []
      const device: Device = Object.assign(reference(), {
        sequence(launches: readonly BoundLaunch[]) {
          return () => {
            seen.push('kernels')
            launches.forEach(({ kernel, args }) => kernel.launch(args))
          }
        },
      })
      const begun = call(
        x,
        'begun',
        async ([value]) => {
          const arrived = message().then(() => seen.push('message'))
          if (overlaps) await arrived
          return [value!]
        },
        overlaps,
      )
      await using session = new Session({ devices: [device] })
      await session.run([begun, matmul(tanh(x), x)], feeds)
      await message()
      expect(seen).toEqual(overlaps ? ['message', 'kernels'] : ['kernels', 'message'])
    }
  })
})

describe('a run that fails while something is under way', () => {
  /** Waits until its run is aborted, and then for a turn more. */
  const waiting = (ended: string[]): HostFunction => {
    return async (_, { signal }) => {
      await new Promise<void>((resolve) => signal!.addEventListener('abort', () => resolve(), { once: true }))
      await message()
      ended.push(`ended: ${(signal!.reason as Error).message}`)
      throw signal!.reason
    }
  }

  it('ends it first, and the session stays usable', async () => {
    await using session = new Session()
    const ended: string[] = []
    const wait = call(x, 'wait', waiting(ended))
    const fails = call(
      tanh(x),
      'fails',
      () => {
        throw new RangeError('out of luck')
      },
      false,
    )
    await expect(session.run([wait, fails], feeds)).rejects.toThrow('out of luck')
    expect(ended).toEqual(['ended: out of luck'])
    expect((await session.run(x, feeds)).toArray()).toEqual(feeds.x)
  })

  it('by what is under way, ends before kernels that nobody needs any more', async () => {
    await using session = new Session()
    const ended: string[] = []
    let dead = true
    const wait = call(x, 'wait', (values, context) => (dead ? waiting(ended)(values, context) : values))
    const lost = call(x, 'lost', async (values) => {
      await message()
      if (dead) throw new RangeError('the line is dead')
      return values
    })
    let looked = 0
    const late = call(
      matmul(tanh(x), x),
      'late',
      ([value]) => {
        looked++
        return [value!]
      },
      false,
    )
    const fetches = [add(lost, wait), late]
    await expect(session.run(fetches, feeds)).rejects.toThrow('the line is dead')
    expect(ended).toEqual(['ended: the line is dead'])
    expect(looked).toBe(0)
    // The same program runs again.
    dead = false
    const [twice] = await session.run(fetches, feeds)
    expect(twice!.toArray()).toEqual((await session.run(mul(x, 2), feeds)).toArray())
    expect(looked).toBe(1)
  })

  it('ends with it when it is aborted', async () => {
    await using session = new Session()
    const ended: string[] = []
    const controller = new AbortController()
    const wait = call(x, 'wait', waiting(ended))
    const begun = call(
      matmul(x, x),
      'begun',
      ([value]) => {
        controller.abort(new Error('enough'))
        return [value!]
      },
      false,
    )
    await expect(session.run([wait, begun], feeds, { signal: controller.signal })).rejects.toThrow('enough')
    expect(ended).toEqual(['ended: enough'])
  })
})
