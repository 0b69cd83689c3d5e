// PyTorch's values and gradients on a device: forward and backward, in float32 and, where the device has it, in float64.
import type { Device, DType, NDArray } from '@shoal/core'
import { constant, placeholder, Tensor } from '@shoal/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectValues } from '../compare.ts'
import { sampled } from '../extent.ts'
import { gradientTrialWith } from '../gradient.ts'
import type { Tolerance } from '../tolerance.ts'
import { tolerances } from '../tolerance.ts'
import type { Trial } from '../trial.ts'
import { namedTensors, runTrial } from '../trial.ts'
import { arrayBuilders } from './arrays.ts'
import type { TorchBuilders } from './builder.ts'
import type { TorchCase } from './data.ts'
import { loadTorchCases } from './data.ts'
import { elementwiseBuilders } from './elementwise.ts'
import { networkBuilders } from './networks.ts'

/** Everything that the data needs, by the name that it has there. */
export const torchBuilders: TorchBuilders = { ...elementwiseBuilders, ...arrayBuilders, ...networkBuilders }

/** Registers one test per operation of the data. */
export function torchSuite(team: () => readonly Device[], claimed: readonly DType[]): void {
  describe('values of PyTorch', () => {
    let cases: readonly TorchCase[] = []
    beforeAll(async () => {
      cases = await loadTorchCases()
    })
    it('has a builder for each operation, and no other', () => {
      expect(cases.length).toBe(146)
      expect([...new Set(cases.map((c) => c.op))].sort()).toEqual(Object.keys(torchBuilders).sort())
    })
    const dtypes = (['float32', 'float64'] as const).filter((d) => claimed.includes(d))
    const operations = Object.keys(torchBuilders).flatMap((op, i) => {
      return sampled(i, dtypes).map((dtype) => [op, dtype] as const)
    })
    it.each(operations)('%s, %s', async (op, dtype) => {
      for (const one of cases.filter((c) => c.op === op)) await checkTorchCase(one, dtype, team(), claimed)
    })
  })
}

/** Compares one case with devices, forward and backward. Index inputs become int32 where int64 is not claimed. */
export async function checkTorchCase(
  one: TorchCase,
  dtype: DType,
  devices: readonly Device[],
  claimed: readonly DType[],
): Promise<void> {
  const trial = torchTrial(one, dtype, claimed.includes('int64'))
  await compare(trial, one.outputs, devices)
  const by = Object.keys(one.grads)
  if (by.length === 0) return
  const seeded = Object.entries(one.cotangents)
  const seeds = seeded.map(([, value]) => constant(value.cast(dtype)))
  const back = gradientTrialWith(
    trial,
    seeded.map(([name]) => trial.outputs.get(name)!),
    seeds,
    by,
  )
  await compare(back, one.grads, devices)
}

async function compare(
  trial: Trial,
  expected: Readonly<Record<string, NDArray>>,
  devices: readonly Device[],
): Promise<void> {
  const values = await runTrial(devices, trial)
  const at = tolerances({ fetches: [...trial.outputs.values()], targets: [] })
  // In float64 PyTorch's own rounding counts: it may have subtracted where Shoal did not.
  const within = (t: Tensor): Tolerance => (t.dtype === 'float64' ? { ...at(t), cancels: true } : at(t))
  expect([...trial.outputs.keys()].sort()).toEqual(Object.keys(expected).sort())
  ;[...trial.outputs].forEach(([name, t], i) =>
    expectValues(`${trial.name}, ${name}`, values[i]!, expected[name]!, within(t)),
  )
}

function torchTrial(one: TorchCase, dtype: DType, int64: boolean): Trial {
  const values = Object.fromEntries(
    Object.entries(one.inputs).map(([name, value]) => [name, fitted(value, dtype, int64)]),
  )
  const inputs = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      placeholder({ shape: value.shape, dtype: value.dtype, name }),
    ]),
  )
  const build = torchBuilders[one.op]
  if (!build) expect.fail(`nothing is known of ${one.op}`)
  const built = build(inputs, one.attrs)
  const outputs = built instanceof Tensor ? new Map([['y', built]]) : namedTensors(built)
  return { name: `${one.name} ${dtype}`, inputs, values, outputs, single: false, runs: 1 }
}

const fitted = (value: NDArray, dtype: DType, int64: boolean): NDArray =>
  value.dtype === 'float32'
    ? value.cast(dtype)
    : value.dtype === 'int64' && !int64
      ? value.cast('int32')
      : value
