// Reverse accumulation over the gradient rules of the ops; composites without a rule of their own differentiate through their parts.
import { floats } from '../dtype.ts'
import { GradientError } from '../errors.ts'
import { effectsOf } from '../graph/effects.ts'
import type { Node } from '../graph/graph.ts'
import { nodesCreated, Tensor, toposort } from '../graph/graph.ts'
import { colocateWith, scope } from '../graph/scope.ts'
import type { Gradient } from '../op.ts'
import type { AnyResource } from '../resource.ts'
import { compatible, formatType } from '../shape.ts'
import { fillLike, zerosLike } from '../ops/array/fill.ts'
import { identity } from '../ops/graph/identity.ts'
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
  const seeds = seedsOf(tops, options.seeds)
  const tape = new Tape(tops, wanted, resources)
  tops.forEach((y, i) => tape.give(y, seeds[i]!))
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

/** What flows into the tops: ones, where nothing else was given. */
function seedsOf(tops: readonly Tensor[], given: readonly Tensor[] | undefined): readonly Tensor[] {
  if (!given) return tops.map((y) => colocateWith(y, () => fillLike(y, { value: 1 })))
  if (given.length !== tops.length)
    throw new GradientError(`${given.length} seeds were given for ${tops.length} tensors: give one for each`)
  given.forEach((seed, i) => demandFit(seed, tops[i]!, `seed ${i}`, tops[i]!.node))
  return given
}

/** @throws GradientError unless `g` has the dtype and may have the shape of `t`. */
function demandFit(g: Gradient, t: Tensor, what: string, node: Node): void {
  const { dtype } = g instanceof IndexedSlices ? g.values : g
  const { shape } = g
  const fits = shape.length === t.rank && shape.every((d, axis) => compatible(d, t.shape[axis]!))
  if (dtype !== t.dtype || !fits)
    throw new GradientError(
      `${what} is ${formatType({ dtype, shape })}, it must be ${formatType(t.type)}, as '${t.name}' is`,
      { node },
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

  private readonly wanted: ReadonlySet<Tensor>
  private readonly resources: ReadonlySet<AnyResource>

  constructor(tops: readonly Tensor[], wanted: ReadonlySet<Tensor>, resources: ReadonlySet<AnyResource>) {
    this.wanted = wanted
    this.resources = resources
    this.record(toposort({ fetches: tops, targets: [] }))
  }

  private isSource(t: Tensor): boolean {
    return this.wanted.has(t) || this.resources.has(t.node.attrs['resource'] as AnyResource)
  }

  /** A wanted variable that the bodies of a node read themselves, where no gradient reaches it. */
  private hiddenIn(node: Node): AnyResource | undefined {
    const { body, subgraphs } = node.op
    if (!subgraphs || body.kind !== 'runtime') return undefined
    return [...effectsOf(node).reads].find((r) => this.resources.has(r))
  }

  private record(order: readonly Node[]): void {
    const depends = new Set<Tensor>()
    const visit = (nodes: readonly Node[]): void => {
      for (const node of nodes) {
        if (this.onPath.has(node)) continue
        const sources = node.outputs.filter((t) => this.isSource(t))
        sources.forEach((t) => depends.add(t))
        this.leaves.push(...sources)
        const { shapeOnly } = node.op.traits
        const reached = node.inputs.some((t, i) => depends.has(t) && !shapeOnly?.(i))
        if (!reached && !this.hiddenIn(node)) continue
        if (!node.op.grad && node.op.body.kind === 'composite') {
          const first = nodesCreated()
          // A source is a tensor of its own: what reaches its value along other ways is not its gradient.
          const inner = expandNode(node).map((t, i) => (this.isSource(node.outputs[i]!) ? identity(t) : t))
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
      const hidden = this.hiddenIn(node)
      if (hidden)
        throw new GradientError(
          `its body reads '${hidden.name}', among or after writes to it, so there is no gradient by that variable: read it before and pass the value in`,
          { node },
        )
      if (!grad)
        throw new GradientError(
          'it has no gradient: put stopGradient before it, or do not differentiate through it',
          { node },
        )
      // Gradients are computed, and added up, where their node is.
      const back = (): void => {
        const dys = given.map((g) => g && densify(g))
        grad({
          inputs: node.inputs,
          outputs: node.outputs,
          attrs: node.attrs as never,
          dys,
          dy: dys[0] ?? zerosLike(node.outputs[0]!),
          node,
        }).forEach((g, i) => {
          if (!g) return
          demandFit(g, node.inputs[i]!, `its gradient by input ${i}`, node)
          this.give(node.inputs[i]!, g)
        })
      }
      scope(node.name, () => colocateWith(node, back))
    }
  }

  gradientOf(t: Tensor): Gradient | undefined {
    let at = t
    for (let inner = this.opened.get(at); inner; inner = this.opened.get(at)) at = inner
    return this.found.get(at)
  }
}
