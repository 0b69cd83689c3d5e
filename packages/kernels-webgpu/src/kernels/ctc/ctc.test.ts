import type { DType } from '@shoal/core'
import { allocate, setElement } from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import { webgpu } from '../../webgpu.ts'
import { answersOf, expectAgreement, random, type } from '../agreement.ts'

const device = await webgpu()
afterAll(() => device[Symbol.asyncDispose]())

interface Problem {
  readonly sizes: readonly [time: number, batch: number, classes: number, places: number]
  readonly scale?: number
  readonly dtype?: DType
}

/** Sequences of random lengths, some of them out of range, with labels that often repeat; the last class is blank. */
function problem({ sizes, scale = 3, dtype = 'float32' }: Problem) {
  const [time, batch, classes, places] = sizes
  const next = random(time + batch)
  const below = (count: number): number => Math.floor(((next() + 1) / 2) * count)
  const integers = (count: number, make: () => number) => Int32Array.from({ length: count }, make)
  const logits = allocate(dtype, time * batch * classes) as Float32Array
  for (let i = 0; i < logits.length; i++) setElement(dtype, logits, i, scale * next())
  return {
    signature: {
      inputs: [
        type([time, batch, classes], dtype),
        type([batch, places], 'int32'),
        type([batch], 'int32'),
        type([batch], 'int32'),
      ],
      outputs: [type([batch], dtype), type([time, batch, classes], dtype)],
      attrs: { blank: classes - 1 },
    },
    given: [
      logits,
      integers(batch * places, () => below(Math.min(3, classes - 1))),
      integers(batch, () => below(places + 2) - 1),
      integers(batch, () => below(time + 4) - 1),
    ] as const,
  }
}

/** Losses and gradients are the reference kernel's. */
async function expectLosses(tolerance: number, of: Problem): Promise<void> {
  const { signature, given } = problem(of)
  await expectAgreement(device, 'CtcLoss', signature, tolerance, given)
}

describe('CtcLoss', () => {
  it('agrees with the definition for sequences of all lengths', async () => {
    await expectLosses(2e-5, { sizes: [12, 9, 6, 4] })
    await expectLosses(2e-5, { sizes: [3, 2, 4, 0] })
  })

  it('has a lane go through several states, and through several classes', async () => {
    const { signature, given } = problem({ sizes: [190, 1, 300, 130] })
    const all = [given[0], given[1], Int32Array.of(130), Int32Array.of(190)]
    const [losses] = await answersOf(device, 'CtcLoss', signature, all)
    expect(losses![0]).toBeLessThan(2000)
    await expectAgreement(device, 'CtcLoss', signature, 1e-3, all)
  })

  it('reads labels that are less likely than any float32', async () => {
    await expectLosses(1e-3, { sizes: [60, 3, 5, 20], scale: 80 })
  })

  it('takes narrow floats', () => expectLosses(0.02, { sizes: [7, 4, 5, 3], dtype: 'float16' }))

  it('reads the class of blanks among the labels as a blank', async () => {
    const { signature, given } = problem({ sizes: [6, 2, 4, 2] })
    const labels = Int32Array.of(3, 1, 2, 3)
    const all = [given[0], labels, Int32Array.of(2, 2), Int32Array.of(6, 5)]
    await expectAgreement(device, 'CtcLoss', signature, 2e-5, all)
  })

  it('has the loss Infinity where labels do not fit, and NaN where they are no classes', async () => {
    const { signature, given } = problem({ sizes: [4, 3, 4, 3] })
    const labels = Int32Array.of(0, 0, 1, 5, 0, 1, -1, 2, 0)
    const all = [given[0], labels, Int32Array.of(3, 2, 1), Int32Array.of(3, 4, 4)]
    const [losses, slopes] = await answersOf(device, 'CtcLoss', signature, all)
    expect([...losses!]).toEqual([Infinity, NaN, NaN])
    // [time, batch, classes]: nothing of the first sequence, nothing that is a number of the others.
    const expected = Array.from({ length: 48 }, (_, i) => (i % 12 < 4 ? 0 : NaN))
    expect(Array.from(slopes!, Number)).toEqual(expected)
  })

  it('leaves sequences of more labels than fit to other devices', () => {
    expect(device.supports('CtcLoss', problem({ sizes: [1, 1, 2, 700] }).signature)).toBe(true)
    expect(device.supports('CtcLoss', problem({ sizes: [1, 1, 2, 701] }).signature)).toBe(false)
  })
})
