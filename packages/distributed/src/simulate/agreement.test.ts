// The simulation beside the real runtime: the same training over sockets and over a simulated network sends the same messages, in the same order.
import type { Device, NDArray } from '@shoal/core'
import {
  device,
  matmul,
  mean,
  ndarray,
  placeholder,
  reference,
  Session,
  square,
  sub,
  tanh,
  variable,
} from '@shoal/core'
import { type GradientPair, gradientDescent, lossGradients } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../clock.ts'
import { ClusterSpec, replicaFilters, ServerDef } from '../cluster/index.ts'
import { allReduceGradients, Membership, Mesh } from '../collective/index.ts'
import { replicaDeviceSetter } from '../placement/index.ts'
import { SyncReplicas } from '../replicate/index.ts'
import { relativeError } from '../replicate/testModel.ts'
import { Server } from '../server/server.ts'
import type { Connection, Handler, Methods, Transport } from '../transport/contract.ts'
import { SocketTransport } from '../transport/socket.ts'
import { SimulatedDevice } from './device.ts'
import { Scenario } from './scenario.ts'

const workers = ['w0', 'w1', 'w2', 'w3']
const deadlineMs = 20_000
const frames = { aliveMs: 60_000 }
const steps = 3
/** Rows and columns of each of two layers. */
const width = 150

/** What a machine's transport carried. */
class Record {
  readonly connections: Connection[] = []
  /** What it asked of others, in its order, and the answers that came. */
  asked: string[] = []
  answered: string[] = []

  get bytes(): number {
    return this.connections.reduce((sum, connection) => sum + connection.traffic().sent, 0)
  }
}

/** Ids of sessions are drawn anew each time. */
const textOf = (method: string, head: Uint8Array): string =>
  `${method} ${new TextDecoder().decode(head).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id')}`

/** Writes down what goes over a connection. */
function recorded(connection: Connection, record: Record): Connection {
  record.connections.push(connection)
  return {
    peer: connection.peer,
    closed: connection.closed,
    async call(method, message, options) {
      const text = textOf(method, message.head)
      record.asked.push(text)
      const answer = await connection.call(method, message, options)
      record.answered.push(text)
      return answer
    },
    serve: (methods: Methods | Readonly<{ [method: string]: Handler }>) => connection.serve(methods),
    traffic: () => connection.traffic(),
    close: (reason) => connection.close(reason),
  }
}

/** A transport whose addresses are those that a book translates. */
const recordedTransport = (
  transport: Transport,
  record: Record,
  listenAt: (address: string) => string,
  book: Map<string, string>,
): Transport => ({
  async listen(address, { connected, ...rest }) {
    const listener = await transport.listen(listenAt(address), {
      ...rest,
      connected: (connection) => connected(recorded(connection, record)),
    })
    book.set(address, listener.address)
    return listener
  },
  connect: async (address, options) =>
    recorded(await transport.connect(book.get(address) ?? address, options), record),
})

/** What a training runs on. */
interface World {
  readonly clock: Clock
  transport(name: string, record: Record): Transport
  device(name: string): Device
  /** Lets time pass until it is done. */
  settle<T>(work: Promise<T>): Promise<T>
}

function realWorld(): World {
  const book = new Map<string, string>()
  const transport = new SocketTransport({ insecure: true, log: () => {}, frames })
  return {
    clock: systemClock,
    transport: (_, record) => recordedTransport(transport, record, () => '127.0.0.1:0', book),
    device: () => reference(),
    settle: (work) => work,
  }
}

function simulatedWorld(names: readonly string[]): World {
  const scenario = new Scenario({ nodes: names.map((name) => ({ name })), frames, trace: false })
  return {
    clock: scenario.clock,
    transport: (name, record) =>
      recordedTransport(scenario.node(name).process.transport, record, (address) => address, new Map()),
    device: (name) => new SimulatedDevice(scenario.node(name).process, { kernelMs: () => 0.5 }),
    settle: (work) => scenario.settle(work),
  }
}

const wave = (shape: readonly number[], phase: number): NDArray =>
  ndarray(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(phase + 1.7 * i) / 12),
  ).reshape(shape)
const feeds = (worker: number) => ({ x: wave([1, width], worker), y: wave([1, width], 2 * worker) })

function model(): readonly GradientPair[] {
  const weights = [1, 2].map((i) => variable(wave([width, width], i), { name: `layer${i}` }))
  const end = weights.reduce((h, w) => tanh(matmul(h, w)), placeholder({ shape: [1, width], name: 'x' }))
  return lossGradients(mean(square(sub(end, placeholder({ shape: [1, width], name: 'y' })))))
}

/** What one worker did and sent in the steps after the first, and its weights after them. */
interface Trained {
  readonly asked: readonly string[]
  readonly answered: readonly string[]
  readonly bytes: number
  readonly weights: readonly NDArray[]
}

/** Takes the first step, and follows the others. */
async function follow(record: Record, step: () => Promise<unknown>): Promise<Omit<Trained, 'weights'>> {
  await step()
  record.asked = []
  record.answered = []
  const before = record.bytes
  for (let i = 1; i < steps; i++) {
    record.asked.push(`step ${i}`)
    await step()
  }
  return { asked: [...record.asked], answered: [...record.answered], bytes: record.bytes - before }
}

async function withServer(world: World): Promise<readonly Trained[]> {
  const cluster = new ClusterSpec({ ps: ['ps:1'], worker: workers.map((name) => `${name}:1`) })
  const start = (job: string, task: number, name: string, record: Record): Promise<Server> => {
    const runtime = {
      devices: [world.device(name)],
      transport: world.transport(name, record),
      clock: world.clock,
    }
    return Server.start(new ServerDef({ cluster, job, task }), runtime)
  }
  const records = workers.map(() => new Record())
  const servers = await Promise.all([
    start('ps', 0, 'ps', new Record()),
    ...workers.map((name, task) => start('worker', task, name, records[task]!)),
  ])
  const [begun, built] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let waiting = workers.length
  const work = async (task: number): Promise<Trained> => {
    const place = replicaDeviceSetter({ cluster, workerDevice: `/job:worker/task:${task}` })
    const { sync, pairs } = device(place, () => {
      const globalStep = variable(0, { name: 'global_step', dtype: 'int32', trainable: false })
      const pairs = model()
      const options = { globalStep, replica: task, totalReplicas: workers.length }
      return { pairs, sync: new SyncReplicas(gradientDescent({ learningRate: 0.1 }), pairs, options) }
    })
    const session = await servers[1 + task]!.session({
      deviceFilters: replicaFilters({ job: 'worker', task }),
    })
    if (task > 0) await begun.promise
    await session.initialize(sync.train)
    if (task === 0) await session.run(sync.start)
    begun.resolve()
    if (--waiting === 0) built.resolve()
    await built.promise
    const followed = await follow(records[task]!, () => session.run(sync.train, feeds(task)))
    return { ...followed, weights: await session.run(pairs.map(([, weight]) => weight)) }
  }
  const ended = await world.settle(Promise.all(workers.map((_, task) => work(task))))
  await world.settle(Promise.all(servers.map((server) => server.close())))
  return ended
}

async function inRing(world: World): Promise<readonly Trained[]> {
  const records = workers.map(() => new Record())
  const meshes = workers.map((name) => new Mesh(name, world.clock))
  const transports = workers.map((name, i) => world.transport(name, records[i]!))
  /** Each dials those before it, one after the other: in clear nobody knows who dials. */
  const connectAll = async (): Promise<void> => {
    const accepted = workers.map(() => Promise.withResolvers<Connection>())
    for (const [i, name] of workers.entries())
      await transports[i]!.listen(`${name}:1`, {
        connected: (connection) => accepted[i]!.resolve(connection),
      })
    for (const [i, name] of workers.entries())
      for (const [j, other] of workers.slice(0, i).entries()) {
        meshes[i]!.connect(other, await transports[i]!.connect(`${other}:1`, { deadlineMs }))
        meshes[j]!.connect(name, await accepted[j]!.promise)
        accepted[j] = Promise.withResolvers<Connection>()
      }
  }
  await world.settle(connectAll())
  const work = async (rank: number): Promise<Trained> => {
    const membership = new Membership(meshes[rank]!)
    const session = new Session({ devices: [world.device(workers[rank]!)], clock: world.clock })
    const pairs = model()
    const sums = allReduceGradients(() => membership.group!, pairs, { deadlineMs, bucketBytes: 1 })
    const train = gradientDescent({ learningRate: 0.1 }).apply(sums)
    await session.initialize(train)
    await membership.form(workers, { deadlineMs })
    const step = () => membership.step(() => session.run(train, feeds(rank)), { deadlineMs })
    const followed = await follow(records[rank]!, step)
    const weights = await session.run(pairs.map(([, weight]) => weight))
    await membership.group!.barrier('end', { deadlineMs })
    await session.close()
    return { ...followed, weights }
  }
  const ended = await world.settle(Promise.all(workers.map((_, rank) => work(rank))))
  await world.settle(
    Promise.all(records.flatMap(({ connections }) => connections.map((connection) => connection.close()))),
  )
  return ended
}

/** Keys of tensors hold the numbers of nodes, which grow with every graph of a process: what counts is which of them is older. */
function renumbered(asked: readonly string[]): string[] {
  const node = /;(\d+):/
  const numbers = new Set(asked.flatMap((text) => node.exec(text)?.[1] ?? []).map(Number))
  const places = [...numbers].sort((a, b) => a - b)
  return asked.map((text) => text.replace(node, (_, number: string) => `;${places.indexOf(Number(number))}:`))
}

/** The answers that belong to one part of an exchange, which come one after the other: those of several parts come as they may. */
const partsOf = (answered: readonly string[]): Map<string | undefined, string[]> =>
  Map.groupBy(answered, (text) => /^collective\/take \[\d+,\d+,"([^"]*)"/.exec(text)?.[1])

function expectSame(simulated: readonly Trained[], real: readonly Trained[]): void {
  expect(simulated).toHaveLength(workers.length)
  for (const [i, { bytes, asked, weights }] of simulated.entries()) {
    expect(asked.length).toBeGreaterThan(steps)
    expect(renumbered(asked)).toEqual(renumbered(real[i]!.asked))
    // A server adds gradients up in the order in which they come.
    expect(relativeError(weights, real[i]!.weights)).toBeLessThan(1e-6)
    // Not exactly: keys hold numbers of nodes, which have more digits the more graphs a process has built; and credit is given where a
    // stream happens to be cut, which the system's sockets do as they like.
    expect(Math.abs(bytes / real[i]!.bytes - 1)).toBeLessThan(0.001)
  }
}

describe('training by four workers', () => {
  it('with a parameter server is the same over sockets as in simulation', async () => {
    expectSame(await withServer(simulatedWorld(['ps', ...workers])), await withServer(realWorld()))
  })

  it('in a ring is the same over sockets as in simulation', async () => {
    const [simulated, real] = [await inRing(simulatedWorld(workers)), await inRing(realWorld())]
    expectSame(simulated, real)
    for (const [i, { answered, weights }] of simulated.entries()) {
      expect(weights.map((w) => w.toArray())).toEqual(real[i]!.weights.map((w) => w.toArray()))
      expect(partsOf(answered)).toEqual(partsOf(real[i]!.answered))
    }
  })
})
