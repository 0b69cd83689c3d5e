// Asynchronous training with parameter servers: each worker takes steps at its own pace, on weights that all share.
import { constant, device, type Session, type Variable, variable } from '@shoal/core'
import { replicaDeviceSetter, replicaFilters, type Server } from '@shoal/distributed'
import { lenet } from '@shoal/example-lenet/model'
import { readDigits } from '@shoal/example-parts'
import { allVariables, evaluate, type Hook, momentum, train } from '@shoal/train'
import type { Arrangement, Claim, TrainingOptions } from './training.ts'

/** Two parameter servers, three workers. */
export const asynchronous: Arrangement = {
  about: 'three workers take steps at their own pace, on weights that two parameter servers hold',
  jobs: { ps: 2, worker: 3 },
  serving: ['ps'],
  defaults: { whole: { steps: 900, batch: 64 }, short: { steps: 240, batch: 32 } },
  run: trainReplica,
}

async function trainReplica(
  server: Server,
  { steps, batch, seed, short }: TrainingOptions,
): Promise<readonly Claim[]> {
  const { cluster, name, job, task, isChief } = server.def
  const onReplicas = replicaDeviceSetter({ cluster, strategy: 'byBytes', workerDevice: name })
  const { network, step, globalStep } = device(onReplicas, () => {
    const network = lenet({ dropoutRate: 0 })
    const globalStep = variable(constant(0, 'int32'), { name: 'globalStep', trainable: false })
    // Steps that overlap act as momentum of their own (Mitliagkas et al., 2016): less of it is wanted here.
    const optimizer = momentum({ learningRate: 0.05, momentum: 0.5 })
    return { network, step: optimizer.minimize(network.training.loss, { globalStep }), globalStep }
  })
  await using session = await server.session({ seed, deviceFilters: replicaFilters({ job, task }) })
  if (isChief) await session.initialize(step, network.testing.loss)
  else await initialized(session, [...allVariables(step), globalStep])

  const sizes = short ? { train: 3000, test: 500 } : {}
  const digits = await readDigits({ seed: seed + task, batchSize: batch, ...sizes })
  await train({
    session,
    step,
    data: digits.train,
    // As many as it takes: the workers count their steps together.
    epochs: steps,
    fetches: { loss: network.training.loss, globalStep },
    feed: (digit) => ({ ...digit }),
    hooks: [untilAll(steps)],
  })
  if (!isChief) return []
  const { accuracy = 0 } = await evaluate({
    session,
    data: digits.test,
    fetches: { ...network.testing },
    feed: (digit) => ({ ...digit }),
  })
  const counted = Number((await session.run(globalStep)).item())
  const least = short ? 0.7 : 0.95
  return [
    { claim: 'all steps were counted', holds: counted >= steps, figures: `${counted} of ${steps}` },
    {
      claim: `it reads ${100 * least} % of new digits`,
      holds: accuracy >= least,
      figures: `${(100 * accuracy).toFixed(1)} %`,
    },
  ]
}

/** Ends training when all workers together have done so many steps. */
const untilAll = (steps: number): Hook => ({
  afterRun(run, { loss, globalStep }) {
    const done = Number(globalStep!.item())
    if (run.step % 20 === 0)
      console.log(`step ${run.step} of its own, ${done} of all: loss ${Number(loss!.item()).toFixed(3)}`)
    if (done >= steps) run.stop('all steps are done')
  },
})

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
