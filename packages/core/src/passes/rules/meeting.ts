// Brings constants together, so that they are folded into one.
import type { DType } from '../../dtype.ts'
import { dtypes } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { makeNode } from '../../op.ts'
import { concat } from '../../ops/array/concat.ts'
import { constant } from '../../ops/constant.ts'
import { add } from '../../ops/math/add.ts'
import { div } from '../../ops/math/div.ts'
import { mul } from '../../ops/math/mul.ts'
import { neg } from '../../ops/math/neg.ts'
import { sub } from '../../ops/math/sub.ts'
import type { NDArray } from '../../ndarray.ts'
import { getElement, NDArray as HostArray, setElement } from '../../ndarray.ts'
import { allocate } from '../../dtype.ts'
import { normalizeAxis } from '../../shape.ts'
import { evaluate } from '../evaluate.ts'
import { constantValue, sameShape } from '../values.ts'
import type { Rule, Site } from './rule.ts'

/** The operands of an associative op, the constant one apart. */
function split(
  inputs: readonly Tensor[],
): { readonly rest: Tensor; readonly fixed: Tensor; readonly value: NDArray } | undefined {
  const i = inputs.findIndex((t) => constantValue(t))
  if (i < 0 || inputs.length !== 2 || constantValue(inputs[1 - i]!)) return undefined
  return { rest: inputs[1 - i]!, fixed: inputs[i]!, value: constantValue(inputs[i]!)! }
}

const isGroup = (site: Site): boolean =>
  Boolean(
    site.node.op.traits.associative && site.node.op.traits.commutative && site.node.op.inputs.length === 2,
  )
const apply = (site: Site, a: Tensor, b: Tensor): Tensor =>
  makeNode(site.node.op, [a, b], site.node.attrs).outputs[0]!

/** The two constants in one; undefined when that overflows, underflows, or is larger than both. */
function joined(site: Site, a: Tensor, b: Tensor): Tensor | undefined {
  const node = makeNode(site.node.op, [a, b], site.node.attrs)
  const [x, y] = [constantValue(a)!, constantValue(b)!]
  if (!sameShape(node.outputs[0]!.shape, x.shape) && !sameShape(node.outputs[0]!.shape, y.shape))
    return undefined
  const value = evaluate(node, [x, y])?.[0]
  if (!value) return undefined
  const lossy = dtypes[value.dtype].kind === 'float' && (!sound(value) || !sound(x) || !sound(y))
  if (lossy && site.node.op === mul.def) return undefined
  if (lossy && site.node.op === add.def && !value.numbers().every(Number.isFinite)) return undefined
  return waitingFor(constant(value), [a, b])
}

const sound = (value: NDArray): boolean => value.numbers().every((x) => Number.isFinite(x) && x !== 0)

function waitingFor(t: Tensor, constants: readonly Tensor[]): Tensor {
  const control = [...new Set(constants.flatMap((c) => c.node.control))]
  return control.length === 0 ? t : t.node.with({ control }).outputs[0]!
}

const oneOverConstant = (x: NDArray): NDArray | undefined => {
  if (dtypes[x.dtype].kind !== 'float' || !x.numbers().every((n) => canInvert(n, x.dtype))) return undefined
  const data = allocate(x.dtype, x.size)
  for (let i = 0; i < x.size; i++)
    setElement(x.dtype, data, i, 1 / (getElement(x.dtype, x.data, i) as number))
  return new HostArray(x.dtype, x.shape, data)
}

// Half precision has too few bits for a reciprocal to be rounded twice; powers of two are exact.
const smallest: Partial<Record<DType, number>> = { float32: 1e-37, float64: 1e-307 }
function canInvert(n: number, dtype: DType): boolean {
  if (!Number.isFinite(n) || n === 0) return false
  const least = smallest[dtype]
  if (least === undefined)
    return Number.isInteger(Math.log2(Math.abs(n))) && Math.abs(n) > 2 ** -12 && Math.abs(n) < 2 ** 12
  return Math.abs(n) > least && Math.abs(n) < 1 / least
}

/** Constants meet in sums, products and joins; what is not constant keeps its order. */
export const meetingRules: readonly Rule[] = [
  {
    ops: [sub],
    why: 'subtracting a constant is adding its opposite',
    apply: (site) => {
      const [a, b] = site.inputs as [Tensor, Tensor]
      const value = constantValue(b)
      if (!value || constantValue(a)) return undefined
      const opposite = evaluate(neg(b).node, [value])?.[0]
      return opposite && add(a, waitingFor(constant(opposite), [b]))
    },
  },
  {
    ops: [div],
    why: 'dividing by a constant is multiplying by its reciprocal',
    apply: (site) => {
      const [a, b] = site.inputs as [Tensor, Tensor]
      const value = constantValue(b)
      const inverse = value && !constantValue(a) ? oneOverConstant(value) : undefined
      return inverse && mul(a, waitingFor(constant(inverse), [b]))
    },
  },
  {
    why: 'two constants in a row are one',
    apply: (site) => {
      const outer = isGroup(site) ? split(site.inputs) : undefined
      const inner = outer && site.look(outer.rest, { def: site.node.op })
      const found = inner && split(inner.inputs)
      const both = found && joined(site, found.fixed, outer.fixed)
      return both && apply(site, found.rest, both)
    },
  },
  {
    why: 'constants of two sums or products are one',
    apply: (site) => {
      if (!isGroup(site) || !site.inputs.every((t) => site.once(t))) return undefined
      const [a, b] = site.inputs.map((t) => site.look(t, { def: site.node.op }))
      const [left, right] = [a && split(a.inputs), b && split(b.inputs)]
      const both = left && right && joined(site, left.fixed, right.fixed)
      return both && apply(site, apply(site, left.rest, right.rest), both)
    },
  },
  {
    why: 'constants move to where they meet others',
    apply: (site) => {
      if (!isGroup(site) || split(site.inputs)) return undefined
      for (const i of [0, 1]) {
        const inner = site.once(site.inputs[i]!)
          ? site.look(site.inputs[i]!, { def: site.node.op })
          : undefined
        const found = inner && split(inner.inputs)
        const other = site.inputs[1 - i]!
        // Only a constant that is no larger than what it leaves: it is applied to the whole result.
        if (found && found.value.size === 1 && sameShape(found.rest.shape, other.shape))
          return apply(
            site,
            i === 0 ? apply(site, found.rest, other) : apply(site, other, found.rest),
            found.fixed,
          )
      }
      return undefined
    },
  },
  {
    ops: [concat],
    why: 'pieces that are joined along the same axis are joined at once',
    apply: (site) => {
      const axis = axisOf(site.node.attrs['axis'], site.output)
      const isPart = (t: Tensor): boolean =>
        t.node.op === concat.def &&
        axisOf(t.node.attrs['axis'], t) === axis &&
        // Joined constants are folded where they stand; taken apart, the next rule would join them again.
        !t.node.inputs.every((piece) => constantValue(piece)) &&
        site.once(t) &&
        site.look(t, concat) !== undefined
      return site.inputs.some(isPart)
        ? concat(
            site.inputs.flatMap((t) => (isPart(t) ? t.node.inputs : [t])),
            { axis },
          )
        : undefined
    },
  },
  {
    ops: [concat],
    why: 'neighbouring constants are joined',
    apply: (site) => {
      const axis = axisOf(site.node.attrs['axis'], site.output)
      const pieces: Tensor[][] = []
      for (const t of site.inputs) {
        const last = pieces.at(-1)
        if (last && constantValue(t) && constantValue(last[0]!)) last.push(t)
        else pieces.push([t])
      }
      if (pieces.length === 1 || pieces.length === site.inputs.length) return undefined
      return concat(
        pieces.map((run) => (run.length === 1 ? run[0]! : concat(run, { axis }))),
        { axis },
      )
    },
  },
]

const axisOf = (axis: unknown, t: Tensor): number => normalizeAxis(axis as number, t.rank)
