import { Scenario, uniformNodes } from '@shoal/distributed'
import { ndarray } from '@shoal/core'
import type { Connection } from '@shoal/distributed/peers'
import { describe, expect, it } from 'vitest'
import { linkMethods, measureLink } from './link.ts'

/** Two nodes and the way between them, on which the latency of each counts; the far one serves what measuring needs. */
async function way(nodes: Parameters<typeof uniformNodes>[2]) {
  const scenario = new Scenario({ nodes: uniformNodes('n', 2, nodes) })
  const accepted = Promise.withResolvers<Connection>()
  await scenario.node('n1').process.transport.listen('n1:1', { connected: accepted.resolve })
  const dialled = scenario.node('n0').process.transport.connect('n1:1', { deadlineMs: 5000 })
  const [near, far] = await scenario.settle(Promise.all([dialled, accepted.promise]))
  far.serve(Object.fromEntries(linkMethods))
  return { scenario, near, far, clock: scenario.clock }
}

describe('measuring the way to another node', () => {
  it('finds how long and how wide it is', async () => {
    const { scenario, near, clock } = await way({ latencyMs: 2, bytesPerSecond: 12_500_000 })
    const { roundTripMs, bytesPerSecond } = await scenario.settle(measureLink(near, { clock }))
    expect(roundTripMs).toBeGreaterThanOrEqual(8)
    expect(roundTripMs).toBeLessThan(9)
    expect(bytesPerSecond).toBeGreaterThan(0.9 * 12_500_000)
    expect(bytesPerSecond).toBeLessThan(1.1 * 12_500_000)
    // 64 KiB to 1 MiB, the first that takes more than 50 ms.
    expect(near.traffic().sent).toBeGreaterThan(2 ** 21 - 2 ** 16)
    expect(near.traffic().sent).toBeLessThan(2 ** 21 + 2 ** 12)
  })

  it('sends little over a way that is narrow', async () => {
    const { scenario, near, clock } = await way({ latencyMs: 20, bytesPerSecond: 125_000 })
    const { bytesPerSecond } = await scenario.settle(measureLink(near, { clock }))
    expect(bytesPerSecond).toBeGreaterThan(0.9 * 125_000)
    expect(bytesPerSecond).toBeLessThan(1.1 * 125_000)
    expect(near.traffic().sent).toBeLessThan(2 ** 16 + 2 ** 12)
  })

  it('is not misled by one call that is late', async () => {
    const { scenario, near, far, clock } = await way({ latencyMs: 1 })
    const methods = Object.fromEntries(linkMethods)
    let calls = 0
    far.serve((name) => async (message, call) => {
      if (++calls === 2) await new Promise<void>((resolve) => void clock.after(300, resolve))
      return methods[name]!(message, call)
    })
    const { roundTripMs } = await scenario.settle(measureLink(near, { clock }))
    expect(roundTripMs).toBeLessThan(5)
  })

  it('ends with 4 MiB where everything is fast, with a finite bandwidth', async () => {
    const { scenario, near, clock } = await way({ latencyMs: 0, bytesPerSecond: 1e12 })
    const { bytesPerSecond } = await scenario.settle(measureLink(near, { clock }))
    expect(Number.isFinite(bytesPerSecond)).toBe(true)
    expect(near.traffic().sent).toBeLessThan(2 ** 23)
  })

  it('is withdrawn by a signal', async () => {
    const { scenario, near, clock } = await way({ latencyMs: 100 })
    const control = new AbortController()
    clock.after(600, () => control.abort(new Error('the node has left')))
    await expect(scenario.settle(measureLink(near, { clock, signal: control.signal }))).rejects.toMatchObject(
      { name: 'CancelledError' },
    )
  })

  it('takes nothing but what it was made for', async () => {
    const { scenario, near } = await way({ latencyMs: 1 })
    const head = new TextEncoder().encode('{}')
    const send = (tensors: Parameters<Connection['call']>[1]['tensors']) =>
      scenario.settle(near.call('link.fill', { head, tensors }, { deadlineMs: 20_000 }))
    await expect(send([])).rejects.toThrow('takes one uint8 tensor of at most 4194304 bytes')
    await expect(send([ndarray([1, 2])])).rejects.toMatchObject({ remoteName: 'LimitError' })
    const tooLarge = ndarray(new Uint8Array(2 ** 22 + 1))
    await expect(send([tooLarge])).rejects.toMatchObject({ remoteName: 'LimitError' })
  })
})
