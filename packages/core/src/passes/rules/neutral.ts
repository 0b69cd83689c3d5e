// Operands that change nothing, and operands that decide everything. NaN and infinities keep their meaning: for floats x · 0 and x - x stay.
import { dtypes } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { AnyOp } from '../../op.ts'
import { fill } from '../../ops/array/fill.ts'
import { add } from '../../ops/math/add.ts'
import { bitwiseAnd } from '../../ops/math/bitwiseAnd.ts'
import { bitwiseOr } from '../../ops/math/bitwiseOr.ts'
import { bitwiseXor } from '../../ops/math/bitwiseXor.ts'
import { div } from '../../ops/math/div.ts'
import { logicalAnd } from '../../ops/math/logicalAnd.ts'
import { logicalOr } from '../../ops/math/logicalOr.ts'
import { logicalXor } from '../../ops/math/logicalXor.ts'
import { maximum } from '../../ops/math/maximum.ts'
import { minimum } from '../../ops/math/minimum.ts'
import { mul } from '../../ops/math/mul.ts'
import { neg } from '../../ops/math/neg.ts'
import { select } from '../../ops/math/select.ts'
import { sub } from '../../ops/math/sub.ts'
import { unknown } from '../../shape.ts'
import { isUniform, sameType } from '../values.ts'
import type { Rule, Site } from './rule.ts'

/** The operand beside one whose elements are all `value`, if it is the whole result. */
function beside(site: Site, value: number, positions: readonly number[]): Tensor | undefined {
  for (const i of positions) {
    const [operand, other] = [site.inputs[i]!, site.inputs[1 - i]!]
    if (isUniform(operand, value) && sameType(other, site.output)) {
      site.drop(operand)
      return other
    }
  }
  return undefined
}

const neutral = (
  ops: readonly AnyOp[],
  value: number,
  why: string,
  positions: readonly number[] = [0, 1],
): Rule => ({
  ops,
  why,
  apply: (site) => beside(site, value, positions),
})

/** `value` on one side is the result whatever the other side is. */
const absorbing = (
  ops: readonly AnyOp[],
  value: number,
  why: string,
  applies: (t: Tensor) => boolean = () => true,
): Rule => ({
  ops,
  why,
  apply(site) {
    if (!applies(site.output) || !site.inputs.some((t) => isUniform(t, value))) return undefined
    return everywhere(site, value)
  },
})

function everywhere(site: Site, value: number): Tensor {
  site.inputs.forEach((t) => site.drop(t))
  return fill({ shape: site.output.shape, dtype: site.output.dtype, value })
}

const isExact = (t: Tensor): boolean => dtypes[t.dtype].kind !== 'float'

/** Neutral, absorbing and equal operands. */
export const neutralRules: readonly Rule[] = [
  neutral([add, bitwiseOr, bitwiseXor, logicalOr, logicalXor], 0, 'a zero changes nothing'),
  neutral([sub], 0, 'x - 0 is x', [1]),
  neutral([mul, logicalAnd], 1, 'a one changes nothing'),
  neutral([div], 1, 'x / 1 is x', [1]),
  absorbing([mul, bitwiseAnd], 0, 'x * 0 is 0 for integers', isExact),
  absorbing([logicalAnd], 0, 'x and false is false'),
  absorbing([logicalOr], 1, 'x or true is true'),
  {
    ops: [sub],
    why: '0 - x is -x',
    apply: (site) => {
      const [a, b] = site.inputs as [Tensor, Tensor]
      if (!isUniform(a, 0) || !sameType(b, site.output)) return undefined
      site.drop(a)
      return neg(b)
    },
  },
  {
    ops: [sub, bitwiseXor, logicalXor],
    why: 'nothing is left of two equal operands',
    apply: (site) =>
      site.inputs[0] === site.inputs[1] && isExact(site.output) && !site.output.shape.includes(unknown)
        ? everywhere(site, 0)
        : undefined,
  },
  {
    ops: [maximum, minimum, logicalAnd, logicalOr, bitwiseAnd, bitwiseOr],
    why: 'both operands are the same',
    apply: (site) => (site.inputs[0] === site.inputs[1] ? site.inputs[0] : undefined),
  },
  {
    ops: [select],
    why: 'it is known what is chosen',
    apply: (site) => {
      const [condition, a, b] = site.inputs as [Tensor, Tensor, Tensor]
      const chosen = a === b || isUniform(condition, 1) ? a : isUniform(condition, 0) ? b : undefined
      if (!chosen || !sameType(chosen, site.output)) return undefined
      site.drop(condition)
      site.drop(chosen === a ? b : a)
      return chosen
    },
  },
]
