// Cases of what replicas share: accumulators of gradients, and counts of progress.
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { values } from '../inputs.ts'

const float = { dtype: 'float32', shape: [2] } as const

/** All cases of accumulators and progress. */
export const replicaCases: readonly OpCase[] = [
  opCase({
    ops: ['AccumulatorApply', 'AccumulatorTake', 'AccumulatorStatus'],
    name: 'a weighted mean',
    grad: false,
    inputs: { x: values([1, 2]), y: values([5, 6]) },
    build({ x, y }) {
      const gathered = s.accumulator({ types: [float], count: 2, name: 'mean' })
      const counts = [gathered.apply([x], { weight: 1 }), gathered.apply([y], { weight: 3 })]
      const late = s.controlDependencies(counts, () => gathered.apply([x], { step: 1 }))
      const [mean] = s.controlDependencies([late], () => gathered.take())
      const { step, dropped } = s.controlDependencies([mean as s.Tensor], () => gathered.status())
      return { mean: mean as s.Tensor, late, step, dropped }
    },
    expect: { mean: [4, 5], late: false, step: 1, dropped: 1 },
  }),
  opCase({
    ops: ['AccumulatorLease', 'AccumulatorMean', 'AccumulatorSettle', 'AccumulatorSet'],
    name: 'a set of rows is used in a branch',
    grad: false,
    inputs: { x: values([[1], [2], [3]]), at: values([2, 0, 2], 'int32') },
    build({ x, at }) {
      const type = { dtype: 'float32', shape: [4, 1], rows: 3 } as const
      const gathered = s.accumulator({ types: [type], count: 9, name: 'rows' })
      const table = s.variable([[0], [0], [0], [0]], { name: 'table' })
      const ready = s.controlDependencies([gathered.setStep(6), gathered.setCount(1)], () =>
        gathered.apply([new s.IndexedSlices(x, at, table.read())], { step: 6, weight: 5 }),
      )
      const { taken, step } = s.controlDependencies([ready], () => gathered.lease(6))
      const after = s.cond(
        taken,
        () => {
          const { values, indices } = gathered.mean()[0] as s.IndexedSlices
          const changed = table.scatterAdd(indices, values)
          const settled = s.controlDependencies([changed], () => gathered.settle())
          return s.controlDependencies([settled], () => s.add(step, 1))
        },
        () => s.identity(step),
      )
      const value = s.controlDependencies([after], () => table.read())
      return { after, value, again: s.controlDependencies([after], () => gathered.lease(6).taken) }
    },
    expect: { after: 7, value: [[2], [0], [4], [0]], again: false },
  }),
  opCase({
    ops: ['ProgressAdvance', 'ProgressSetPresent', 'ProgressSteps'],
    name: 'the steps of two members',
    grad: false,
    inputs: { present: values([0, 2], 'int32') },
    build({ present }) {
      const steps = s.progress({ members: 3, name: 'steps' })
      const first = steps.advance(0, 1)
      const set = s.controlDependencies([first], () => steps.setPresent(present))
      const second = s.controlDependencies([set], () => steps.advance(2, 0))
      return s.controlDependencies([second], () => steps.steps())
    },
    expect: [1, 0, 1],
  }),
]
