// What is asked of a case: right values and gradients on the reference device, and the same on every other.
import type { Device, DType, NDArray } from '@shoal/core'
import { fixedSize, reference } from '@shoal/core'
import { expect } from 'vitest'
import type { Expected, OpCase } from './case.ts'
import { caseName, dtypesFor } from './case.ts'
import { expectClose, expectValues } from './compare.ts'
import { opsIn } from './coverage.ts'
import { checkNumerically, differentiated, gradientTrial } from './gradient.ts'
import { tolerances } from './tolerance.ts'
import type { Trial } from './trial.ts'
import { buildTrial, runTrial } from './trial.ts'

const graphOf = (trial: Trial) => ({ fetches: [...trial.outputs.values()], targets: [] })

/** The dtypes of fixed size that a trial's graph touches; a device without one of them cannot run it. */
export function dtypesOf(trial: Trial): Set<DType> {
  const tensors = [...Object.values(trial.inputs), ...trial.outputs.values()]
  return new Set(tensors.map((t) => t.dtype).filter((d) => fixedSize.includes(d)))
}

/** Compares the values of two runs of the same trial. */
export function expectSame(
  what: string,
  trial: Trial,
  actual: readonly NDArray[],
  expected: readonly NDArray[],
): void {
  const at = tolerances(graphOf(trial))
  ;[...trial.outputs].forEach(([name, t], i) =>
    expectClose(`${what}, output ${name}`, actual[i]!, expected[i]!, at(t)),
  )
}

/** Compares values with what the case expects. */
export function expectRight(opcase: OpCase, dtype: DType, trial: Trial, actual: readonly NDArray[]): void {
  if (!opcase.expect) return
  const answer = opcase.expect(trial.values, dtype)
  const at = tolerances(graphOf(trial))
  ;[...trial.outputs].forEach(([name, t], i) => {
    const wanted = trial.single ? (answer as Expected) : (answer as Readonly<Record<string, Expected>>)[name]
    if (wanted === undefined) expect.fail(`${trial.name}: expects nothing of output ${name}`)
    expectValues(`${trial.name}, output ${name}`, actual[i]!, wanted, at(t))
  })
}

/** The values of one dtype of a case are right on a device, and those and the gradients are the reference device's. */
export async function checkOnDevice(opcase: OpCase, dtype: DType, devices: readonly Device[]): Promise<void> {
  const trial = buildTrial(opcase, dtype)
  const expected = await runTrial([reference()], trial)
  const actual = await runTrial(devices, trial)
  expectRight(opcase, dtype, trial, actual)
  expectSame(trial.name, trial, actual, expected)
  const by = differentiated(opcase, trial)
  if (by.length === 0) return
  const back = gradientTrial(trial, expected, by)
  expectSame(back.name, back, await runTrial(devices, back), await runTrial([reference()], back))
}

/** The reference device itself: right values in each dtype, whatever is known of the sizes; the ops that the case names; gradients as differences say. */
export async function checkDefinition(opcase: OpCase): Promise<void> {
  const [dtype, ...others] = dtypesFor(opcase)
  const trial = buildTrial(opcase, dtype)
  const values = await runTrial([reference()], trial)
  expectRight(opcase, dtype, trial, values)
  for (const other of others) await checkAnswer(opcase, other)
  const by = differentiated(opcase, trial)
  const back = by.length > 0 ? gradientTrial(trial, values, by) : undefined
  expectCovers(opcase, trial, back)
  if (opcase.symbolic !== false) await checkSymbolic(opcase, dtype, values, by)
  if (by.length > 0) await checkGradients(opcase)
}

async function checkAnswer(opcase: OpCase, dtype: DType): Promise<void> {
  const trial = buildTrial(opcase, dtype)
  expectRight(opcase, dtype, trial, await runTrial([reference()], trial))
}

function expectCovers(opcase: OpCase, trial: Trial, back: Trial | undefined): void {
  const fetches = [...trial.outputs.values(), ...(back?.outputs.values() ?? [])]
  const used = opsIn({ fetches, targets: [] })
  const absent = opcase.ops.filter((name) => !used.has(name))
  if (absent.length > 0)
    expect.fail(`${caseName(opcase)} builds no ${absent.join(', ')}, only ${[...used].join(', ')}`)
}

async function checkSymbolic(
  opcase: OpCase,
  dtype: DType,
  values: readonly NDArray[],
  by: readonly string[],
): Promise<void> {
  const trial = buildTrial(opcase, dtype, { symbolic: true })
  const concrete = buildTrial(opcase, dtype)
  expectSame(`${trial.name} with named sizes`, concrete, await runTrial([reference()], trial), values)
  if (by.length === 0) return
  const back = gradientTrial(concrete, values, by)
  const named = gradientTrial(trial, values, by)
  expectSame(
    `${named.name} with named sizes`,
    back,
    await runTrial([reference()], named),
    await runTrial([reference()], back),
  )
}

/** Differences need digits: whatever the case runs in, its gradient is checked in float64. */
async function checkGradients(opcase: OpCase): Promise<void> {
  const trial = buildTrial(opcase, 'float64')
  const values = await runTrial([reference()], trial)
  const by = differentiated(opcase, trial)
  await checkNumerically([reference()], trial, values, by)
  if (!opcase.secondOrder) return
  const back = gradientTrial(trial, values, by)
  await checkNumerically([reference()], back, await runTrial([reference()], back), by)
}
