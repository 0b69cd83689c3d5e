// Reverse accumulation over the gradient rules of the ops; composites without a rule of their own differentiate through their parts.
import { floats } from '../dtype.ts'
import { GradientError } from '../errors.ts'
import type { Node } from '../graph/graph.ts'
import { nodesCreated, Tensor, toposort } from '../graph/graph.ts'
import { colocateWith, scope } from '../graph/scope.ts'
import type { Gradient } from '../op.ts'
import { fillLike, zerosLike } from '../ops/array/fill.ts'
import { add } from '../ops/math/add.ts'
import { expandNode } from '../passes/expandComposites.ts'
import { Variable } from '../ops/state/variable.ts'
import { densify, joinSlices } from './accumulate.ts'
import { IndexedSlices } from './indexedSlices.ts'

/** What one can differentiate by: a tensor, or all readings of a variable. */
export type Source = Tensor | Variable

/**
 * The gradients of the sum of `ys` by each of `xs`, as tensors of their shapes; zeros where nothing depends on them.
 * @param options.seeds what flows into each of `ys`; default ones.
 * @throws GradientError when a path leads through an op that has no gradient.
 */
export function gradients<const X extends readonly Source[]>(
  ys: Tensor | readonly Tensor[],
  xs: X,
  options: { readonly seeds?: readonly Tensor[] } = {},
): { -readonly [K in keyof X]: Tensor } {
  const found = scope('gradients', () =>
    sparseGradients(ys, xs, options).map((g, i) => {
      const x = xs[i]!
      return g ? densify(g) : zerosLike(x instanceof Variable ? x.read() : x)
    }),
  )
  return found as { -readonly [K in keyof X]: Tensor }
}

/** As `gradients`, but rows of gathered tensors stay `IndexedSlices`, and undefined tells that nothing depends on an x. */
export function sparseGradients(
  ys: Tensor | readonly Tensor[],
  xs: readonly Source[],
  options: { readonly seeds?: readonly Tensor[] } = {},
): (Gradient | undefined)[] {
  const tops = ys instanceof Tensor ? [ys] : ys
  tops.forEach((y) => {
    if (!floats.includes(y.dtype))
      throw new GradientError(`cannot differentiate ${y.dtype}; only floats`, { node: y.node })
  })
  const wanted = new Set(xs.filter((x) => x instanceof Tensor))
  const resources = new Set(xs.filter((x) => x instanceof Variable).map((x) => x.resource))
  const tape = new Tape(tops, (t) => wanted.has(t) || resources.has(t.node.attrs['resource'] as never))
  tops.forEach((y, i) => tape.give(y, options.seeds?.[i] ?? fillLike(y, { value: 1 })))
  tape.play()
  return xs.map((x) =>
    x instanceof Tensor
      ? tape.gradientOf(x)
      : tape.leaves
          .filter((t) => t.node.attrs['resource'] === x.resource)
          .map((t) => tape.gradientOf(t))
          .reduce(accumulate, undefined),
  )
}

function accumulate(a: Gradient | undefined, b: Gradient | undefined): Gradient | undefined {
  if (!a || !b) return a ?? b
  return a instanceof IndexedSlices && b instanceof IndexedSlices
    ? joinSlices(a, b)
    : add(densify(a), densify(b))
}

/** The part of a graph that lies between the sources and the tops, in order, with composites opened where they have no rule. */
class Tape {
  readonly leaves: Tensor[] = []
  private readonly nodes: Node[] = []
  private readonly onPath = new Set<Node>()
  private readonly opened = new Map<Tensor, Tensor>()
  private readonly found = new Map<Tensor, Gradient>()

  constructor(tops: readonly Tensor[], isSource: (t: Tensor) => boolean) {
    this.record(toposort({ fetches: tops, targets: [] }), isSource)
  }

  private record(order: readonly Node[], isSource: (t: Tensor) => boolean): void {
    const depends = new Set<Tensor>()
    const visit = (nodes: readonly Node[]): void => {
      for (const node of nodes) {
        if (this.onPath.has(node)) continue
        const sources = node.outputs.filter(isSource)
        sources.forEach((t) => depends.add(t))
        this.leaves.push(...sources)
        const { shapeOnly } = node.op.traits
        const reached = node.inputs.some((t, i) => depends.has(t) && !shapeOnly?.(i))
        if (!reached) continue
        if (!node.op.grad && node.op.body.kind === 'composite' && sources.length === 0) {
          const first = nodesCreated()
          const inner = expandNode(node)
          inner.forEach((t, i) => this.opened.set(node.outputs[i]!, t))
          visit(toposort({ fetches: inner, targets: [] }, (n) => n.id >= first))
          node.outputs.forEach((t, i) => depends.has(inner[i]!) && depends.add(t))
          continue
        }
        this.onPath.add(node)
        this.nodes.push(node)
        node.outputs.forEach((t) => floats.includes(t.dtype) && depends.add(t))
      }
    }
    visit(order)
  }

  give(t: Tensor, g: Gradient): void {
    let at = t
    for (let inner = this.opened.get(at); inner; inner = this.opened.get(at)) at = inner
    this.found.set(at, accumulate(this.found.get(at), g)!)
  }

  play(): void {
    for (const node of this.nodes.reverse()) {
      const given = node.outputs.map((t) => this.found.get(t))
      if (given.every((g) => g === undefined)) continue
      const { grad } = node.op
      if (!grad)
        throw new GradientError(
          'it has no gradient: put stopGradient before it, or do not differentiate through it',
          { node },
        )
      const dys = given.map((g) => g && densify(g))
      // Gradients are computed where their node is.
      const back = scope(node.name, () =>
        colocateWith(node, () =>
          grad({
            inputs: node.inputs,
            outputs: node.outputs,
            attrs: node.attrs as never,
            dys,
            dy: dys[0] ?? zerosLike(node.outputs[0]!),
            node,
          }),
        ),
      )
      back.forEach((g, i) => g && this.give(node.inputs[i]!, g))
    }
  }

  gradientOf(t: Tensor): Gradient | undefined {
    let at = t
    for (let inner = this.opened.get(at); inner; inner = this.opened.get(at)) at = inner
    return this.found.get(at)
  }
}
