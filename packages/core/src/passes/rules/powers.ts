// Powers with known exponents, and sums of equal terms.
import { dtypes } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { constant } from '../../ops/constant.ts'
import { fill } from '../../ops/array/fill.ts'
import { add } from '../../ops/math/add.ts'
import { div } from '../../ops/math/div.ts'
import { mul } from '../../ops/math/mul.ts'
import { pow } from '../../ops/math/pow.ts'
import { reciprocal } from '../../ops/math/reciprocal.ts'
import { rsqrt } from '../../ops/math/rsqrt.ts'
import { sqrt } from '../../ops/math/sqrt.ts'
import { square } from '../../ops/math/square.ts'
import { sub } from '../../ops/math/sub.ts'
import { sameShape, sameType, uniformValue } from '../values.ts'
import type { Rule, Site } from './rule.ts'

/** Powers that have a cheaper name. Those of floats differ at -0 and -Infinity under the root signs, where pow ignores the sign. */
const byExponent: readonly {
  readonly exponent: number
  readonly floatsOnly: boolean
  readonly build: (x: Tensor) => Tensor
}[] = [
  { exponent: 0, floatsOnly: false, build: (x) => fill({ shape: x.shape, dtype: x.dtype, value: 1 }) },
  { exponent: 1, floatsOnly: false, build: (x) => x },
  { exponent: 2, floatsOnly: false, build: (x) => square(x) },
  { exponent: 3, floatsOnly: false, build: (x) => mul(x, square(x)) },
  { exponent: 0.5, floatsOnly: true, build: (x) => sqrt(x) },
  { exponent: -0.5, floatsOnly: true, build: (x) => rsqrt(x) },
  { exponent: -1, floatsOnly: true, build: (x) => reciprocal(x) },
]

/** The factor that two products share, and what is left of each. */
function sharedFactor(
  a: readonly Tensor[],
  b: readonly Tensor[],
): { readonly shared: Tensor; readonly rest: readonly [Tensor, Tensor] } | undefined {
  for (const i of [0, 1])
    for (const j of [0, 1])
      if (a[i] === b[j] && sameShape(a[1 - i]!.shape, b[1 - j]!.shape))
        return { shared: a[i]!, rest: [a[1 - i]!, b[1 - j]!] }
  return undefined
}

const combine = (site: Site, a: Tensor, b: Tensor): Tensor =>
  site.node.op === add.def ? add(a, b) : sub(a, b)

/** Powers and equal terms. */
export const powerRules: readonly Rule[] = [
  {
    ops: [pow],
    why: 'the exponent is known',
    apply: (site) => {
      const [x, exponent] = site.inputs as [Tensor, Tensor]
      const value = uniformValue(exponent)
      const found = byExponent.find((row) => row.exponent === Number(value))
      if (value === undefined || !found || !sameType(x, site.output)) return undefined
      if (found.floatsOnly && dtypes[x.dtype].kind !== 'float') return undefined
      site.drop(exponent)
      if (found.exponent === 0) site.drop(x)
      return found.build(x)
    },
  },
  {
    ops: [add],
    why: 'x + x is 2x',
    apply: (site) => {
      const [a, b] = site.inputs as [Tensor, Tensor]
      return a === b ? mul(a, constant(2, a.dtype)) : undefined
    },
  },
  {
    ops: [add, sub],
    why: 'both terms have a factor in common',
    apply: (site) => {
      const [a, b] = site.inputs as [Tensor, Tensor]
      if (a === b || !site.once(a) || !site.once(b)) return undefined
      const [left, right] = [site.look(a, mul), site.look(b, mul)]
      const found = left && right && sharedFactor(left.inputs, right.inputs)
      return found && mul(found.shared, combine(site, ...found.rest))
    },
  },
  {
    ops: [add, sub],
    why: 'both terms have one denominator',
    apply: (site) => {
      const [a, b] = site.inputs as [Tensor, Tensor]
      if (a === b || !site.once(a) || !site.once(b)) return undefined
      const [left, right] = [site.look(a, div), site.look(b, div)]
      if (!left || !right || left.inputs[1] !== right.inputs[1]) return undefined
      const [x, y] = [left.inputs[0]!, right.inputs[0]!]
      return sameShape(x.shape, y.shape) ? div(combine(site, x, y), left.inputs[1]!) : undefined
    },
  },
]
