// A program that computes on the GPU of its node what it computes on the processor too, and trains there.
import { type Device, matmul, mean, ndarray, randomNormal, Session, square, sub, variable } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { gradientDescent } from '@shoal/train'
import { defineProgram, trainReplicas } from '../index.ts'

/** The same product everywhere: of matrices that are drawn by a seed. */
async function product(device: Device): Promise<readonly number[]> {
  const [a, b] = [variable(randomNormal([40, 70])), variable(randomNormal([70, 30]))]
  const answer = matmul(a, b)
  await using session = new Session({ devices: [device], seed: 1 })
  await session.initialize(answer)
  return (await session.run(answer)).numbers()
}

export default defineProgram({
  async train(task) {
    const devices = await task.devices()
    const [there, here] = await Promise.all(devices.map(product))
    const x = variable([[4], [-4]], { name: 'x' })
    await using replica = await trainReplicas(task, {
      loss: mean(
        square(
          sub(
            matmul(
              ndarray([
                [2, 0],
                [0, 2],
              ]),
              x,
            ),
            1,
          ),
        ),
      ),
      optimizer: gradientDescent({ learningRate: 0.2 }),
      data: Dataset.from([{}]).repeat(),
      steps: 20,
    })
    await task.result({
      devices: devices.map(({ type }) => type),
      largest: Math.max(...here!.map(Math.abs)),
      difference: Math.max(...here!.map((value, i) => Math.abs(value - there![i]!))),
      learnt: (await replica.session.run(x)).numbers(),
      drivers: Object.keys(process.env).filter((name) => name.startsWith('VK_')),
    })
  },
})
