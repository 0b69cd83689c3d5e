// Extremes of functions that keep or reverse order: the function is computed on the extreme only.
// Functions that are undefined somewhere (square roots, logarithms) stay: an extreme of their results shows a NaN that the function of the extreme would hide.
import type { Tensor } from '../../graph/graph.ts'
import type { AnyOp, OpDef } from '../../op.ts'
import { argMax } from '../../ops/reduce/argMax.ts'
import { argMin } from '../../ops/reduce/argMin.ts'
import { max } from '../../ops/reduce/max.ts'
import { min } from '../../ops/reduce/min.ts'
import { acos } from '../../ops/math/acos.ts'
import { acosh } from '../../ops/math/acosh.ts'
import { asin } from '../../ops/math/asin.ts'
import { atanh } from '../../ops/math/atanh.ts'
import { erfinv } from '../../ops/math/erfinv.ts'
import { log } from '../../ops/math/log.ts'
import { log10 } from '../../ops/math/log10.ts'
import { log1p } from '../../ops/math/log1p.ts'
import { log2 } from '../../ops/math/log2.ts'
import { maximum } from '../../ops/math/maximum.ts'
import { minimum } from '../../ops/math/minimum.ts'
import { neg } from '../../ops/math/neg.ts'
import { rsqrt } from '../../ops/math/rsqrt.ts'
import { sqrt } from '../../ops/math/sqrt.ts'
import { dtypes } from '../../dtype.ts'
import { makeNode } from '../../op.ts'
import type { Rule, Site } from './rule.ts'

const partial = new Set<OpDef>(
  [acos, acosh, asin, atanh, erfinv, log, log10, log1p, log2, rsqrt, sqrt].map(({ def }) => def),
)

/** Each extreme and the opposite one. */
const opposite = new Map<OpDef, AnyOp>([
  [max.def, min],
  [min.def, max],
  [maximum.def, minimum],
  [minimum.def, maximum],
])

const signed = (t: Tensor): boolean => dtypes[t.dtype].kind === 'float'

/** The function of one operand that may change places with an extreme. */
function monotoneAt(site: Site, t: Tensor): OpDef | undefined {
  const { op, inputs } = t.node
  if (!op.traits.monotone || partial.has(op) || inputs.length !== 1 || !signed(t) || !site.once(t))
    return undefined
  return site.through(t) && op
}

/** The extreme of x among `site`'s operands, then the function. */
function swapped(site: Site, f: OpDef): Tensor {
  const { op } = site.node
  const extreme = f.traits.monotone === 'increasing' ? op : opposite.get(op)!.def
  const inner = makeNode(
    extreme,
    site.inputs.map((t) => t.node.inputs[0]!),
    site.node.attrs,
  ).outputs[0]!
  return makeNode(f, [inner], site.inputs[0]!.node.attrs).outputs[0]!
}

const isEmpty = (t: Tensor): boolean => t.shape.some((d) => d === 0 || typeof d === 'string')

/** Max, Min, Maximum and Minimum of monotone functions, and where the extreme of -x stands. */
export const monotoneRules: readonly Rule[] = [
  {
    ops: [max, min],
    why: 'the function keeps or reverses order: it is enough to compute it on the extreme',
    // Over nothing an extreme is infinite, and no function of anything.
    apply: (site) => {
      const f = isEmpty(site.inputs[0]!) ? undefined : monotoneAt(site, site.inputs[0]!)
      return f && swapped(site, f)
    },
  },
  {
    ops: [maximum, minimum],
    why: 'both functions are one that keeps or reverses order',
    apply: (site) => {
      const [f, g] = site.inputs.map((t) => monotoneAt(site, t))
      return f && f === g && Object.keys(f.attrs).length === 0 ? swapped(site, f) : undefined
    },
  },
  {
    ops: [argMax, argMin],
    why: 'the greatest of -x stands where the least x does',
    apply: (site) => {
      const inner = signed(site.inputs[0]!) ? site.look(site.inputs[0]!, neg) : undefined
      return (
        inner &&
        makeNode((site.node.op === argMax.def ? argMin : argMax).def, inner.inputs, site.node.attrs)
          .outputs[0]
      )
    },
  },
]
