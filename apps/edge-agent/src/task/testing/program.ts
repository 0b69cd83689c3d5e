// A program as a user would write one, for tests that run it in processes of its own.
import { add, matmul, mean, ndarray, placeholder, square, sub, variable } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { gradientDescent, saveModel } from '@shoal/train'
import { float, randomSampler } from '@shoal/tune'
import { defineProgram, trainReplicas } from '../index.ts'

/** Trains y = 3 x - 2, or searches for a small x. */
export default defineProgram({
  async train(task) {
    const [w, b] = [variable([[0]], { name: 'w' }), variable(0, { name: 'b' })]
    const x = placeholder({ shape: ['batch', 1], name: 'x' })
    const y = placeholder({ shape: ['batch', 1], name: 'y' })
    const line = add(matmul(x, w), b)
    const examples = Dataset.from(
      [-1, -0.5, 0, 0.5, 1].map((at) => ({ x: ndarray([at]), y: ndarray([3 * at - 2]) })),
    )
    await using replica = await trainReplicas(task, {
      loss: mean(square(sub(line, y))),
      optimizer: gradientDescent({ learningRate: 0.4 }),
      data: examples.shuffle({ seed: task.index }).repeat().batch(5),
      steps: 40,
    })
    if (!replica.isChief) return
    await task.saveModel(await saveModel({ session: replica.session, outputs: { line } }))
    const learnt = await replica.session.run({ w, b })
    await task.result({ w: learnt.w.number(), b: learnt.b.number() })
  },
  search: {
    space: { x: float(0, 1) },
    sampler: randomSampler(),
    trials: 4,
    async objective({ params, number }, task) {
      await task.saveModel(Uint8Array.of(number))
      return params.x
    },
  },
})
