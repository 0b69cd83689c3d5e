// Transposes meet and vanish, factors go into constant filters, biases go to where they are computed.
import { isPure } from '../../graph/effects.ts'
import type { Tensor } from '../../graph/graph.ts'
import { makeNode } from '../../op.ts'
import { reshape } from '../../ops/array/reshape.ts'
import { expandDims, squeeze } from '../../ops/array/expandDims.ts'
import { transpose } from '../../ops/array/transpose.ts'
import { add } from '../../ops/math/add.ts'
import { mul } from '../../ops/math/mul.ts'
import { matmul } from '../../ops/linalg/matmul.ts'
import { conv } from '../../ops/nn/conv.ts'
import { isConcrete } from '../../shape.ts'
import { orderOf, swapsLastTwo } from '../permutation.ts'
import { constantValue, elementsOf, sameDim, sameShape } from '../values.ts'
import { isPointwise } from '../pointwise.ts'
import type { Rule, Site } from './rule.ts'

/** The operands of an element-wise node, each without the transpose that `through` accepts; undefined when one has none and is not a single element. */
function untransposed(
  site: Site,
  node: Tensor['node'],
  accept: (order: readonly number[]) => boolean,
): readonly Tensor[] | undefined {
  if (node.inputs.length === 0) return undefined
  let found = 0
  const operands: Tensor[] = []
  for (const t of node.inputs) {
    const inner = site.look(t, transpose)
    if (inner && t.rank === node.outputs[0]!.rank && accept(orderOf(inner))) {
      found++
      operands.push(inner.inputs[0]!)
    } else if (elementsOf(t) === 1 && t.rank === 0) operands.push(t)
    else return undefined
  }
  return found > 0 ? operands : undefined
}

/** The element-wise node behind `t`, if nothing else reads it. */
const elementwiseAt = (site: Site, t: Tensor) => {
  const node = site.once(t) ? site.through(t) : undefined
  return node && isPointwise(node) && isPure(node) ? node : undefined
}

/** What a matmul input is without a transpose that the matmul can do itself. */
function absorbed(site: Site, t: Tensor): Tensor | undefined {
  const direct = site.look(t, transpose)
  if (direct) return swapsLastTwo(orderOf(direct)) ? direct.inputs[0] : undefined
  const node = elementwiseAt(site, t)
  const operands = node && untransposed(site, node, swapsLastTwo)
  return operands && makeNode(node.op, operands, node.attrs).outputs[0]
}

/** A factor along the last axis only, as long as it or a single element, that leaves the shape of `t` as it is. */
const alongLastAxis = (factor: Tensor, t: Tensor): boolean =>
  factor.rank <= t.rank &&
  factor.shape.every((d, i) => d === 1 || (i === factor.rank - 1 && sameDim(d, t.shape.at(-1)!)))

/** Rules that move work to where it costs less. */
export const movingRules: readonly Rule[] = [
  {
    ops: [matmul],
    why: 'a matrix product transposes its operands itself',
    apply: (site) => {
      const [a, b] = site.inputs as [Tensor, Tensor]
      const [left, right] = [absorbed(site, a), absorbed(site, b)]
      if (!left && !right) return undefined
      const { transposeA, transposeB } = site.node.attrs as { transposeA: boolean; transposeB: boolean }
      return matmul(left ?? a, right ?? b, {
        transposeA: transposeA !== Boolean(left),
        transposeB: transposeB !== Boolean(right),
      })
    },
  },
  {
    ops: [transpose],
    why: 'the transpose meets others behind an element-wise op',
    apply: (site) => {
      const node = elementwiseAt(site, site.inputs[0]!)
      const outer = orderOf(site.node)
      const operands = node && untransposed(site, node, () => true)
      if (!operands) return undefined
      const moved = operands.map((t, i) =>
        t === node.inputs[i]
          ? t
          : transpose(t, { order: outer.map((axis) => orderOf(node.inputs[i]!.node)[axis]!) }),
      )
      return makeNode(node.op, moved, node.attrs).outputs[0]
    },
  },
  {
    ops: [mul],
    why: 'the factor becomes part of the constant filter',
    apply: (site) => {
      for (const i of [0, 1]) {
        const [t, factor] = [site.inputs[i]!, site.inputs[1 - i]!]
        const node = site.once(t) ? site.look(t, conv, matmul) : undefined
        if (!node || !constantValue(factor) || !constantValue(node.inputs[1]!) || !alongLastAxis(factor, t))
          continue
        if (node.attrs['transposeB'] === true && elementsOf(factor) !== 1) continue
        const filter = node.inputs[1]!
        const flat = reshape(factor, { shape: elementsOf(factor) === 1 ? [] : [factor.shape.at(-1)!] })
        const scaled = mul(filter, flat)
        if (sameShape(scaled.shape, filter.shape))
          return makeNode(node.op, [node.inputs[0]!, scaled], node.attrs).outputs[0]
      }
      return undefined
    },
  },
  {
    ops: [add],
    why: 'the bias is added before the axes are relabelled',
    apply: (site) => {
      for (const i of [0, 1]) {
        const [t, bias] = [site.inputs[i]!, site.inputs[1 - i]!]
        const node = site.once(t) ? site.look(t, reshape, squeeze, expandDims) : undefined
        const x = node?.inputs[0]
        if (!x || bias.rank !== 1 || x.rank === 0 || x.node.op !== conv.def || !isConcrete(site.output.shape))
          continue
        if (sameDim(x.shape.at(-1)!, t.shape.at(-1)!) && sameDim(t.shape.at(-1)!, bias.shape[0]!))
          return reshape(add(x, bias), { shape: site.output.shape })
      }
      return undefined
    },
  },
]
