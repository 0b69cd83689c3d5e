// Training among equals: each computes the gradients of its own examples, all average them in a ring, and each takes the same step.
import { ndarray, Session } from '@shoal/core'
import { allReduceGradients, connectMesh, Membership, Mesh } from '@shoal/distributed'
import { ThreadedTransport } from '@shoal/distributed/node'
import { lenet } from '@shoal/example-lenet/model'
import { readDigits } from '@shoal/example-parts'
import { allVariables, evaluate, lossGradients, momentum } from '@shoal/train'
import { type Arrangement, type Claim, reads, type Task, type TrainingOptions } from './training.ts'

/** Three workers, and nobody else. */
export const allReduce: Arrangement = {
  about: 'three workers average their gradients among themselves, half as many bits on the wire',
  jobs: { worker: 3 },
  serving: [],
  defaults: { whole: { steps: 600, batch: 32 }, short: { steps: 90, batch: 16 } },
  run: trainMember,
}

/** Milliseconds in which the slowest member has done what the others wait for. */
const deadlineMs = 30_000

async function trainMember(
  { def: { cluster, task }, credentials, openDevice }: Task,
  { steps, batch, seed, short }: TrainingOptions,
): Promise<readonly Claim[]> {
  // Sockets in a thread of their own: computing delays nobody.
  await using transport = new ThreadedTransport({ credentials })
  const idOf = (number: number): string => `worker-${number}`
  const tasks = cluster.tasksOf('worker')
  const mesh = new Mesh(idOf(task))
  const before = tasks.filter((other) => other < task)
  const listener = await connectMesh(mesh, cluster.addressOf('worker', task), transport, {
    others: before.map((other) => [idOf(other), cluster.addressOf('worker', other)] as const),
    deadlineMs,
  })
  const membership = new Membership(mesh, { log: (line) => console.log(line) })

  const network = lenet({ dropoutRate: 0 })
  const gradients = lossGradients(network.training.loss)
  const averaged = allReduceGradients(() => membership.group!, gradients, { deadlineMs, wire: 'bfloat16' })
  const step = momentum({ learningRate: 0.05 }).apply(averaged)
  // The same seed, the same weights at the start; the same averages, the same weights ever after.
  await using session = new Session({ devices: [await openDevice()], seed })
  await session.initialize(step, network.testing.loss)
  await membership.form(tasks.map(idOf), { deadlineMs })

  const sizes = short ? { train: 3000, test: 500 } : {}
  const digits = await readDigits({ seed, batchSize: batch, ...sizes })
  const own = digits.train.shard(tasks.length, task).repeat().take(steps)
  let count = 0
  for await (const digit of own) {
    const { loss } = await membership.step(
      () => session.run({ loss: network.training.loss, step }, { ...digit }),
      { deadlineMs },
    )
    if (++count % Math.ceil(steps / 5) === 0)
      console.log(`step ${count}: loss of its own ${Number(loss.item()).toFixed(3)}`)
  }
  const same = await sameEverywhere(membership, session, allVariables(step))
  // Nobody leaves before all have what they need of it.
  await membership.step((group) => group.barrier('end', { deadlineMs }), { deadlineMs })
  await listener.close()
  if (task > 0) return []
  const { accuracy = 0 } = await evaluate({
    session,
    data: digits.test,
    fetches: { ...network.testing },
    feed: (digit) => ({ ...digit }),
  })
  return [
    {
      claim: 'all members have the same weights, bit by bit',
      holds: same,
      figures: `${tasks.length} members`,
    },
    reads(accuracy, short ? 0.7 : 0.97),
  ]
}

/** Has every member the same bits in these variables? */
async function sameEverywhere(
  membership: Membership,
  session: Session,
  variables: ReturnType<typeof allVariables>,
): Promise<boolean> {
  const values = await session.run(variables)
  const theirs = await membership.step((group) => group.broadcast('weights', values, { deadlineMs }), {
    deadlineMs,
  })
  const differing = values.filter(({ bytes }, i) => Buffer.compare(bytes, theirs[i]!.bytes) !== 0).length
  const [total] = await membership.step(
    (group) => group.allReduce('differing', [ndarray([differing])], { op: 'sum', deadlineMs }),
    { deadlineMs },
  )
  return total!.item() === 0
}
