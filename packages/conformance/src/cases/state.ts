// Cases of variables.
import { controlDependencies, group, matmul, mul, square, sum, variable } from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { random } from '../inputs.ts'

/** ReadVariable, AssignVariable and ScatterVariable. */
export const stateCases: readonly OpCase[] = [
  opCase({
    op: 'ReadVariable',
    name: 'its initial value',
    inputs: { x: random([2, 3]) },
    build: ({ x }, dtype) =>
      matmul(
        x,
        variable(
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
          { name: 'w', dtype },
        ),
      ),
    dtypes: ['float32', 'float64'],
  }),
  opCase({
    ops: ['AssignVariable', 'ReadVariable'],
    name: 'set, add and subtract in turn',
    inputs: { x: random([3]) },
    build: ({ x }, dtype) => {
      const v = variable([1, 2, 3], { name: 'v', dtype })
      const added = controlDependencies([v.assign(x)], () => v.assignAdd([10, 20, 30]))
      return controlDependencies([added], () => v.assignSub(mul(v.read(), 0.5)))
    },
    expect: ({ x }) => x.numbers().map((value, i) => (value + 10 * (i + 1)) / 2),
    grad: false,
    dtypes: ['float32', 'float64', 'float16'],
  }),
  opCase({
    op: 'AssignVariable',
    name: 'keeps its value from run to run',
    inputs: { x: random([4]) },
    build: ({ x }, dtype) => variable([0, 0, 0, 0], { name: 'v', dtype }).assignAdd(x),
    expect: ({ x }) => x.numbers().map((value) => value + value + value),
    grad: false,
    runs: 3,
    dtypes: ['float32', 'float64', 'int32', 'int64'],
  }),
  opCase({
    op: 'AssignVariable',
    name: 'the old value is still read where nothing waits',
    inputs: { x: random([3]) },
    build: ({ x }, dtype) => {
      const v = variable([1, 2, 3], { name: 'v', dtype })
      const old = square(v)
      return [old, v.assign(mul(x, 2)), sum(v)]
    },
    expect: ({ x }) => [[1, 4, 9], x.numbers().map((value) => 2 * value), 6],
    grad: false,
    runs: 1,
  }),
  ...(['set', 'add', 'sub', 'min', 'max'] as const).map((update) =>
    opCase({
      op: 'ScatterVariable',
      name: `${update} rows`,
      inputs: { x: random([2, 2]) },
      build: ({ x }, dtype) => {
        const v = variable(
          [
            [1, -1],
            [0.5, -0.5],
            [0, 0],
          ],
          { name: 'v', dtype },
        )
        const changed = v.scatter([2, 0], x, update)
        return [changed, controlDependencies([group(changed)], () => mul(v.read(), 2))]
      },
      expect: ({ x }) => {
        const rows = [
          [1, -1],
          [0.5, -0.5],
          [0, 0],
        ]
        const [a, b, c, d] = x.numbers() as [number, number, number, number]
        const apply = {
          set: (_: number, n: number) => n,
          add: (o: number, n: number) => o + n,
          sub: (o: number, n: number) => o - n,
          min: Math.min,
          max: Math.max,
        }[update]
        rows[2] = [apply(rows[2]![0]!, a), apply(rows[2]![1]!, b)]
        rows[0] = [apply(rows[0]![0]!, c), apply(rows[0]![1]!, d)]
        return [rows, rows.map((row) => row.map((value) => 2 * value))]
      },
      grad: false,
      dtypes: ['float32', 'float64'],
    }),
  ),
]
