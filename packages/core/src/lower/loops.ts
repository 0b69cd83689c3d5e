// The loops that a node's expression runs over: the axes of what it stores, or of what its reduction reads.
import { InternalError } from '../errors.ts'
import type { Node } from '../graph/graph.ts'
import type { ConcreteType, Size } from '../shape.ts'

/** Loops over the axes of a tensor; those of one element that are not reduced are left out. */
export interface Loops {
  readonly sizes: Size
  /** Which of them are reduced. */
  readonly reduced: readonly boolean[]
}

/** The reduction among a root and what is inlined into it; fusion sees to it that there is at most one. */
export function reductionOf(root: Node, inlined: ReadonlySet<Node>): Node | undefined {
  const stack = [root]
  const seen = new Set<Node>(stack)
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.op.body.kind === 'reduce') return node
    for (const { node: input } of node.inputs)
      if (inlined.has(input) && !seen.has(input)) {
        seen.add(input)
        stack.push(input)
      }
  }
  return undefined
}

/** The loops of a reduction: all axes of its input. */
export function loopsOfReduction(reduction: Node): Loops {
  const { body } = reduction.op
  if (body.kind !== 'reduce') throw new InternalError('is no reduction', { node: reduction })
  const { shape, dtype } = reduction.inputs[0]!.type as ConcreteType
  const axes = new Set(body.axes(reduction.attrs as never, { shape, dtype }))
  const loops = shape.flatMap((size, axis) =>
    size !== 1 || axes.has(axis) ? [{ size, reduced: axes.has(axis) }] : [],
  )
  return { sizes: loops.map(({ size }) => size), reduced: loops.map(({ reduced }) => reduced) }
}

/** The loops of a root: those of its reduction, or one for each axis of what it stores. */
export function loopsOf(root: Node, inlined: ReadonlySet<Node>): Loops {
  const reduction = reductionOf(root, inlined)
  if (reduction) return loopsOfReduction(reduction)
  const sizes = withoutUnits(root.outputs[0]!.shape as Size)
  return { sizes, reduced: sizes.map(() => false) }
}

/** The sizes of loops that are not reduced. */
export const keptSizes = ({ sizes, reduced }: Loops): Size => sizes.filter((_, axis) => !reduced[axis])

/** A shape without axes of one element. */
export const withoutUnits = (shape: Size): Size => shape.filter((size) => size !== 1)

/** Are two lists of sizes the same? */
export const sameSizes = (a: Size, b: Size): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i])

/** Are two loop nests the same? */
export const sameLoops = (a: Loops, b: Loops): boolean =>
  sameSizes(a.sizes, b.sizes) && a.reduced.every((reduced, axis) => reduced === b.reduced[axis])
