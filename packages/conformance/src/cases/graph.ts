// Cases of the ops that hold a graph together: constants, feeds, identities, groups, hand-overs between devices.
import {
  blank,
  constant,
  controlDependencies,
  fillLike,
  group,
  identity,
  makeNode,
  mul,
  recv,
  send,
  stopGradient,
  variable,
} from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { random } from '../inputs.ts'

/** Const, Placeholder, Identity, StopGradient, Group, Blank, Send and Recv. */
export const graphCases: readonly OpCase[] = [
  opCase({
    op: 'Const',
    name: 'every way to say one',
    build: () => [
      constant([
        [1, 2],
        [3, 4],
      ]),
      constant(Int32Array.of(1, 2)),
      constant(7n),
      constant([true, false]),
      constant([1.5, -2.5], 'bfloat16'),
    ],
    expect: () => [
      [
        [1, 2],
        [3, 4],
      ],
      [1, 2],
      7n,
      [true, false],
      [1.5, -2.5],
    ],
    grad: false,
  }),
  opCase({
    op: 'Placeholder',
    name: 'fed and fetched',
    inputs: { x: random([2, 3]) },
    build: ({ x }) => x,
    expect: ({ x }) => x,
    dtypes: [
      'float32',
      'float64',
      'float16',
      'bfloat16',
      'int8',
      'uint8',
      'int16',
      'int32',
      'int64',
      'uint32',
      'bool',
    ],
  }),
  opCase({
    op: 'Identity',
    name: 'hands its input on',
    inputs: { x: random([4]) },
    build: ({ x }) => identity(x),
    expect: ({ x }) => x,
    secondOrder: true,
    dtypes: ['float32', 'float64', 'int64', 'bool'],
  }),
  opCase({
    op: 'StopGradient',
    name: 'is a constant to gradients',
    inputs: { x: random([4]) },
    build: ({ x }) => stopGradient(x),
    expect: ({ x }) => x,
    grad: false,
  }),
  opCase({
    op: 'Group',
    name: 'has run when all of it has',
    build: () => {
      const [a, b] = [variable(1, { name: 'a' }), variable(2, { name: 'b' })]
      return controlDependencies([group(a.assign(10), b.assign(20))], () => [
        mul(a.read(), 1),
        mul(b.read(), 1),
      ])
    },
    expect: () => [10, 20],
    grad: false,
  }),
  opCase({
    op: 'Blank',
    name: 'lends its shape',
    build: () => fillLike(blank({ shape: [2, 3], dtype: 'float32' }), { value: 4 }),
    expect: () => [
      [4, 4, 4],
      [4, 4, 4],
    ],
    grad: false,
  }),
  opCase({
    ops: ['Send', 'Recv'],
    name: 'meet at a rendezvous',
    inputs: { x: random([2, 3]) },
    build: ({ x }) => {
      const sent = makeNode(send.def, [x], { key: 'x' })
      return controlDependencies([sent], () => recv({ key: 'x', shape: [2, 3], dtype: x.dtype }))
    },
    expect: ({ x }) => x,
    grad: false,
    symbolic: false,
    dtypes: ['float32', 'int64', 'bool'],
  }),
]
