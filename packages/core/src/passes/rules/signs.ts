// Signs, inverses and functions applied twice.
import { dtypes } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { AnyOp } from '../../op.ts'
import { abs } from '../../ops/math/abs.ts'
import { add } from '../../ops/math/add.ts'
import { equal } from '../../ops/math/equal.ts'
import { greater } from '../../ops/math/greater.ts'
import { greaterEqual } from '../../ops/math/greaterEqual.ts'
import { less } from '../../ops/math/less.ts'
import { lessEqual } from '../../ops/math/lessEqual.ts'
import { logicalNot } from '../../ops/math/logicalNot.ts'
import { mul } from '../../ops/math/mul.ts'
import { neg } from '../../ops/math/neg.ts'
import { notEqual } from '../../ops/math/notEqual.ts'
import { square } from '../../ops/math/square.ts'
import { sub } from '../../ops/math/sub.ts'
import type { Rule, Site } from './rule.ts'

type Comparison = AnyOp & ((a: Tensor, b: Tensor) => Tensor)
/** What the negation of a comparison is; only those of order are false beside NaN. */
const opposites: readonly { readonly from: Comparison; readonly to: Comparison; readonly floats: boolean }[] =
  [
    { from: equal, to: notEqual, floats: true },
    { from: notEqual, to: equal, floats: true },
    { from: less, to: greaterEqual, floats: false },
    { from: lessEqual, to: greater, floats: false },
    { from: greater, to: lessEqual, floats: false },
    { from: greaterEqual, to: less, floats: false },
  ]

const appliesTwice = (site: Site): boolean =>
  site.inputs.length === 1 && site.look(site.inputs[0]!, { def: site.node.op }) !== undefined

/** Signs move to where they cost nothing. */
export const signRules: readonly Rule[] = [
  {
    why: 'applied twice it does nothing',
    apply: (site) =>
      site.node.op.traits.involution && appliesTwice(site) ? site.inputs[0]!.node.inputs[0] : undefined,
  },
  {
    why: 'applied twice it does what it does once',
    apply: (site) => (site.node.op.traits.idempotent && appliesTwice(site) ? site.inputs[0] : undefined),
  },
  {
    ops: [add],
    why: 'adding -x is subtracting x',
    apply: (site) => {
      const [a, b] = site.inputs as [Tensor, Tensor]
      const second = site.look(b, neg)
      if (second) return sub(a, second.inputs[0]!)
      const first = site.look(a, neg)
      return first && sub(b, first.inputs[0]!)
    },
  },
  {
    ops: [sub],
    why: 'subtracting -x is adding x',
    apply: (site) => {
      const [a, b] = site.inputs as [Tensor, Tensor]
      const second = site.look(b, neg)
      if (!second) return undefined
      const first = site.look(a, neg)
      return first ? sub(second.inputs[0]!, first.inputs[0]!) : add(a, second.inputs[0]!)
    },
  },
  {
    ops: [neg],
    why: '-(a - b) is b - a',
    apply: (site) => {
      const inner = site.once(site.inputs[0]!) ? site.look(site.inputs[0]!, sub) : undefined
      return inner && sub(inner.inputs[1]!, inner.inputs[0]!)
    },
  },
  {
    ops: [mul],
    why: 'two signs cancel',
    apply: (site) => {
      const [a, b] = site.inputs.map((t) => site.look(t, neg))
      return a && b && mul(a.inputs[0]!, b.inputs[0]!)
    },
  },
  {
    ops: [square],
    why: 'a square has no sign',
    apply: (site) => {
      const inner = site.look(site.inputs[0]!, neg, abs)
      return inner && square(inner.inputs[0]!)
    },
  },
  {
    ops: [logicalNot],
    why: 'the opposite comparison says the same',
    apply: (site) => {
      const inner = site.through(site.inputs[0]!)
      const found = inner && opposites.find(({ from }) => from.def === inner.op)
      if (!found || (!found.floats && dtypes[inner.inputs[0]!.dtype].kind === 'float')) return undefined
      return found.to(inner.inputs[0]!, inner.inputs[1]!)
    },
  },
]
