// Computes while compiling what no run can change: nodes of constants, and constants that stand apart in a sum or product.
import { dtypes } from '../dtype.ts'
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { rewrite } from '../graph/graph.ts'
import { isPure } from '../graph/effects.ts'
import { makeNode } from '../op.ts'
import { constant } from '../ops/constant.ts'
import type { NDArray } from '../ndarray.ts'
import { isConcrete, sizeOf } from '../shape.ts'
import { evaluate } from './evaluate.ts'
import type { Note, Pass } from './pass.ts'
import { rulePass } from './rules/rule.ts'
import { meetingRules } from './rules/meeting.ts'
import { constantValue, isConstantLike } from './values.ts'

/** A folded value may be larger than what it is made of by so many bytes: programs must not grow. */
const maxGrowthBytes = 10 * 1024
/** Kernels do more than a little for each element, so fewer elements are worth the wait. */
const maxElements = { kernel: 2 ** 14, other: 2 ** 20 }

/** Replaces nodes whose inputs are all constants by their value, computed by the reference interpreter, unless that makes the graph larger. */
const foldNodes: Pass = {
  name: 'foldNodes',
  run: (graph: Graph, note?: Note): Graph =>
    rewrite(graph, (node) => {
      const values =
        node.inputs.length > 0 && isPure(node) && node.inputs.every(isConstantLike) ? fold(node) : undefined
      if (!values) return undefined
      note?.(node, 'all that it depends on is constant')
      const control = [...new Set([...node.control, ...node.inputs.flatMap((t) => t.node.control)])]
      return values.map((value, i) => constantNode(value, node, i, control))
    }),
}

function constantNode(value: NDArray, node: Node, i: number, control: readonly Node[]): Tensor {
  const made = makeNode(constant.def, [], { value })
  return made.with({ name: i === 0 ? node.name : `${node.name}/${i}`, device: node.device, control })
    .outputs[0]!
}

function fold(node: Node): readonly NDArray[] | undefined {
  const types = [...node.inputs, ...node.outputs]
  if (!types.every((t) => isConcrete(t.shape) && t.dtype !== 'string')) return undefined
  const elements = types.reduce((sum, t) => sum + sizeOf(t.shape as readonly number[]), 0)
  if (elements > (node.op.body.kind === 'kernel' ? maxElements.kernel : maxElements.other)) return undefined
  const stored = node.inputs.reduce((sum, t) => sum + (constantValue(t) ? bytesOf(t) : 0), 0)
  const made = node.outputs.reduce((sum, t) => sum + bytesOf(t), 0)
  // A view costs nothing to compute, and what it repeats need not be stored.
  if (made > (node.op.body.kind === 'view' ? stored : Math.max(maxGrowthBytes, stored))) return undefined
  const inputs = node.inputs.map((t) => constantValue(t) ?? evaluate(t.node, [])?.[0])
  return inputs.every((x) => x !== undefined) ? evaluate(node, inputs) : undefined
}

const bytesOf = (t: Tensor): number => sizeOf(t.shape as readonly number[]) * dtypes[t.dtype].bytes

const meetConstants = rulePass('meetConstants', meetingRules)

/**
 * Folds nodes of constants and brings constants together so that they can be folded: (x + 1) + 2, x / 4, joined pieces.
 * Folding keeps every bit; bringing together rounds differently.
 */
export const constantFold: Pass = {
  name: 'constantFold',
  run(graph, note) {
    let current = graph
    for (;;) {
      const next = foldNodes.run(meetConstants.run(current, note), note)
      if (next === current) return next
      current = next
    }
  },
}
