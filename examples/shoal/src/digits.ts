// A user's program: a network learns to read digits on all nodes together, its parameters are searched for, and the best trials become one model.
import { Session } from '@shoal/core'
import { defineProgram, trainReplicas } from 'shoal'
import { lenet } from '@shoal/example-lenet/model'
import { adam, evaluate, saveModel, train } from '@shoal/train'
import { float, int, medianPruner } from '@shoal/tune'
import { digitParts } from './data.ts'
import { settingsOf } from './settings.ts'

const batchSize = 32

export default defineProgram({
  /** Synchronous training: each task computes the gradients of its own third of the images, and all take the same steps. */
  async train(task) {
    const { epochs, seed } = settingsOf(task)
    const { learning, judging } = await digitParts(task)
    const { training, testing, probabilities } = lenet()
    const tasks = task.cluster.taskCount('worker')
    const perEpoch = Math.floor(learning.size! / (batchSize * tasks))
    await using replica = await trainReplicas(task, {
      loss: training.loss,
      watch: { accuracy: training.accuracy },
      also: [probabilities],
      optimizer: adam({ learningRate: 0.002 }),
      data: learning
        .shuffle({ seed })
        .batch(batchSize, { dropRemainder: true })
        .repeat()
        .shard(tasks, task.index),
      steps: epochs * perEpoch,
      wire: 'bfloat16',
      seed,
    })
    if (!replica.isChief) return
    const { session } = replica
    const metrics = await evaluate({
      session,
      data: judging,
      fetches: { ...testing },
      feed: (batch) => ({ ...batch }),
    })
    await task.saveModel(await saveModel({ session, outputs: { probabilities } }))
    await task.result(metrics)
  },

  /** A trial learns from a random sample of the images, and is stopped where others were better at its epoch. */
  search: {
    space: {
      learningRate: float(5e-4, 1e-2, { log: true }),
      dropoutRate: float(0.1, 0.6),
      width: int(32, 256, { log: true }),
    },
    pruner: medianPruner({ startup: 3, warmup: 2 }),
    seed: 1,
    trials: 8,
    async objective(trial, task) {
      const { trialEpochs, sample } = settingsOf(task)
      const { learning, choosing } = await digitParts(task)
      const { learningRate, ...shape } = trial.params
      const { training, testing, probabilities } = lenet(shape)
      const step = adam({ learningRate }).minimize(training.loss)
      const seed = trial.number
      await using session = new Session({ devices: await task.devices(), seed })
      await session.initialize(step, probabilities)
      let loss = Infinity
      await train({
        session,
        step,
        fetches: { loss: training.loss },
        data: learning
          .shuffle({ seed, reshuffleEachIteration: false })
          .take(sample)
          .shuffle({ seed })
          .batch(batchSize, { dropRemainder: true }),
        feed: (batch) => ({ ...batch }),
        epochs: trialEpochs,
        signal: trial.signal,
        async validate(run) {
          const metrics = await evaluate({
            session,
            data: choosing,
            fetches: { ...testing },
            feed: (batch) => ({ ...batch }),
          })
          loss = metrics['loss']!
          if (!(await trial.report(run.epoch + 1, loss))) run.stop('others were better')
          return metrics
        },
      })
      await task.saveModel(await saveModel({ session, outputs: { probabilities } }))
      return loss
    },
  },

  /** The best trials as one model, judged by digits that neither they nor the search have seen. */
  ensemble: {
    async *heldOut(task) {
      for await (const { images, labels } of (await digitParts(task)).judging)
        yield { feeds: { images }, labels }
    },
  },
})
