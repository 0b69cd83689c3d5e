// Cases of the ops that hold graphs together: constants, names, effects, and what partitions hand to each other.
import {
  add,
  blank,
  constant,
  controlDependencies,
  group,
  identity,
  makeNode,
  mul,
  recv,
  send,
  stopGradient,
  sumLike,
  variable,
} from '@shoal/core'
import { opCase } from '../case.ts'
import { random, values } from '../inputs.ts'

export const graphCases = [
  opCase({
    op: 'Const',
    name: 'of every dtype that the case runs in',
    build: (_, dtype) => constant([[1, 2, 3]], dtype),
    expect: [[1, 2, 3]],
    dtypes: ['float32', 'float64', 'float16', 'bfloat16', 'int8', 'uint8', 'int16', 'int32', 'uint32'],
  }),
  opCase({
    op: 'Const',
    name: 'of bigints, booleans and strings',
    build: () => ({
      big: constant([2n ** 62n, -1n]),
      truth: constant([true, false]),
      text: constant(['a', 'ü']),
    }),
    expect: { big: [2n ** 62n, -1n], truth: [true, false], text: ['a', 'ü'] },
  }),
  opCase({
    op: 'Placeholder',
    name: 'answered as it was fed',
    inputs: {
      x: values([
        [1, 2],
        [3, 4],
      ]),
    },
    build: ({ x }) => x,
    expect: [
      [1, 2],
      [3, 4],
    ],
  }),
  opCase({
    op: 'Identity',
    name: 'is what it names',
    inputs: { x: random([2, 3]) },
    build: ({ x }) => identity(x),
    expect: ({ x }) => x,
    secondOrder: true,
  }),
  opCase({
    op: 'StopGradient',
    name: 'is a constant to gradients',
    inputs: { x: values([1, -2, 3]), w: values([2, 2, 2]) },
    build: ({ x, w }) => mul(stopGradient(x), w),
    expect: [2, -4, 6],
    grad: ['w'],
  }),
  opCase({
    op: 'Blank',
    name: 'lends a shape',
    inputs: {
      x: values([
        [1, 2],
        [3, 4],
      ]),
    },
    build: ({ x }, dtype) => sumLike(x, blank({ shape: [1, 2], dtype })),
    expect: [[4, 6]],
    symbolic: false,
  }),
  opCase({
    op: 'Group',
    name: 'has run when all that it waits for has',
    inputs: { x: values([1, 2], 'float32') },
    build({ x }) {
      const [a, b] = [variable([0, 0], { name: 'a' }), variable([10, 10], { name: 'b' })]
      const both = group(a.assignAdd(x), b.assignSub(x))
      return controlDependencies([both], () => add(a.read(), mul(b.read(), 100)))
    },
    expect: [802, 604],
    runs: 2,
    grad: false,
  }),
  opCase({
    ops: ['Send', 'Recv'],
    name: 'under one key',
    inputs: { x: values([1, 2, 3]) },
    build({ x }, dtype) {
      const sent = makeNode(send.def, [mul(x, 2)], { key: 'doubled' })
      return controlDependencies([sent], () => recv({ key: 'doubled', shape: [3], dtype }))
    },
    expect: [2, 4, 6],
    grad: false,
    symbolic: false,
  }),
]
