// Sums of matrix products are matrix products of larger operands.
import type { Tensor } from '../../graph/graph.ts'
import { reshape } from '../../ops/array/reshape.ts'
import { transpose } from '../../ops/array/transpose.ts'
import { matmul } from '../../ops/linalg/matmul.ts'
import { sum } from '../../ops/reduce/sum.ts'
import type { Size } from '../../shape.ts'
import { isConcrete, normalizeAxes } from '../../shape.ts'
import { elementsOf, sameShape } from '../values.ts'
import type { Rule } from './rule.ts'

/** The last two axes exchanged. */
const swapped = (t: Tensor): Tensor =>
  transpose(t, { order: [...t.shape.slice(0, -2).keys(), t.rank - 1, t.rank - 2] })

/** The batches of matrices, one below the other. */
const piled = (t: Tensor): Tensor =>
  reshape(t, { shape: [elementsOf(t) / (t.shape.at(-1) as number), t.shape.at(-1) as number] })

/** Rules about matrix products. */
export const productRules: readonly Rule[] = [
  {
    ops: [sum],
    why: 'a sum of products is the product of what they multiply, one below the other',
    apply: (site) => {
      const [product] = site.inputs as [Tensor]
      const node = site.once(product) ? site.look(product, matmul) : undefined
      if (!node || product.rank < 3 || elementsOf(product) === 0) return undefined
      const [a, b] = node.inputs as [Tensor, Tensor]
      const batches = product.shape.slice(0, -2)
      const axes = normalizeAxes(site.node.attrs['axes'] as readonly number[] | undefined, product.rank)
      if (axes.length !== batches.length || axes.some((axis, i) => axis !== i)) return undefined
      if (![a, b].every((t) => isConcrete(t.shape) && sameShape(t.shape.slice(0, -2), batches)))
        return undefined
      const { transposeA, transposeB } = node.attrs as { transposeA: boolean; transposeB: boolean }
      const moved = (transposeA ? 0 : elementsOf(a)) + (transposeB ? elementsOf(b) : 0)
      // Exchanging axes must cost less than the products that are no longer stored.
      if (moved > elementsOf(product) / 2 || elementsOf(a) === 0) return undefined
      const [left, right] = [transposeA ? a : swapped(a), transposeB ? swapped(b) : b]
      const total = matmul(piled(left), piled(right), { transposeA: true })
      return reshape(total, { shape: site.output.shape as Size })
    },
  },
]
