// Cases of control flow: branches, loops, scans and functions, with gradients through all of them.
import {
  add,
  caseOf,
  cond,
  exp,
  graphFunction,
  less,
  matmul,
  mul,
  scan,
  sin,
  sub,
  sum,
  tanh,
  whileLoop,
} from '@shoal/core'
import type { Tensor } from '@shoal/core'
import { opCase } from '../case.ts'
import { random, values } from '../inputs.ts'

const twice = graphFunction('twice', [{ dtype: 'float32', shape: ['n'] }], (x) => [mul(x, 2)])

export const controlCases = [
  opCase({
    op: 'Case',
    name: 'runs the branch that the index names',
    inputs: { x: values([1, -2, 3]), at: values(1, 'int32') },
    build: ({ x, at }) => caseOf(at, [() => add(x, 1), () => mul(x, x), () => exp(x)]),
    expect: [1, 4, 9],
    secondOrder: true,
  }),
  opCase({
    op: 'Case',
    name: 'runs the last branch for an index out of range',
    inputs: { x: values([1, -2, 3]), at: values(-7, 'int32') },
    build: ({ x, at }) => caseOf(at, [() => add(x, 1), () => mul(x, x), () => sub(x, 1)]),
    expect: [0, -3, 2],
  }),
  opCase({
    op: 'Case',
    name: 'by a condition, with two results and two captures',
    inputs: { x: values([1, -2, 3]), w: values([2, 0.5, -1]) },
    build: ({ x, w }) =>
      cond(
        less(sum(x), 10),
        () => [mul(x, w), add(x, w)] as const,
        () => [add(x, w), mul(x, w)] as const,
      ),
    expect: [
      [2, -1, -3],
      [3, -1.5, 2],
    ],
  }),
  opCase({
    op: 'While',
    name: 'doubles while the sum is below a bound',
    inputs: { x: values([1, 2, 0.5]) },
    build: ({ x }) =>
      whileLoop(
        (y) => less(sum(y), 50),
        (y) => [mul(y, 2)],
        [x],
      )[0]!,
    expect: [16, 32, 8],
  }),
  opCase({
    op: 'While',
    name: 'a bounded number of times, with what it captures',
    inputs: { x: random([3], { low: -1, high: 1 }), w: random([3], { low: 0.5, high: 1 }) },
    build: ({ x, w }) =>
      whileLoop(
        (i) => less(i, 3),
        (i, y) => [add(i, 1), sin(mul(y, w))],
        [0, x],
        { maxIterations: 5 },
      )[1]!,
    expect: ({ x, w }) =>
      x.numbers().map((start, k) => [1, 2, 3].reduce((y) => Math.sin(y * w.numbers()[k]!), start)),
  }),
  opCase({
    op: 'While',
    name: 'whose condition never holds',
    inputs: { x: values([3, 4]) },
    build: ({ x }) =>
      whileLoop(
        (y) => less(sum(y), 0),
        (y) => [mul(y, y)],
        [x],
      )[0]!,
    expect: [3, 4],
  }),
  opCase({
    ops: ['Scan', 'Parameter'],
    name: 'a recurrent cell over time',
    inputs: { x: random([4, 2, 3]), h: random([2, 3]), w: random([3, 3], { low: -1, high: 1 }) },
    build({ x, h, w }): Record<string, Tensor> {
      const { state, results } = scan(
        ([state], [row]) => {
          const next = tanh(add(matmul(state!, w), row!))
          return [[next], [next]]
        },
        [h],
        [x],
      )
      return { last: state[0]!, all: results[0]! }
    },
    secondOrder: true,
  }),
  opCase({
    op: 'Scan',
    name: 'running sums from the end',
    inputs: { x: values([[1], [2], [3]]) },
    build: ({ x }) =>
      scan(
        ([s], [row]) => [[add(s!, row!)], [add(s!, row!)]],
        [sub(sum(x, { axes: [0] }), sum(x, { axes: [0] }))],
        [x],
        { reverse: true },
      ).results[0]!,
    expect: [[6], [5], [3]],
  }),
  opCase({
    op: 'Call',
    name: 'a function of a function',
    inputs: { x: random([3], { dtype: 'float32' }) },
    build: ({ x }) => twice(twice(x)[0]!)[0]!,
    expect: ({ x }) => x.numbers().map((v) => 4 * v),
  }),
  opCase({
    op: 'Call',
    name: 'in the dtype of the case, with a capture',
    inputs: { x: random([3]), w: random([3]) },
    build: ({ x, w }, dtype) =>
      graphFunction('weighted', [{ dtype, shape: [3] }], (y) => [mul(exp(y), w), sum(y)])(x)[0]!,
    secondOrder: true,
  }),
]
