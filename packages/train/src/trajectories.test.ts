// Every optimizer against trajectories that other programs computed, in float64 and in float32.
import { readFileSync } from 'node:fs'
import type { DType } from '@shoal/core'
import { add, constant, matmul, ndarray, Session, sparseSoftmaxCrossEntropy, variable } from '@shoal/core'
import { readCsv } from '@shoal/data'
import { describe, expect, it } from 'vitest'
import type { Optimizer } from './optimizer.ts'
import { adadelta } from './optimizers/adadelta.ts'
import { adagrad } from './optimizers/adagrad.ts'
import { adam } from './optimizers/adam.ts'
import { adamax } from './optimizers/adamax.ts'
import { adamW } from './optimizers/adamW.ts'
import { ftrl } from './optimizers/ftrl.ts'
import { gradientDescent } from './optimizers/gradientDescent.ts'
import { momentum } from './optimizers/momentum.ts'
import { proximalAdagrad } from './optimizers/proximalAdagrad.ts'
import { rmsProp } from './optimizers/rmsProp.ts'

interface Trajectory {
  readonly attrs: Readonly<Record<string, number>>
  readonly loss_before_each_step: readonly number[]
  readonly final_loss: number
  readonly W: readonly (readonly number[])[]
  readonly b: readonly number[]
}
interface Recorded {
  readonly W0: number[][]
  readonly b0: number[]
  readonly trajectories: Readonly<Record<string, Trajectory>>
}

const here = (path: string): Buffer => readFileSync(new URL(path, import.meta.url))
const recorded = JSON.parse(here('../data/optimizerTrajectories.json').toString()) as Recorded
const columns = ['sepal_length_cm', 'sepal_width_cm', 'petal_length_cm', 'petal_width_cm'] as const
const iris = await readCsv(new Uint8Array(here('../../../datasets/iris.csv')), {
  columns: Object.fromEntries([...columns, 'target'].map((name) => [name, 'float64' as const])),
})

function standardised(name: string): number[] {
  const values = iris[name]!.numbers()
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)
  return values.map((x) => (x - mean) / deviation)
}
const features = columns.map(standardised)
const rows = features[0]!.map((_, i) => features.map((column) => column[i]!))

const optimizers: Readonly<Record<string, (attrs: Readonly<Record<string, number>>) => Optimizer>> = {
  'sgd_0.1': ({ lr }) => gradientDescent({ learningRate: lr! }),
  'momentum_0.1_0.9': ({ lr, momentum: m }) => momentum({ learningRate: lr!, momentum: m! }),
  'nesterov_0.1_0.9': ({ lr, momentum: m }) => momentum({ learningRate: lr!, momentum: m!, nesterov: true }),
  adam_torch: ({ lr, eps }) => adam({ learningRate: lr!, epsilon: eps! }),
  adam_tf: ({ lr, b1, b2, eps }) =>
    adam({ learningRate: lr!, beta1: b1!, beta2: b2!, epsilon: eps!, form: 'tensorflow' }),
  adamw: ({ lr, weight_decay }) => adamW({ learningRate: lr!, weightDecay: weight_decay! }),
  adamax: ({ lr, eps }) => adamax({ learningRate: lr!, epsilon: eps! }),
  'adagrad_acc0.1': ({ lr, initial_accumulator, eps }) =>
    adagrad({ learningRate: lr!, initialAccumulator: initial_accumulator!, epsilon: eps! }),
  adadelta: ({ lr, rho, eps }) => adadelta({ learningRate: lr!, decay: rho!, epsilon: eps! }),
  rmsprop_torch: ({ lr, decay, eps }) =>
    rmsProp({ learningRate: lr!, decay: decay!, epsilon: eps!, form: 'torch' }),
  rmsprop_tf: ({ lr, decay, eps, momentum: m }) =>
    rmsProp({ learningRate: lr!, decay: decay!, epsilon: eps!, momentum: m! }),
  ftrl_tf: ({ lr, l1, l2, lr_power, initial_accumulator }) =>
    ftrl({
      learningRate: lr!,
      l1: l1!,
      l2: l2!,
      power: lr_power!,
      initialAccumulator: initial_accumulator!,
    }),
  proximal_adagrad_tf: ({ lr, l1, l2, initial_accumulator }) =>
    proximalAdagrad({ learningRate: lr!, l1: l1!, l2: l2!, initialAccumulator: initial_accumulator! }),
}

async function follow(optimizer: Optimizer, dtype: DType, steps: number) {
  await using session = new Session()
  const w = variable(ndarray(recorded.W0, dtype), { name: 'w' })
  const b = variable(ndarray(recorded.b0, dtype), { name: 'b' })
  const logits = add(matmul(constant(rows, dtype), w), b)
  const labels = iris['target']!.cast('int32')
  const loss = sparseSoftmaxCrossEntropy(logits, labels, { reduction: 'mean' })
  const step = optimizer.minimize(loss)
  await session.initialize(step, loss)
  const losses: number[] = []
  for (let i = 0; i < steps; i++) losses.push((await session.run([loss, step]))[0].item() as number)
  const [final, W, B] = await session.run([loss, w, b])
  return { losses: [...losses, final.item() as number], weights: [...W.numbers(), ...B.numbers()] }
}

describe.each([
  ['float64', 1e-12],
  ['float32', 1e-4],
] as const)('in %s', (dtype, tolerance) => {
  it.each(Object.entries(recorded.trajectories))('%s follows its trajectory', async (name, trajectory) => {
    const { losses, weights } = await follow(optimizers[name]!(trajectory.attrs), dtype, 20)
    const expected = [...trajectory.loss_before_each_step, trajectory.final_loss]
    const ends = [...trajectory.W.flat(), ...trajectory.b]
    expect(losses).toHaveLength(expected.length)
    expect(weights).toHaveLength(ends.length)
    losses.forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThan(tolerance))
    weights.forEach((x, i) => expect(Math.abs(x - ends[i]!)).toBeLessThan(tolerance))
  })
})
