// Learns on which of two spirals a point lies: shoal train, shoal search, and shoal ensemble run the parts of this program.
import { add, heUniform, matmul, mean, ndarray, placeholder, relu, Session, softmax } from '@shoal/core'
import { argMax, cast, equal, sparseSoftmaxCrossEntropy, type Tensor, variable, zeros } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { adam, saveModel, train } from '@shoal/train'
import { float, int, medianPruner } from '@shoal/tune'
import { defineProgram, trainReplicas } from 'shoal'

/** Points of two spirals and the spiral of each: the same ones every time. The part says which of four. */
function spirals(part: number) {
  const points = Array.from({ length: 256 }, (_, i) => {
    const turn = 0.5 + ((4 * i + part) / 1024) * 3 * Math.PI
    const side = i % 2 === 0 ? 1 : -1
    return [(side * turn * Math.cos(turn)) / 10, (side * turn * Math.sin(turn)) / 10]
  })
  return {
    points: ndarray(points),
    labels: ndarray(
      points.map((_, i) => i % 2),
      'int32',
    ),
  }
}
const training = Dataset.from([0, 1, 2].map(spirals))
const heldOut = spirals(3)

/** A network of two hidden layers. */
function network(units: number) {
  const points = placeholder({ shape: ['batch', 2], name: 'points' })
  const labels = placeholder({ dtype: 'int32', shape: ['batch'], name: 'labels' })
  const dense = (x: Tensor, from: number, to: number, name: string): Tensor =>
    add(
      matmul(x, variable(heUniform([from, to]), { name: `${name}/weights` })),
      variable(zeros([to]), { name: `${name}/bias` }),
    )
  const first = relu(dense(points, 2, units, 'first'))
  const scores = dense(relu(dense(first, units, units, 'second')), units, 2, 'scores')
  return {
    probabilities: softmax(scores),
    loss: mean(sparseSoftmaxCrossEntropy(scores, labels)),
    accuracy: mean(cast(equal(argMax(scores, { axis: 1, dtype: 'int32' }), labels), { to: 'float32' })),
  }
}

export default defineProgram({
  /** On all nodes, which take the same steps. */
  async train(task) {
    const { loss, accuracy, probabilities } = network(32)
    await using replica = await trainReplicas(task, {
      loss,
      optimizer: adam({ learningRate: 0.01 }),
      data: training.repeat(),
      steps: Number(task.settings['steps'] ?? 400),
      watch: { accuracy },
    })
    if (!replica.isChief) return
    const { session } = replica
    await task.saveModel(await saveModel({ session, outputs: { probabilities } }))
    await task.result({ accuracy: (await session.run(accuracy, heldOut)).number() })
  },

  /** Each node tries settings of its own, and all learn from all trials. */
  search: {
    space: { rate: float(1e-3, 0.1, { log: true }), units: int(4, 48) },
    pruner: medianPruner(),
    trials: 12,
    async objective(trial, task) {
      const { rate, units } = trial.params
      const { loss, probabilities } = network(units)
      const step = adam({ learningRate: rate }).minimize(loss)
      await using session = new Session({ devices: await task.devices(), seed: trial.number })
      await session.initialize(step)
      let value = Number.POSITIVE_INFINITY
      for (let epoch = 1; epoch <= 8; epoch++) {
        await train({ session, step, fetches: {}, data: training, epochs: 10 })
        value = (await session.run(loss, heldOut)).number()
        if (!(await trial.report(epoch, value))) break
      }
      await task.saveModel(await saveModel({ session, outputs: { probabilities } }))
      return value
    },
  },

  /** Of the best trials of a search: shoal ensemble train.ts --of NAME --best 3 */
  ensemble: {
    async *heldOut() {
      yield { feeds: { points: heldOut.points }, labels: heldOut.labels }
    },
  },
})
