// Model parallelism: one network whose layers are on two machines. Placing nodes is all that there is to it.
import {
  device,
  embeddingLookup,
  glorotUniform,
  lstm,
  mean,
  orthogonal,
  placeholder,
  reshape,
  scope,
  slice,
  sparseSoftmaxCrossEntropy,
  type Tensor,
  type TraceEvent,
  truncatedNormal,
  variable,
  zeros,
} from '@shoal/core'
import { readStrips } from '@shoal/example-char-lstm/data'
import { dense } from '@shoal/example-parts'
import { adam, clipByGlobalNorm } from '@shoal/train'
import type { Arrangement, Claim, Task, TrainingOptions } from './training.ts'

/** Two workers, each with one of two recurrent layers. */
export const layers: Arrangement = {
  about: 'a recurrent network whose first layer is on one worker, and whose second is on another',
  jobs: { chief: 1, worker: 1 },
  serving: ['worker'],
  defaults: { whole: { steps: 1000, batch: 32 }, short: { steps: 120, batch: 16 } },
  run: trainSplit,
}

const below = '/job:chief/task:0'
const above = '/job:worker/task:0'

/** The loss of a network that reads characters in two layers, int32 [batch, length + 1]. */
function reader(alphabet: number, units: number, length: number): Tensor {
  const layer = (name: string, inputs: number) =>
    scope(name, () => ({
      input: variable(glorotUniform([inputs, 4 * units]), { name: 'input' }),
      hidden: variable(orthogonal([units, 4 * units]), { name: 'hidden' }),
      bias: variable(zeros([4 * units]), { name: 'bias' }),
    }))
  const text = placeholder({ shape: ['batch', length + 1], dtype: 'int32', name: 'text' })
  const features = device(below, () => {
    const table = variable(truncatedNormal([alphabet, 32], { deviation: 0.1 }), { name: 'characters' })
    const read = slice(text, { begin: [0, 0], size: [-1, length] })
    return lstm(embeddingLookup(table, read), layer('layer1', 32), { forgetBias: 1 }).outputs
  })
  return device(above, () => {
    const { outputs } = lstm(features, layer('layer2', units), { forgetBias: 1 })
    const logits = dense('logits', units, alphabet, { initializer: glorotUniform })(
      reshape(outputs, { shape: [-1, units] }),
    )
    const next = slice(text, { begin: [0, 1], size: [-1, length] })
    return mean(sparseSoftmaxCrossEntropy(logits, reshape(next, { shape: [-1] })))
  })
}

async function trainSplit(
  task: Task,
  { steps, batch, seed, short }: TrainingOptions,
): Promise<readonly Claim[]> {
  const [units, length] = short ? [48, 24] : [128, 64]
  const text = await readStrips({ seed, batchSize: batch, length, ...(short && { characters: 100_000 }) })
  const loss = reader(text.alphabet.length, units, length)
  const step = adam({ learningRate: short ? 0.01 : 0.003 }).minimize(loss, { clip: clipByGlobalNorm(1) })
  const server = await task.startServer()
  await using session = await server.session({ seed })
  await session.initialize(step, loss)

  let recent = Number.NaN
  let events: readonly TraceEvent[] = []
  let count = 0
  for await (const strips of text.train.repeat().take(steps)) {
    const last = ++count === steps
    const options = last ? { onTrace: (all: readonly TraceEvent[]) => (events = all) } : {}
    const [value] = await session.run([loss, step], strips, options)
    recent = Number.isNaN(recent) ? Number(value.item()) : 0.9 * recent + 0.1 * Number(value.item())
    if (count % Math.ceil(steps / 6) === 0) console.log(`step ${count}: loss ${recent.toFixed(3)}`)
  }
  const bound = short ? 3 : 2
  const busy = [below, above].map((half) => events.filter((event) => event.device.startsWith(half)).length)
  return [
    { claim: `the loss falls below ${bound}`, holds: recent < bound, figures: recent.toFixed(3) },
    {
      claim: 'both workers take part',
      holds: busy.every((n) => n > 10),
      figures: `${busy.join(' and ')} kernels and messages in a step`,
    },
  ]
}
