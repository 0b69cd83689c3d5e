import { placeholder, add, ndarray, reference } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { watch } from './holdings.ts'
import type { Trial } from './trial.ts'
import { runTrial, withSession } from './trial.ts'

const x = placeholder({ shape: [2] })
const trial: Trial = {
  name: 'x + x',
  inputs: { x },
  values: { x: ndarray([1, 2]) },
  outputs: new Map([['0', add(x, x)]]),
  single: true,
  runs: 1,
}

describe('watch', () => {
  it('counts what is held', () => {
    const { device, held } = watch(reference())
    const buffer = device.alloc(8)
    expect(held()).toBe(1)
    device.free(buffer)
    expect(held()).toBe(0)
  })
  it('refuses to free twice', () => {
    const { device } = watch(reference())
    const buffer = device.alloc(8)
    device.free(buffer)
    expect(() => device.free(buffer)).toThrow('not held')
  })
})

describe('runTrial', () => {
  it('answers the values', async () => {
    expect((await runTrial([reference()], trial))[0]!.toArray()).toEqual([2, 4])
  })
})

describe('withSession', () => {
  it('finds buffers that outlive their session', async () => {
    const leak = withSession([reference()], 'a leak', async (session) => {
      session.devices[0]!.alloc(4)
    })
    await expect(leak).rejects.toThrow('a leak: reference still holds 1 buffers')
  })
})
