// Which variables need their initial values, and in what order: those that others start from come first.
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { bodiesOf } from '../graph/effects.ts'
import { colocateWith } from '../graph/scope.ts'
import { NameError } from '../errors.ts'
import { Variable } from '../ops/state/variable.ts'
import type { VariableResource } from '../resource.ts'
import { isResource } from '../resource.ts'

/** Every variable that a graph reads or writes, bodies of control flow included. @throws NameError when two share a name. */
export function variablesOf(graph: Graph): VariableResource[] {
  const found = new Map<string, VariableResource>()
  const visit = (node: Node): void => {
    bodiesOf(node).forEach((body) => toposort(body).forEach(visit))
    for (const value of Object.values(node.attrs)) {
      if (!isResource(value) || value.kind !== 'variable') continue
      const other = found.get(value.name)
      if (other && other !== value)
        throw new NameError(`two variables are named '${value.name}': give one another name or scope`, {
          node,
        })
      found.set(value.name, value)
    }
  }
  toposort(graph).forEach(visit)
  return [...found.values()]
}

/** Assignments of initial values, in waves: each wave needs only the waves before it. */
export function initialAssignments(
  graph: Graph,
  isInitialized: (resource: VariableResource) => boolean,
): Node[][] {
  const wave = new Map<VariableResource, number>()
  const waves: Node[][] = []
  const visit = (resource: VariableResource): number => {
    const known = wave.get(resource)
    if (known !== undefined) return known
    if (isInitialized(resource) || !resource.initial) return -1
    const needs = variablesOf({ fetches: [resource.initial as Tensor], targets: [] }).map(visit)
    const at = Math.max(-1, ...needs) + 1
    wave.set(resource, at)
    // A variable lives where its initial value is made.
    const { initial } = resource
    const assignment = colocateWith(initial, () => new Variable(resource).assign(initial).node)
    ;(waves[at] ??= []).push(assignment)
    return at
  }
  variablesOf(graph).forEach(visit)
  return waves
}
