// The memory that a training step holds at most, beside what it cannot do without.
import { NDArray, Session } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { graphOf } from '../contenders/shoalTasks.ts'
import type { Quantity } from '../quantity.ts'
import { exactly } from '../quantity.ts'
import { parametersOf } from '../values.ts'
import { metered } from './meter.ts'

const batch = 128
/** Inputs and what each layer gives, per example. */
const activations = 784 + 512 + 256 + 10
/** Each parameter, and Adam's two averages of it. */
const copies = 3

/** The peak of the MLP's training step at batch 128. */
export async function stepMemory(): Promise<Quantity[]> {
  const { device, peakBytes, begin } = metered(cpu({ threads: 1 }))
  const { run, feeds } = graphOf({ kind: 'train', model: 'mlp', batch })
  await using session = new Session({ devices: [device] })
  await session.initialize(...run)
  begin()
  const fed = feeds.map(
    ([tensor, { data, shape }]) => [tensor, new NDArray(tensor.dtype, shape, data)] as const,
  )
  for (let i = 0; i < 3; i++) await session.run(run, fed)
  const parameters = Object.values(parametersOf('mlp')).reduce((sum, { data }) => sum + data.length, 0)
  const needed = 4 * (copies * parameters + batch * activations)
  return [
    {
      name: 'MLP step memory',
      title: 'peak memory of the MLP step at batch 128, of its parameters, optimizer state and activations',
      unit: '×',
      value: exactly(peakBytes() / needed),
    },
  ]
}
