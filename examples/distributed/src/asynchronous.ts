// Asynchronous training with parameter servers: each worker takes steps at its own pace, on weights that all share.
import type { Variable } from '@shoal/core'
import { constant, device, type Session, variable } from '@shoal/core'
import { replicaDeviceSetter, replicaFilters, type Server } from '@shoal/distributed'
import { lenet } from '@shoal/example-lenet/model'
import { readDigits } from '@shoal/example-parts'
import { allVariables, evaluate, momentum, train } from '@shoal/train'
import type { Outcome, TrainingOptions } from './training.ts'

/** What one worker does; the chief answers how good the network is in the end. */
export async function trainAsynchronously(
  server: Server,
  { steps, batch, rate, seed, train: size, test }: TrainingOptions,
): Promise<Outcome | undefined> {
  const { cluster, name, job, task, isChief } = server.def
  const onReplicas = replicaDeviceSetter({ cluster, strategy: 'byBytes', workerDevice: name })
  const { network, step, globalStep } = device(onReplicas, () => {
    const network = lenet({ dropoutRate: 0 })
    const globalStep = variable(constant(0, 'int32'), { name: 'globalStep', trainable: false })
    // Steps that overlap act as momentum of their own (Mitliagkas et al., 2016): less of it is wanted here.
    const step = momentum({ learningRate: rate, momentum: 0.5 }).minimize(network.training.loss, {
      globalStep,
    })
    return { network, step, globalStep }
  })
  await using session = await server.session({ seed, deviceFilters: replicaFilters({ job, task }) })
  if (isChief) await session.initialize(step, network.testing.loss)
  else await initialized(session, [...allVariables(step), globalStep])

  const digits = await readDigits({ seed: seed + task, batchSize: batch, train: size, test })
  await train({
    session,
    step,
    data: digits.train,
    // As many as it takes: the workers count their steps together.
    epochs: steps,
    fetches: { loss: network.training.loss, globalStep },
    feed: ({ images, labels }) => ({ images, labels }),
    hooks: [
      {
        afterRun(run, { loss, globalStep: done }) {
          const count = Number(done!.item())
          if (run.step % 20 === 0)
            console.log(
              `step ${run.step} of its own, ${count} of all: loss ${Number(loss!.item()).toFixed(3)}`,
            )
          if (count >= steps) run.stop('all steps are done')
        },
      },
    ],
  })
  if (!isChief) return undefined
  const metrics = await evaluate({
    session,
    data: digits.test,
    fetches: { ...network.testing },
    feed: ({ images, labels }) => ({ images, labels }),
  })
  return { steps: Number((await session.run(globalStep)).item()), accuracy: metrics['accuracy']! }
}

/** Waits until the chief has given these variables their values. */
async function initialized(session: Session, variables: readonly Variable[]): Promise<void> {
  const until = performance.now() + 60_000
  for (let pause = 20; ; pause = Math.min(500, 2 * pause)) {
    const known = await Promise.all(variables.map((each) => session.isInitialized(each)))
    const missing = variables.filter((_, i) => !known[i]).map((each) => each.name)
    if (missing.length === 0) return
    if (performance.now() > until) throw new Error(`the chief has not initialised ${missing.join(', ')}`)
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}
