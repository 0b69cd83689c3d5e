// Ops that watch a graph run, call out of it, and hand values from run to run.
import type { Node, Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import { opCase } from '../case.ts'
import { random, values } from '../inputs.ts'

const afterwards = (nodes: readonly (Node | Tensor)[], build: () => Tensor): Tensor =>
  s.controlDependencies(nodes, build)

/** All cases of debugging ops, queues and mutexes. */
export const debugCases = [
  opCase({
    op: 'Print',
    name: 'answers its input',
    inputs: { x: random([2, 2]) },
    secondOrder: true,
    build: ({ x }) => s.print(s.mul(x, x), { message: 'squares' }),
    expect: ({ x }) => Float64Array.from(x.numbers(), (v) => v * v),
  }),
  opCase({
    op: 'Assert',
    name: 'passes what holds',
    inputs: { x: values([1, 2]) },
    build: ({ x }) =>
      afterwards([s.assertThat(s.greater(x, 0), 'x must be positive', [x])], () => s.mul(x, 2)),
    expect: [2, 4],
  }),
  opCase({
    op: 'CheckNumerics',
    name: 'passes finite values',
    inputs: { x: values([1, 2]) },
    secondOrder: true,
    build: ({ x }) => s.checkNumerics(s.mul(x, x)),
    expect: [1, 4],
  }),
  opCase({
    ops: ['QueueEnqueue', 'QueueDequeue', 'QueueDequeueMany', 'QueueSize'],
    name: 'elements leave in order',
    grad: false,
    inputs: { x: values([1, 2, 3]) },
    build({ x }) {
      const queue = s.fifoQueue({ types: [{ dtype: 'float32', shape: [] }], capacity: 4, name: 'order' })
      const put = queue.enqueueMany([x])
      const one = s.controlDependencies([put], () => queue.dequeue()[0]!)
      const two = s.controlDependencies([one], () => queue.dequeueMany(2)[0]!)
      const size = s.controlDependencies([two], () => queue.size())
      return { one, two, size }
    },
    runs: 2,
    expect: { one: 1, two: [2, 3], size: 0 },
  }),
  opCase({
    ops: ['QueueClose', 'QueueIsClosed', 'QueueDequeueMany'],
    name: 'a closed queue gives what it has left',
    grad: false,
    inputs: { x: values([[1n, 2n]]), name: values(['fish']) },
    build({ x, name }) {
      const queue = s.fifoQueue({
        types: [
          { dtype: 'int64', shape: [2] },
          { dtype: 'string', shape: [] },
        ],
        capacity: 4,
        name: 'closing',
      })
      const put = queue.enqueueMany([x, name])
      const close = s.controlDependencies([put], () => queue.close())
      const [rows, names] = s.controlDependencies([close], () => queue.dequeueUpTo(3))
      return { rows: rows!, names: names!, closed: s.controlDependencies([close], () => queue.isClosed()) }
    },
    expect: { rows: [[1n, 2n]], names: ['fish'], closed: true },
  }),
  opCase({
    ops: ['MutexLock', 'MutexUnlock'],
    name: 'two critical sections of one run',
    grad: false,
    inputs: { x: values([1, 2]) },
    build({ x }) {
      const lock = s.mutex({ name: 'gate' })
      const double = s.critical(lock, () => s.mul(x, 2))
      return [double, s.controlDependencies([double], () => s.critical(lock, () => s.add(x, 1)))]
    },
    runs: 2,
    expect: [
      [2, 4],
      [2, 3],
    ],
  }),
]
