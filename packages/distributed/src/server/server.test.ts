import type { TraceEvent } from '@shoal/core'
import {
  add,
  checkNumerics,
  constant,
  device,
  fifoQueue,
  log,
  matmul,
  mul,
  NDArray,
  ndarray,
  NonFiniteError,
  placeholder,
  randomNormal,
  reference,
  Session,
  square,
  stringJoin,
  sum,
  UninitializedError,
  unique,
  ValueError,
  variable,
} from '@shoal/core'
import { describe, expect, it, vi } from 'vitest'
import type { ClusterDef } from '../cluster/clusterSpec.ts'
import { ServerDef } from '../cluster/serverDef.ts'
import { InProcessTransport } from '../transport/inProcess.ts'
import { connectMaster } from '../client/connectMaster.ts'
import { UnavailableError } from '../errors.ts'
import { WorkerClient } from '../master/workerClient.ts'
import { Peers } from './peers.ts'
import { createLocalServer, Server } from './server.ts'
import { startCluster } from './testCluster.ts'

const jobs = { ps: ['ps:1', 'ps:2'], worker: ['w:1', 'w:2'] }

describe('a graph on a cluster', () => {
  it('runs where its nodes ask to be, and answers what one machine answers', async () => {
    await using cluster = await startCluster(jobs)
    const x = placeholder({ shape: ['n', 2], dtype: 'float32', name: 'x' })
    const w = device('/job:ps/task:1', () => variable([[1], [2]], { name: 'w' }))
    const y = device('/job:worker/task:1', () => square(matmul(x, w)))
    const z = device('/job:worker/task:0', () => add(sum(y), 1))
    const feeds = {
      x: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    }
    await using here = new Session()
    await here.initialize(z)
    const expected = await here.run({ y, z }, feeds)

    await using session = await cluster.servers[2]!.session()
    await session.initialize(z)
    let events: readonly TraceEvent[] = []
    const answer = await session.run({ y, z }, feeds, { onTrace: (trace) => (events = trace) })
    expect(answer.y.toArray()).toEqual(expected.y.toArray())
    expect(answer.z.toArray()).toEqual(expected.z.toArray())
    const ran = new Map(events.map((event) => [event.op, event.device]))
    expect(ran.get('ReadVariable') ?? '/job:ps/task:1/device:reference:0').toBe(
      '/job:ps/task:1/device:reference:0',
    )
    expect(new Set(events.map((event) => event.device))).toEqual(
      new Set(
        ['ps/task:1', 'worker/task:0', 'worker/task:1'].map((task) => `/job:${task}/device:reference:0`),
      ),
    )
    // With other sizes, and again with the same.
    for (const rows of [1, 3])
      expect(
        (
          await session.run(z, { x: new NDArray('float32', [rows, 2], new Float32Array(2 * rows)) })
        ).toArray(),
      ).toBe(1)
  })

  it('shares variables between sessions by name, unless one is isolated', async () => {
    await using cluster = await startCluster(jobs)
    const build = () => device('/job:ps/task:0', () => variable(0, { name: 'count' }))
    const [mine, theirs, alone] = [build(), build(), build()]
    await using first = await cluster.servers[2]!.session()
    await using second = await cluster.servers[3]!.session()
    await using isolated = await cluster.servers[3]!.session({ isolated: true })
    expect(await second.isInitialized(theirs)).toBe(false)
    await first.initialize(mine)
    expect(await second.isInitialized(theirs)).toBe(true)
    expect(await isolated.isInitialized(alone)).toBe(false)
    await first.run(mine.assignAdd(2))
    await second.run(theirs.assignAdd(3))
    expect((await first.run(mine)).toArray()).toBe(5)
    await expect(isolated.run(alone)).rejects.toThrow(UninitializedError)
    await isolated.write(alone, ndarray(7))
    expect((await isolated.run(alone)).toArray()).toBe(7)
    expect((await second.run(theirs)).toArray()).toBe(5)
  })

  it('waits for queues on other tasks, and is withdrawn by a signal', async () => {
    await using cluster = await startCluster(jobs)
    const queue = device('/job:ps/task:0', () =>
      fifoQueue({ types: [{ dtype: 'float32', shape: [2] }], capacity: 2, name: 'q' }),
    )
    const [item] = device('/job:ps/task:0', () => queue.dequeue())
    const doubled = device('/job:worker/task:1', () => mul(item!, 2))
    await using consumer = await cluster.servers[3]!.session()
    await using producer = await cluster.servers[2]!.session()
    const coming = consumer.run(doubled)
    await producer.run(device('/job:ps/task:0', () => queue.enqueue([constant([1, 2])])))
    expect((await coming).toArray()).toEqual([2, 4])
    const withdrawn = new AbortController()
    const waiting = consumer.run(doubled, {}, { signal: withdrawn.signal })
    const reason = new Error('enough')
    withdrawn.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    // It took nothing.
    await producer.run(device('/job:ps/task:0', () => queue.enqueue([constant([3, 4])])))
    expect((await consumer.run(doubled)).toArray()).toEqual([6, 8])
  })

  it('asks each task once which variables have no value, whoever asks', async () => {
    await using cluster = await startCluster(jobs)
    const build = () =>
      [0, 1, 0, 1].map((ps, i) => device(`/job:ps/task:${ps}`, () => variable(i, { name: `v${i}` })))
    await using session = await cluster.servers[2]!.session()
    const mine = build()
    await session.initialize(mine[1]!, mine[2]!)
    const asked = vi.spyOn(WorkerClient.prototype, 'initialized')
    expect(await session.uninitialized(mine)).toEqual([mine[0], mine[3]])
    expect(asked.mock.calls.map(([of]) => of.map(({ name }) => name))).toEqual([
      ['v0', 'v2'],
      ['v1', 'v3'],
    ])
    const client = cluster.network.as({ cluster: 'test', node: 'laptop', role: 'client' })
    await using remote = new Session({ target: await connectMaster(client, 'w:1') })
    const theirs = build()
    expect(await remote.uninitialized(theirs)).toEqual([theirs[0], theirs[3]])
    expect(asked).toHaveBeenCalledTimes(4)
    asked.mockRestore()
  })

  it('names the op and the node of what failed, in the class of the error, and goes on', async () => {
    await using cluster = await startCluster(jobs)
    const x = placeholder({ shape: [1], name: 'x' })
    const checked = device('/job:worker/task:1', () => checkNumerics(log(x), 'the logarithm'))
    const after = device('/job:ps/task:0', () => mul(checked, 2))
    await using session = await cluster.servers[2]!.session()
    const bad = session.run(after, { x: [-1] })
    await expect(bad).rejects.toThrow(NonFiniteError)
    await expect(bad).rejects.toThrow(/CheckNumerics .*the logarithm/)
    expect((await session.run(after, { x: [1] })).toArray()).toEqual([0])
  })

  it('runs in stages where only a run can tell sizes, and carries strings', async () => {
    await using cluster = await startCluster(jobs)
    const x = placeholder({ shape: ['n'], dtype: 'int32', name: 'x' })
    const [values] = device('/job:ps/task:1', () => unique(x))
    const squares = device('/job:worker/task:0', () => square(values))
    const text = device('/job:ps/task:0', () => stringJoin([constant(['a', 'b']), constant(['c', 'd'])]))
    await using session = await cluster.servers[3]!.session()
    const answer = await session.run({ squares, text }, { x: [3, 1, 3, 2, 1] })
    expect(answer.squares.toArray()).toEqual([9, 1, 4])
    expect(answer.text.toArray()).toEqual(['ac', 'bd'])
  })

  it('draws the random numbers of its seed, wherever it runs', async () => {
    await using cluster = await startCluster(jobs)
    const draw = () => device('/job:worker/task:1', () => randomNormal([4]))
    await using here = new Session({ seed: 5 })
    await using there = await cluster.servers[2]!.session({ seed: 5, isolated: true })
    const [a, b] = [draw(), draw()]
    for (let i = 0; i < 2; i++)
      expect((await there.run(b)).toArray()).toEqual((await here.run(a, {})).toArray())
  })
})

describe('a client that belongs to no task', () => {
  it('has its graphs placed and run by the server that it connects to', async () => {
    await using cluster = await startCluster(jobs)
    const client = cluster.network.as({ cluster: 'test', node: 'laptop', role: 'client' })
    await using session = new Session({ target: await connectMaster(client, 'w:1') })
    const x = placeholder({ shape: [2], name: 'x' })
    const w = device('/job:ps/task:1', () => variable([1, 2], { name: 'w' }))
    const y = mul(x, w)
    await session.initialize(y)
    let events: readonly TraceEvent[] = []
    const answer = await session.run(y, { x: [3, 4] }, { onTrace: (trace) => (events = trace) })
    expect(answer.toArray()).toEqual([3, 8])
    expect(new Set(events.map((event) => event.device))).toEqual(
      new Set(['/job:ps/task:1/device:reference:0', '/job:worker/task:0/device:reference:0']),
    )
    await session.write(w, ndarray([5, 6]))
    expect(await session.isInitialized(w)).toBe(true)
    expect((await session.run(y, { x: [3, 4] })).toArray()).toEqual([15, 24])
    await using another = await cluster.servers[3]!.session()
    expect((await another.run(w)).toArray()).toEqual([5, 6])
    expect(() => session.runSync(w)).toThrow(ValueError)
  })

  it('takes its sessions with it when it vanishes in the middle of a step', async () => {
    await using cluster = await startCluster(jobs)
    const client = cluster.network.as({ cluster: 'test', node: 'laptop', role: 'client' })
    const queue = () =>
      device('/job:ps/task:0', () =>
        fifoQueue({ types: [{ dtype: 'float32', shape: [] }], capacity: 1, name: 'q' }),
      )
    const connection = await client.connect('w:1', {})
    const { RemoteTarget } = await import('../client/remoteTarget.ts')
    const session = new Session({ target: await RemoteTarget.open(connection) })
    const waiting = session.run(device('/job:ps/task:0', () => queue().dequeue()))
    // Its step is under way when another session has run one on the same task.
    await using other = await cluster.servers[3]!.session()
    await other.run(device('/job:ps/task:0', () => add(constant(1), 1)))
    await connection.close()
    await expect(waiting).rejects.toThrow('was closed here')
    const one = queue()
    await other.run(device('/job:ps/task:0', () => one.enqueue([constant(1)])))
    expect((await other.run(device('/job:ps/task:0', () => one.dequeue())))[0]!.toArray()).toBe(1)
    await session.close()
  })
})

describe('a server', () => {
  it('fetches from workers that it does not know, where their sessions say that they are', async () => {
    const network = new InProcessTransport({ cluster: 'test', node: 'network', role: '' })
    const start = (cluster: ClusterDef, job: string, task: number) =>
      Server.start(new ServerDef({ cluster, job, task }), {
        devices: [reference()],
        transport: network.as({ cluster: 'test', node: `${job}-${task}`, role: job }),
      })
    await using _ = await start({ ps: ['ps:1'] }, 'ps', 0)
    for (const task of [3, 5]) {
      await using worker = await start({ ps: ['ps:1'], worker: { [task]: `w:${task}` } }, 'worker', task)
      await using session = await worker.session()
      const x = placeholder({ shape: [], name: 'x' })
      const w = device('/job:ps/task:0', () => variable(0, { name: 'w' }))
      const made = device(`/job:worker/task:${task}`, () => mul(x, 2))
      await session.run(w.assign(made), { x: task })
      expect((await session.run(w)).toArray()).toBe(2 * task)
    }
  })

  it('speaks with no node that may not be the task that is meant', async () => {
    const network = new InProcessTransport({ cluster: 'test', node: 'network', role: '' })
    const cluster = { ps: ['ps:1'], worker: ['w:1'] }
    const start = (job: string, role: string) =>
      Server.start(new ServerDef({ cluster, job, task: 0 }), {
        devices: [reference()],
        transport: network.as({ cluster: 'test', node: 'n', role }),
      })
    await using _ = await start('ps', 'evaluator')
    await using worker = await start('worker', 'worker')
    await expect(worker.session()).rejects.toMatchObject({
      name: 'SecurityError',
      message:
        "ps:1 is refused: evaluator 'n' may not be /job:ps/task:0: its certificate is for job 'evaluator'",
    })
  })

  it('names every task that is missing when a session is opened', async () => {
    await using cluster = await startCluster(jobs)
    await cluster.servers[1]!.close()
    await cluster.servers[3]!.close()
    const opening = cluster.servers[2]!.session({ startDeadlineMs: 50 })
    await expect(opening).rejects.toThrow(UnavailableError)
    await expect(opening).rejects.toThrow(/\/job:ps\/task:1 at ps:2 .*; \/job:worker\/task:1 at w:2 /)
    await using filtered = await cluster.servers[2]!.session({ deviceFilters: ['/job:ps/task:0'] })
    expect((await filtered.run(add(constant(1), 2))).toArray()).toBe(3)
  })

  it('says of a session that a worker was lost or started anew, and opens another', async () => {
    await using cluster = await startCluster(jobs)
    const count = device('/job:ps/task:0', () => variable(0, { name: 'count' }))
    const next = count.assignAdd(1)
    const session = await cluster.servers[2]!.session()
    await session.initialize(count)
    await session.run(next)
    await cluster.servers[0]!.close()
    await expect(session.run(next)).rejects.toThrow(UnavailableError)
    await session.close()
    await cluster.start('ps', 0)
    await using again = await cluster.servers[2]!.session()
    await expect(again.run(next)).rejects.toThrow(UninitializedError)
    await again.initialize(count)
    expect((await again.run(next)).toArray()).toBe(1)
  })

  it('gives a step up soon where one of its tasks does not reach another', async () => {
    await using cluster = await startCluster(jobs)
    await using session = await cluster.servers[2]!.session()
    const w = device('/job:ps/task:0', () => variable([1, 2], { name: 'w' }))
    const doubled = device('/job:worker/task:1', () => mul(w, 2))
    await session.initialize(w)
    const reached = vi.spyOn(Peers.prototype, 'connect')
    await session.run(doubled)
    // A master waits for tasks that start; in a step all of them are there.
    expect(reached.mock.calls.map(([task, deadlineMs]) => [task, deadlineMs])).toEqual([
      [{ job: 'ps', task: 0 }, 10_000],
    ])
    reached.mockRestore()
  })

  it('has ended also where a device cannot be closed', async () => {
    const broken = reference()
    broken[Symbol.asyncDispose] = () => Promise.reject(new Error('the device is stuck'))
    const server = await createLocalServer([broken])
    const joined = server.join()
    await expect(server.close()).rejects.toThrow('the device is stuck')
    await joined
  })

  it('is a cluster of one without an address', async () => {
    const server = await createLocalServer([reference()])
    await using session = await server.session()
    expect((await session.run(add(constant(1), 2))).toArray()).toBe(3)
    const joined = server.join()
    await server.close()
    await joined
    await expect(session.run(constant(1))).rejects.toThrow('was closed here')
    expect(() => server.target()).toThrow('the server was closed')
  })
})
