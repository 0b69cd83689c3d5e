// Puts other sizes in the place of named ones, in attributes and in bodies: binding a graph to a run, and a function to its arguments, is this.
import type { AttrValue } from '../attr.ts'
import { parameter } from '../ops/graph/parameter.ts'
import { isListOfSubgraphs } from '../passes/pass.ts'
import type { Dim, Shape, TensorType } from '../shape.ts'
import { isConcrete, unknown } from '../shape.ts'
import type { Node, Subgraph, Tensor } from './graph.ts'
import { isSubgraph } from './graph.ts'
import type { Rebuild } from './substitute.ts'
import { substitute } from './substitute.ts'

/** What becomes of a named size. */
export type SizeOf = (name: string) => Dim

/**
 * The node on other inputs, with other sizes in the place of the names in its attributes. The same node if nothing changes.
 * @param rebuild what becomes of the nodes in its bodies, whose parameters take their sizes from the inputs.
 */
export function withSizes(
  node: Node,
  inputs: readonly Tensor[],
  control: readonly Node[],
  sizeOf: SizeOf,
  rebuild: Rebuild,
): Node {
  const attrs = attrsWithSizes(node, inputs, sizeOf, rebuild)
  const same =
    attrs === node.attrs && node.isOn(inputs, control) && node.outputs.every((t) => isConcrete(t.shape))
  return same ? node : node.with({ inputs, control, attrs })
}

function attrsWithSizes(
  node: Node,
  inputs: readonly Tensor[],
  sizeOf: SizeOf,
  rebuild: Rebuild,
): Node['attrs'] {
  let changed = false
  const attrs: Record<string, AttrValue> = { ...node.attrs }
  for (const [key, { kind }] of Object.entries(node.op.attrs)) {
    const value = attrs[key]
    if (kind !== 'shape' || value === undefined || isConcrete(value as Shape)) continue
    changed = true
    attrs[key] = (value as Shape).map((d) => (typeof d === 'number' || d === unknown ? d : sizeOf(d)))
  }
  if (!node.op.subgraphs) return changed ? attrs : node.attrs
  const types = node.op.subgraphs(
    inputs.map((t) => t.type),
    attrs,
  )
  for (const [key, bodies] of Object.entries(types)) {
    const value = attrs[key]
    if (isSubgraph(value)) attrs[key] = withParameters(value, bodies[0]!, rebuild)
    else if (isListOfSubgraphs(value))
      attrs[key] = value.map((body, i) => withParameters(body, bodies[i]!, rebuild))
  }
  return attrs
}

/** A body whose parameters have the given types, its nodes made anew by `rebuild`. */
export function withParameters(body: Subgraph, types: readonly TensorType[], rebuild: Rebuild): Subgraph {
  const params = body.params.map((t, i) => {
    const type = types[i]!
    return type.shape.every((d, axis) => d === t.shape[axis])
      ? t
      : parameter({ index: i, shape: type.shape, dtype: type.dtype, name: t.name })
  })
  const replaced = new Map(body.params.map((t, i) => [t, params[i]!]))
  return { ...substitute(body, replaced, rebuild), params }
}
