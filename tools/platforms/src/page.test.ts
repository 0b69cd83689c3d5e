// The page itself: it may share memory exactly where it should, and computes the bits of Node, also in a worker.
import { randomNormal, Session, sum, tanh } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { describe, expect, inject, it, vi } from 'vitest'
import { bits } from './bits.ts'

const page = inject('page')

describe(page.isolated ? 'a page that is isolated' : 'a page that is not isolated', () => {
  it('may share memory exactly when it is', () => {
    expect(crossOriginIsolated).toBe(page.isolated)
    expect(typeof SharedArrayBuffer).toBe(page.isolated ? 'function' : 'undefined')
  })

  it('has threads exactly when it is', async () => {
    const started = vi.spyOn(globalThis, 'Worker')
    const device = cpu({ threads: 3 })
    await using session = new Session({ devices: [device], seed: 1 })
    const large = sum(tanh(randomNormal([1e6])))
    for (let run = 0; run < 2; run++) {
      expect((await session.run(large)).item()).toBeTypeOf('number')
      await device.ready()
    }
    expect(started).toHaveBeenCalledTimes(page.isolated ? 2 : 0)
    started.mockRestore()
  })

  it.each([1, 2, 4])('computes the bits of Node with %i threads', async (threads) => {
    expect(await bits(threads)).toBe(page.bits)
  })

  it('computes the same in a worker, which has a thread of its own', async () => {
    const worker = new Worker(new URL('./bitsInWorker.ts', import.meta.url), { type: 'module' })
    const answer = await new Promise<string>((resolve, reject) => {
      worker.addEventListener('message', ({ data }) => resolve(String(data)))
      worker.addEventListener('error', ({ message }) => reject(new Error(message)))
    })
    worker.terminate()
    expect(answer).toBe(page.bits)
  })
})
