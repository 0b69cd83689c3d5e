// Orders of axes, as transposes have them.
import type { Node } from '../graph/graph.ts'
import { normalizeAxis } from '../shape.ts'

/** The order of a transpose, axis by axis and not negative. */
export function orderOf(transposed: Node): readonly number[] {
  const { rank } = transposed.inputs[0]!
  const order = transposed.attrs['order'] as readonly number[] | undefined
  return order
    ? order.map((axis) => normalizeAxis(axis, rank))
    : Array.from({ length: rank }, (_, i) => rank - 1 - i)
}

/** Does an order exchange the last two axes and nothing else? */
export const swapsLastTwo = (order: readonly number[]): boolean =>
  order.length >= 2 &&
  order.every((axis, i) => axis === (i === order.length - 1 ? i - 1 : i === order.length - 2 ? i + 1 : i))
