// Replicas without servers: each has all variables, and all of them sum up gradients in a ring, or now and then what they have learned.
import { Session } from '@shoal/core'
import {
  allReduceGradients,
  connectMesh,
  LocalSgd,
  Membership,
  Mesh,
  type Scenario,
  type WireType,
} from '@shoal/distributed'
import { gradientDescent } from '@shoal/train'
import type { Beginning } from './model.ts'
import { workerDevice } from './model.ts'
import type { Replica } from './replica.ts'
import { latencyMs, localSteps } from './setting.ts'

const port = 1
const deadlineMs = 600_000

/** How equals exchange. */
export interface EqualsOptions {
  /** Sum up gradients in every step, or average the variables after every `localSteps` of them. */
  readonly exchange: 'gradients' | 'variables'
  readonly wire?: WireType
  readonly bucketBytes: number
  /** Of the links between them. */
  readonly bytesPerSecond: number
}

/** Connects each to each, and answers who the replicas are. A step of those that exchange variables is `localSteps` steps, and the exchange. */
export function joinEquals(
  scenario: Scenario,
  workers: readonly string[],
  beginning: Beginning,
  { exchange, wire, bucketBytes, bytesPerSecond }: EqualsOptions,
): Promise<readonly Replica[]> {
  const link = { latencySeconds: latencyMs / 1000, bytesPerSecond }
  const wait = { deadlineMs }
  const join = async (name: string, rank: number): Promise<Replica> => {
    const { process } = scenario.node(name)
    const mesh = new Mesh(name, process.clock)
    const membership = new Membership(mesh, { link })
    const others = workers.slice(0, rank).map((id) => [id, `${id}:${port}`] as const)
    await connectMesh(mesh, `${name}:${port}`, process.transport, { others, deadlineMs })
    const optimizer = gradientDescent({ learningRate: 0.1 })
    const session = new Session({ devices: [workerDevice(process, beginning.scale)], clock: process.clock })
    const { feeds } = beginning
    const own = beginning.build()
    const options = { deadlineMs, bucketBytes, ...(wire && { wire }) }
    const pairs = exchange === 'variables' ? own : allReduceGradients(() => membership.group!, own, options)
    const train = optimizer.apply(pairs)
    await session.initialize(train)
    await membership.form(workers, wait)
    if (exchange === 'gradients')
      return { name, step: () => membership.step(() => session.run(train, feeds), wait) }
    const local = new LocalSgd({
      variables: own.map(([, variable]) => variable),
      every: localSteps,
      replicas: {
        allReduce: (key, arrays) =>
          membership.step((group) => group.allReduce(key, arrays, { wire, deadlineMs }), wait),
      },
    })
    await local.begin({ session })
    return {
      name,
      async step() {
        for (let i = 0; i < localSteps; i++) {
          await session.run(train, feeds)
          await local.afterRun({ session })
        }
      },
    }
  }
  return Promise.all(workers.map(join))
}
