// Views of views, and views that show everything as it is.
import type { Tensor } from '../../graph/graph.ts'
import { broadcastTo } from '../../ops/array/broadcastTo.ts'
import { concat } from '../../ops/array/concat.ts'
import { expandDims, squeeze } from '../../ops/array/expandDims.ts'
import { pad } from '../../ops/array/pad.ts'
import { reshape } from '../../ops/array/reshape.ts'
import { reverse } from '../../ops/array/reverse.ts'
import { slice } from '../../ops/array/slice.ts'
import { tile } from '../../ops/array/tile.ts'
import { transpose } from '../../ops/array/transpose.ts'
import { isConcrete, normalizeAxes } from '../../shape.ts'
import { sameType } from '../values.ts'
import { orderOf } from '../permutation.ts'
import type { Rule, Site } from './rule.ts'

const unchanged = (site: Site): Tensor | undefined =>
  sameType(site.inputs[0]!, site.output) ? site.inputs[0] : undefined
const isZero = (n: number): boolean => n === 0
const ints = (site: Site, key: string): readonly number[] => site.node.attrs[key] as readonly number[]

/** Views, reductions over nothing, and pieces of one. */
export const viewRules: readonly Rule[] = [
  { ops: [reshape, broadcastTo], why: 'it has this shape already', apply: unchanged },
  {
    ops: [reshape, expandDims, squeeze],
    why: 'the last of several shapes counts',
    apply: (site) => {
      const inner = site.look(site.inputs[0]!, reshape, expandDims, squeeze)
      if (!inner || !isConcrete(site.output.shape)) return undefined
      return reshape(inner.inputs[0]!, { shape: site.output.shape })
    },
  },
  {
    ops: [transpose],
    why: 'the axes stay where they are',
    apply: (site) => (orderOf(site.node).every((axis, i) => axis === i) ? site.inputs[0] : undefined),
  },
  {
    ops: [transpose],
    why: 'two transposes are one',
    apply: (site) => {
      const inner = site.look(site.inputs[0]!, transpose)
      if (!inner) return undefined
      const first = orderOf(inner)
      return transpose(inner.inputs[0]!, { order: orderOf(site.node).map((axis) => first[axis]!) })
    },
  },
  {
    ops: [transpose],
    why: 'only axes of size 1 move',
    apply: (site) => {
      const x = site.inputs[0]!
      const long = orderOf(site.node).filter((axis) => x.shape[axis] !== 1)
      const moves = long.some((axis, i) => i > 0 && axis < long[i - 1]!)
      return !moves && isConcrete(site.output.shape) ? reshape(x, { shape: site.output.shape }) : undefined
    },
  },
  {
    ops: [reverse],
    why: 'an axis of size 1 is its own reverse',
    apply: (site) => {
      const x = site.inputs[0]!
      const axes = normalizeAxes(site.node.attrs['axes'] as readonly number[] | undefined, x.rank)
      const long = axes.filter((axis) => x.shape[axis] !== 1)
      if (long.length === axes.length) return axes.length === 0 ? x : undefined
      return long.length === 0 ? x : reverse(x, { axes: long })
    },
  },
  {
    ops: [slice],
    why: 'it takes everything',
    apply: (site) => (ints(site, 'begin').every(isZero) ? unchanged(site) : undefined),
  },
  {
    ops: [slice],
    why: 'a piece of a piece is a piece',
    apply: (site) => {
      const inner = site.look(site.inputs[0]!, slice)
      if (!inner || !isConcrete(site.output.shape)) return undefined
      const first = inner.attrs['begin'] as readonly number[]
      return slice(inner.inputs[0]!, {
        begin: ints(site, 'begin').map((n, axis) => n + first[axis]!),
        size: site.output.shape,
      })
    },
  },
  {
    ops: [pad],
    why: 'nothing is put around it',
    apply: (site) =>
      [...ints(site, 'before'), ...ints(site, 'after')].every(isZero) ? site.inputs[0] : undefined,
  },
  {
    ops: [tile],
    why: 'once is no repetition',
    apply: (site) => (ints(site, 'times').every((n) => n === 1) ? site.inputs[0] : undefined),
  },
  {
    ops: [concat],
    why: 'there is nothing to join it with',
    apply: (site) => (site.inputs.length === 1 ? site.inputs[0] : undefined),
  },
  {
    why: 'it reduces nothing',
    apply: (site) => {
      const { body } = site.node.op
      const x = site.inputs[0]
      if (body.kind !== 'reduce' || !x || x.dtype !== site.output.dtype) return undefined
      if (body.axes(site.node.attrs as never, x.type).some((axis) => x.shape[axis] !== 1)) return undefined
      if (sameType(x, site.output)) return x
      return isConcrete(site.output.shape) ? reshape(x, { shape: site.output.shape }) : undefined
    },
  },
]
