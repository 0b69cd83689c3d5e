// Gradients of a trial: the graph that computes them, and central differences that they must agree with.
import type { Device, NDArray, Session, Tensor } from '@shoal/core'
import { constant, floats, gradients, ndarray, NDArray as HostArray } from '@shoal/core'
import { expect } from 'vitest'
import type { OpCase } from './case.ts'
import { Random } from './random.ts'
import type { Trial } from './trial.ts'
import { feedsOf, withSession } from './trial.ts'

/** The inputs that a case is to be differentiated by: none when it says so, or has no floats on either side. */
export function differentiated(opcase: Pick<OpCase, 'grad'>, trial: Trial): readonly string[] {
  const isFloat = (t: Tensor): boolean => floats.includes(t.dtype)
  if (opcase.grad === false || ![...trial.outputs.values()].some(isFloat)) return []
  if (Array.isArray(opcase.grad)) return opcase.grad as readonly string[]
  return Object.entries(trial.inputs).flatMap(([name, t]) => (isFloat(t) ? [name] : []))
}

/**
 * The trial of a trial's gradients: d(Σ ⟨cotangent, output⟩)/d input for each input named, with random cotangents.
 * @param values the outputs' values: cotangents have their shapes.
 */
export function gradientTrial(trial: Trial, values: readonly NDArray[], by: readonly string[]): Trial {
  const tops = [...trial.outputs.values()].flatMap((t, i) =>
    floats.includes(t.dtype) ? [{ t, shape: values[i]!.shape }] : [],
  )
  const seeds = tops.map(({ t, shape }, i) =>
    constant(cotangent(`${trial.name} cotangent ${i}`, shape).cast(t.dtype)),
  )
  return gradientTrialWith(
    trial,
    tops.map(({ t }) => t),
    seeds,
    by,
  )
}

/** As `gradientTrial`, with given cotangents for given outputs. */
export function gradientTrialWith(
  trial: Trial,
  tops: readonly Tensor[],
  seeds: readonly Tensor[],
  by: readonly string[],
): Trial {
  const found = gradients(
    tops,
    by.map((name) => trial.inputs[name]!),
    { seeds },
  )
  return {
    ...trial,
    name: `gradient of ${trial.name}`,
    outputs: new Map(by.map((name, i) => [name, found[i]!])),
  }
}

/** Multiples of 1/64 with magnitudes in [0.25, 1]: exact in every float dtype but bfloat16's last bits, and never close to 0. */
function cotangent(seed: string, shape: readonly number[]): NDArray {
  const stream = new Random(seed)
  const size = shape.reduce((n, d) => n * d, 1)
  const draw = (): number => (stream.next() < 0.5 ? -1 : 1) * (stream.integer(16, 65) / 64)
  return ndarray(Float64Array.from({ length: size }, draw), 'float64', shape)
}

/** The step of the differences: their error is of the order of its fourth power, rounding of 2^-52 / step. */
const step = 2e-4
const accuracy = 1e-6

/**
 * Checks a float64 trial's gradient by every named input along one random direction: ⟨gradient, direction⟩ against
 * (8 (f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h with f = Σ ⟨cotangent, output⟩.
 * @throws AssertionError when they differ by more than a millionth of the terms.
 */
export async function checkNumerically(
  devices: readonly Device[],
  trial: Trial,
  values: readonly NDArray[],
  by: readonly string[],
): Promise<void> {
  const analytic = gradientTrial(trial, values, by)
  await withSession(devices, analytic.name, async (session) => {
    await session.initialize([...trial.outputs.values(), ...analytic.outputs.values()])
    const found = await session.run([...analytic.outputs.values()], feedsOf(trial, trial.values))
    const weights = cotangentsOf(trial, values)
    for (const [i, name] of by.entries()) {
      if (trial.inputs[name]!.dtype !== 'float64') continue
      const direction = cotangent(`${trial.name} direction ${name}`, trial.values[name]!.shape)
      const terms = found[i]!.numbers().map((g, k) => g * Number(direction.data[k]))
      const projected = sum(terms)
      const numeric = await difference(session, trial, weights, name, direction)
      const scale = Math.max(1, sum(terms.map(Math.abs)))
      if (!(Math.abs(projected - numeric) <= accuracy * scale))
        expect.fail(
          `${analytic.name} by ${name}: the gradient rule gives ${projected} along a direction, differences give ${numeric}`,
        )
    }
  })
}

type Weight = Float64Array | undefined
const cotangentsOf = (trial: Trial, values: readonly NDArray[]): Weight[] => {
  let seed = 0
  return [...trial.outputs.values()].map((t, i) =>
    floats.includes(t.dtype)
      ? (cotangent(`${trial.name} cotangent ${seed++}`, values[i]!.shape).data as Float64Array)
      : undefined,
  )
}

async function difference(
  session: Session,
  trial: Trial,
  weights: readonly Weight[],
  name: string,
  direction: NDArray,
): Promise<number> {
  const at = async (h: number): Promise<number> => {
    const moved = trial.values[name]!.numbers().map((x, k) => x + h * Number(direction.data[k]))
    const value = new HostArray('float64', direction.shape, Float64Array.from(moved))
    const answers = await session.run(
      [...trial.outputs.values()],
      feedsOf(trial, { ...trial.values, [name]: value }),
    )
    return sum(answers.map((y, i) => (weights[i] ? dot(weights[i], y) : 0)))
  }
  const near = (await at(step)) - (await at(-step))
  const far = (await at(2 * step)) - (await at(-2 * step))
  return (8 * near - far) / (12 * step)
}

const sum = (terms: readonly number[]): number => terms.reduce((a, b) => a + b, 0)
const dot = (weight: Float64Array, y: NDArray): number => sum(y.numbers().map((v, k) => v * weight[k]!))
