// Element-wise nodes that compute every element in the same way, wherever it stands.
import type { Node } from '../graph/graph.ts'
import { E } from '../ir/expr.ts'
import { int } from '../ir/view.ts'

/** Is each output element a function of the input elements alone, not of its place? Then axes may be exchanged before or after. */
export function isPointwise(node: Node): boolean {
  const { body } = node.op
  if (body.kind !== 'scalar' || node.inputs.length === 0) return false
  let asked = false
  const ask = (): never => {
    asked = true
    throw new RangeError('asks for its place')
  }
  const args = node.inputs.map((t, i) => E.load(i, int(0), t.dtype))
  try {
    body.expr(args as never, node.attrs as never, {
      get at() {
        return ask()
      },
      get inputs() {
        return ask()
      },
      get output() {
        return ask()
      },
    })
  } catch (error) {
    if (asked) return false
    throw error
  }
  return true
}
