// A graph taken out of its surroundings: other inputs, names under a prefix, variables of its own, and no wish for a device.
import type { AttrValue, Node, Pass, Tensor, TensorType, VariableResource } from '@shoal/core'
import { isResource, makeNode, placeholder, rewrite, runDeep, substitute } from '@shoal/core'

/** A placeholder of exactly this name, wherever it is made. */
export const inputNamed = (name: string, { dtype, shape }: TensorType): Tensor =>
  makeNode(placeholder.def, [], { dtype, shape }).with({ name, device: '', control: [] }).outputs[0]!

/**
 * The same outputs computed elsewhere.
 * @param inputs what takes the place of which tensors.
 * @param prefix goes before the names of nodes and variables: '' or `member0/`.
 * @returns outputs under their names. Their variables have neither initial values nor devices, and are parts of no others.
 */
export function transplant(
  outputs: Readonly<Record<string, Tensor>>,
  inputs: ReadonlyMap<Tensor, Tensor>,
  prefix: string,
): Record<string, Tensor> {
  const graph = runDeep(ownVariables(prefix), { fetches: Object.values(outputs), targets: [] })
  // Bodies of branches and loops run where their node runs, and nobody sees their names.
  const { fetches } = substitute(graph, inputs, (node, on, control) =>
    node.with({ name: `${prefix}${node.name}`, device: '', inputs: on, control }),
  )
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, fetches[i]!]))
}

/** Every variable replaced by one that is declared by its type and name alone. */
function ownVariables(prefix: string): Pass {
  const known = new Map<AttrValue, VariableResource>()
  const own = (value: AttrValue): AttrValue => {
    if (!isResource(value) || value.kind !== 'variable') return value
    const { kind, name, type, trainable } = value
    const made = known.get(value) ?? { kind, name: `${prefix}${name}`, type, trainable }
    known.set(value, made)
    return made
  }
  const rule = (node: Node): Node | undefined =>
    Object.values(node.attrs).some(isResource)
      ? node.with({
          attrs: Object.fromEntries(Object.entries(node.attrs).map(([key, value]) => [key, own(value)])),
        })
      : undefined
  return { name: 'ownVariables', run: (graph) => rewrite(graph, rule) }
}
