// Cases of branches, loops and graph functions.
import {
  add,
  caseOf,
  cond,
  constant,
  exp,
  graphFunction,
  less,
  matmul,
  mul,
  neg,
  scan,
  sin,
  square,
  sum,
  tanh,
  whileLoop,
} from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { bools, ints, random, values } from '../inputs.ts'

/** Case, While, Scan, Call and Parameter. */
export const controlCases: readonly OpCase[] = [
  opCase({
    ops: ['Case', 'Parameter'],
    name: 'a branch that the predicate chooses',
    inputs: { x: random([3, 4]), p: bools([]) },
    build: ({ x, p }) =>
      cond(
        p,
        () => mul(x, exp(x)),
        () => neg(x),
      ),
    expect: ({ x, p }) => x.numbers().map((v) => (p.item() ? v * Math.exp(v) : -v)),
    secondOrder: true,
    dtypes: ['float32', 'float64'],
  }),
  opCase({
    op: 'Case',
    name: 'branch by index',
    inputs: { x: random([5]), i: values(1, 'int32') },
    build: ({ x, i }) =>
      caseOf(i, [() => [x, sum(x)], () => [square(x), sum(neg(x))], () => [sin(x), constant(1, x.dtype)]]),
    expect: ({ x }) => [x.numbers().map((v) => v * v), -x.numbers().reduce((a, b) => a + b)],
    dtypes: ['float32', 'float64'],
  }),
  opCase({
    op: 'Case',
    name: 'index out of range',
    inputs: { x: random([5]), i: values(-3, 'int32') },
    build: ({ x, i }) => caseOf(i, [() => mul(x, 2), () => mul(x, 3)]),
    expect: ({ x }) => x.numbers().map((v) => v * 3),
  }),
  opCase({
    op: 'While',
    name: 'power by repeated multiplication',
    inputs: { x: random([4]), n: ints([], { low: 3, high: 4 }) },
    build: ({ x, n }) =>
      whileLoop(
        (i) => less(i, n),
        (i, y) => [add(i, 1), mul(y, x)],
        [constant(0, 'int32'), x],
      )[1]!,
    expect: ({ x }) => x.numbers().map((v) => v ** 4),
    secondOrder: true,
    dtypes: ['float32', 'float64'],
  }),
  opCase({
    op: 'While',
    name: 'bounded, ends by its condition',
    inputs: { x: random([2, 2], { low: -1, high: 1 }), w: random([2, 2], { low: -0.9, high: 0.9 }) },
    build: ({ x, w }) =>
      whileLoop(
        (i) => less(i, 3),
        (i, y) => [add(i, 1), tanh(matmul(y, w))],
        [constant(0, 'int32'), x],
        { maxIterations: 5 },
      )[1]!,
    secondOrder: true,
    dtypes: ['float32', 'float64'],
  }),
  opCase({
    op: 'While',
    name: 'bounded, ends by its bound; never runs',
    inputs: { x: random([3]) },
    build: ({ x }) => [
      whileLoop(
        (i) => less(i, 9),
        (i, y) => [add(i, 1), mul(y, 2)],
        [constant(0, 'int32'), x],
        { maxIterations: 2 },
      )[1]!,
      whileLoop(
        (i) => less(i, 0),
        (i, y) => [add(i, 1), mul(y, 2)],
        [constant(0, 'int32'), x],
      )[1]!,
    ],
    expect: ({ x }) => [x.numbers().map((v) => 4 * v), x.numbers()],
  }),
  opCase({
    op: 'Scan',
    name: 'a recurrent cell',
    inputs: { xs: random([4, 2, 3]), h: random([2, 3]), w: random([3, 3], { low: -0.7, high: 0.7 }) },
    build: ({ xs, h, w }) => {
      const { carry, ys } = scan(
        ([state], [x]) => {
          const next = tanh(add(matmul(state!, w), x!))
          return [[next], [sum(next, { axes: [1] })]]
        },
        [h],
        [xs],
      )
      return [...carry, ...ys]
    },
    secondOrder: true,
    dtypes: ['float32', 'float64'],
  }),
  opCase({
    op: 'Scan',
    name: 'cumulative sum from the end',
    inputs: { xs: random([5, 2]) },
    build: ({ xs }) =>
      scan(([total], [x]) => [[add(total!, x!)], [add(total!, x!)]], [mul(sum(xs, { axes: [0] }), 0)], [xs], {
        reverse: true,
      }).ys,
    expect: ({ xs }) => {
      const v = xs.numbers()
      const total = (i: number): number => (i >= v.length ? 0 : v[i]! + total(i + 2))
      return [v.map((_, i) => total(i))]
    },
    dtypes: ['float32', 'float64'],
  }),
  opCase({
    op: 'Scan',
    name: 'without sequences',
    inputs: { x: random([3]) },
    build: ({ x }) => scan(([y]) => [[mul(y!, 0.5)], [y!]], [x], [], { length: 3 }).ys,
    expect: ({ x }) => [[1, 0.5, 0.25].flatMap((f) => x.numbers().map((v) => v * f))],
  }),
  opCase({
    ops: ['Call', 'Parameter'],
    name: 'a function called twice',
    inputs: { x: random([3]) },
    build: ({ x }) => {
      const f = graphFunction('squareAndDouble', [x.type], (a) => [square(a), mul(a, 2)])
      const [first, second] = f(x)
      return [...f(second!), first!]
    },
    expect: ({ x }) => [4, 16, 1].map((_, i) => x.numbers().map((v) => [4 * v * v, 4 * v, v * v][i]!)),
    secondOrder: true,
    dtypes: ['float32', 'float64'],
  }),
]
