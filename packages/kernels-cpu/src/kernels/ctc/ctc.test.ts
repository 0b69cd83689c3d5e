import type { Device, DType } from '@shoal/core'
import { ctcLoss, gradients, ndarray, placeholder, reference, Session } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { cpu, type CpuDevice } from '../../cpu.ts'

interface Problem {
  readonly logits: readonly (readonly (readonly number[])[])[]
  readonly labels: readonly (readonly number[])[]
  readonly labelLengths: readonly number[]
  readonly inputLengths: readonly number[]
  readonly blank: number
}

/** Sequences of random lengths, with labels that often repeat; scores from -scale to scale. */
function problem(
  [time, batch, classes, places]: readonly [number, number, number, number],
  scale = 3,
): Problem {
  let state = time + batch
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 8) / 2 ** 24
  }
  const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
  const blank = classes - 1
  return {
    logits: many(time, () => many(batch, () => many(classes, () => scale * (2 * next() - 1)))),
    labels: many(batch, () => many(places, () => Math.floor(next() * Math.min(3, blank)))),
    labelLengths: many(batch, () => Math.floor(next() * (places + 1))),
    inputLengths: many(batch, () => Math.floor(next() * (time + 3))),
    blank,
  }
}

/** The losses and the gradient by the logits. */
async function answers(device: Device, given: Problem, dtype: DType, indexType: 'int32' | 'int64') {
  await using session = new Session({ devices: [device] })
  const values = {
    logits: ndarray(given.logits as number[][][], dtype),
    labels: ndarray(given.labels as number[][], indexType),
    labelLengths: ndarray(given.labelLengths as number[], indexType),
    inputLengths: ndarray(given.inputLengths as number[], indexType),
  }
  const [logits, labels, labelLengths, inputLengths] = Object.values(values).map((value) =>
    placeholder({ shape: value.shape, dtype: value.dtype }),
  ) as [never, never, never, never]
  const losses = ctcLoss(logits, labels, labelLengths, inputLengths, { blank: given.blank })
  const [slopes] = gradients([losses], [logits])
  const feeds = [logits, labels, labelLengths, inputLengths].map(
    (t, i) => [t, Object.values(values)[i]!] as const,
  )
  await session.run([losses, slopes!], feeds)
  // From now on threads take their shares.
  await (device as Partial<CpuDevice>).ready?.()
  const [loss, gradient] = await session.run([losses, slopes!], feeds)
  return { loss: loss.numbers(), gradient: gradient.numbers() }
}

async function expectAgreement(given: Problem, dtype: DType, indexType: 'int32' | 'int64' = 'int32') {
  const expected = await answers(reference(), given, dtype, indexType)
  const actual = await answers(cpu(), given, dtype, indexType)
  const digits = dtype === 'float64' ? 11 : 5
  actual.loss.forEach((x, i) => {
    const truth = expected.loss[i]!
    expect(Number.isFinite(truth) ? x / Math.max(1, truth) : x).toBeCloseTo(
      Number.isFinite(truth) ? truth / Math.max(1, truth) : truth,
      digits,
    )
  })
  actual.gradient.forEach((x, i) => expect(x).toBeCloseTo(expected.gradient[i]!, digits))
  expect(await answers(cpu({ threads: 3 }), given, dtype, indexType)).toEqual(actual)
}

describe('CtcLoss', () => {
  it('agrees with the definition for sequences of all lengths', async () => {
    await expectAgreement(problem([12, 9, 6, 4]), 'float32')
    await expectAgreement(problem([12, 9, 6, 4]), 'float64', 'int64')
    await expectAgreement(problem([40, 7, 21, 11]), 'float32', 'int64')
    await expectAgreement(problem([5, 3, 2, 1]), 'float64')
  })

  it('reads labels that are less likely than any float64', async () => {
    await expectAgreement(problem([60, 3, 5, 20], 80), 'float32')
    await expectAgreement(problem([60, 3, 5, 20], 400), 'float64')
  })

  it('agrees with it on lengths out of range, and on labels that are no classes, whose lower halves may be', async () => {
    const far = 2 ** 32
    for (const [indexType, lengths, wrong] of [
      ['int32', [3, -2, 9, 2, 1], [5, -1]],
      ['int64', [3 + far, 3 - far, -2, 2, 1], [1 + far, 1 - far]],
    ] as const) {
      const given: Problem = {
        ...problem([6, 5, 4, 3]),
        labels: [
          [0, 1, 2],
          [1, 1, 0],
          [2, 0, 1],
          [0, wrong[0], 1],
          [wrong[1], 0, 2],
        ],
        labelLengths: lengths,
        inputLengths: [6, 6, -3, 9, 5],
      }
      const rounded = ({ loss, gradient }: Awaited<ReturnType<typeof answers>>) =>
        [...loss, ...gradient].map((x) => Number(x.toFixed(9)) + 0)
      const expected = rounded(await answers(reference(), given, 'float64', indexType))
      expect(expected.slice(3, 5)).toEqual([NaN, NaN])
      expect(rounded(await answers(cpu(), given, 'float64', indexType))).toEqual(expected)
    }
  })

  it('shares sequences among threads', async () => {
    await expectAgreement(problem([50, 24, 10, 8]), 'float32')
  })
})
