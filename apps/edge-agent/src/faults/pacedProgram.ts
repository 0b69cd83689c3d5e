// A program for jobs that faults happen to: small, and slow enough that there is time for a fault.
import { add, matmul, mean, ndarray, placeholder, Session, square, sub, variable } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { pause, systemClock } from '@shoal/distributed/peers'
import { gradientDescent, saveModel } from '@shoal/train'
import { float, randomSampler } from '@shoal/tune'
import { defineProgram, type Task, trainReplicas } from '../task/index.ts'

const stepMs = 40
const trialMs = 300
/** A lost task is noticed so soon. */
const leaseMs = 3000

const examples = [-1, -0.5, 0, 0.5, 1].map((at) => ({ x: ndarray([at]), y: ndarray([3 * at - 2]) }))

function line(slope: number) {
  const w = variable([[slope]], { name: 'w' })
  const b = variable(0, { name: 'b' })
  const x = placeholder({ shape: ['batch', 1], name: 'x' })
  const y = placeholder({ shape: ['batch', 1], name: 'y' })
  return { w, b, y, output: add(matmul(x, w), b) }
}

async function untrained(slope: number, task: Task): Promise<Uint8Array> {
  const { output } = line(slope)
  await using session = new Session({ devices: await task.devices() })
  await session.initialize(output)
  return await saveModel({ session, outputs: { line: output } })
}

/** Trains y = 3 x - 2, searches for a small x, and makes an ensemble of lines that are not trained at all. */
export default defineProgram({
  async train(task) {
    const { w, b, y, output } = line(0)
    await using replica = await trainReplicas(task, {
      loss: mean(square(sub(output, y))),
      optimizer: gradientDescent({ learningRate: 0.2 }),
      data: Dataset.from(examples)
        .repeat()
        .batch(5)
        .map(async (batch) => {
          await pause(stepMs, systemClock)
          return batch
        }),
      steps: 100,
      saveEverySteps: 5,
      reportEverySteps: 5,
    })
    if (!replica.isChief) return
    const learnt = await replica.session.run({ w, b })
    await task.result({ w: learnt.w.number(), b: learnt.b.number() })
  },
  search: {
    space: { x: float(0, 1) },
    sampler: randomSampler(),
    trials: 24,
    leaseMs,
    async objective({ params, number }, task) {
      await pause(trialMs, systemClock)
      await task.saveModel(Uint8Array.of(number))
      return params.x
    },
  },
  ensemble: {
    leaseMs,
    async member(index, task) {
      await pause(trialMs, systemClock)
      return untrained(index, task)
    },
    async *heldOut() {
      yield { feeds: { x: ndarray([[-1], [1]]) }, labels: ndarray([[-5], [1]]) }
    },
  },
})
