// The part of the transport suite that is for tensors in chunks: the small ones overtake, and what is buffered has a bound.
import { ndarray } from '@shoal/core'
import { afterEach, describe, expect, it } from 'vitest'
import type { MakePair, Pair, SuiteMessage } from './transportContract.ts'

const empty: SuiteMessage = { head: new Uint8Array(0), tensors: [] }
const soon = { deadlineMs: 20_000 }
const mebibyte = 2 ** 20
/** What may come of a call before it is let in. */
const early = 2 ** 16

/** Registers the tests of flow. */
export function flowSuite(name: string, makePair: MakePair): void {
  describe(`transport ${name}, flow`, () => {
    let pair: Pair
    afterEach(async () => {
      await Promise.all([pair.near.close(), pair.far.close()])
      await pair.close?.()
    })

    it('lets an urgent call overtake a large answer', async () => {
      pair = await makePair()
      const { near, far } = pair
      const order: string[] = []
      const large = ndarray(new Float32Array(4 * mebibyte))
      far.serve({
        pull: async () => ({ ...empty, tensors: [large] }),
        echo: async (message) => message,
      })
      // The urgent call is made when the answer to the other has begun to arrive.
      const urgent = Promise.withResolvers<SuiteMessage>()
      const into = (): Uint8Array => {
        near.call('echo', empty, { ...soon, urgent: true }).then(urgent.resolve, urgent.reject)
        return new Uint8Array(large.bytes.length)
      }
      await Promise.all([
        near.call('pull', empty, { ...soon, into }).then(() => order.push('large')),
        urgent.promise.then(() => order.push('urgent')),
      ])
      expect(order).toEqual(['urgent', 'large'])
    })

    it('holds calls back at the caller until the others were served', async () => {
      pair = await makePair({ servedBytes: 2 * mebibyte })
      const { near, far } = pair
      const started: number[] = []
      const finish: (() => void)[] = []
      const first = Promise.withResolvers<void>()
      far.serve({
        echo: async (message) => message,
        hold: ({ tensors: [tensor] }) =>
          new Promise((resolve) => {
            started.push(tensor!.at(0) as number)
            finish.push(() => resolve(empty))
            first.resolve()
          }),
      })
      const bytes = 1.5 * mebibyte
      const push = (i: number): Promise<SuiteMessage> =>
        near.call('hold', { ...empty, tensors: [ndarray(new Uint8Array(bytes).fill(i))] }, soon)
      const before = near.traffic().sent
      const calls = Promise.all([0, 1, 2, 3, 4].map(push))
      await first.promise
      // By the time these were answered all that may go has gone.
      for (let i = 0; i < 20; i++) await near.call('echo', empty, soon)
      expect(started).toHaveLength(1)
      expect(near.traffic().sent - before).toBeLessThan(bytes + 4 * early + 2 ** 16)
      const finishAll = async (): Promise<void> => {
        while (started.length < 5 || finish.length > 0) {
          finish.shift()?.()
          await near.call('echo', empty, soon)
        }
      }
      await Promise.all([calls, finishAll()])
      expect(started.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4])
    })

    it('frees the memory of calls that are withdrawn while they wait', async () => {
      pair = await makePair({ servedBytes: mebibyte })
      const { near, far } = pair
      const release = Promise.withResolvers<SuiteMessage>()
      const held = Promise.withResolvers<void>()
      far.serve({
        hold: () => {
          held.resolve()
          return release.promise
        },
        size: async ({ tensors: [tensor] }) => ({ ...empty, head: Uint8Array.of(tensor!.size / mebibyte) }),
      })
      const message = { ...empty, tensors: [ndarray(new Uint8Array(2 * mebibyte))] }
      const first = near.call('hold', message, soon)
      await held.promise
      const control = new AbortController()
      const withdrawn = near.call('size', message, { ...soon, signal: control.signal })
      const waiting = near.call('size', message, soon)
      control.abort()
      await expect(withdrawn).rejects.toMatchObject({ name: 'CancelledError' })
      release.resolve(empty)
      await first
      expect([...(await waiting).head]).toEqual([2])
    })
  })
}
