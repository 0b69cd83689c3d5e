// Which variables need their initial values, and in what order: those that others start from come first.
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { bodiesOf } from '../graph/effects.ts'
import { colocateWith } from '../graph/scope.ts'
import { NameError } from '../errors.ts'
import { sharedName } from './declarations.ts'
import { Variable } from '../ops/state/variable.ts'
import type { AnyResource, VariableResource } from '../resource.ts'
import { isResource } from '../resource.ts'

/** Every resource that a graph refers to, bodies of control flow included. @throws NameError when two of a kind share a name. */
export const resourcesOf = (graph: Graph): AnyResource[] => distinct(referencesIn(graph))

/** Every variable that a graph reads or writes, bodies of control flow included. @throws NameError when two share a name. */
export const variablesOf = (graph: Graph): VariableResource[] =>
  distinct(referencesIn(graph).filter(({ resource }) => resource.kind === 'variable')) as VariableResource[]

interface Reference {
  readonly resource: AnyResource
  readonly node: Node
}

const referencesIn = (graph: Graph): Reference[] =>
  toposort(graph).flatMap((node) => [
    ...bodiesOf(node).flatMap(referencesIn),
    ...Object.values(node.attrs)
      .filter(isResource)
      .map((resource) => ({ resource, node })),
  ])

function distinct(references: readonly Reference[]): AnyResource[] {
  const found = new Map<string, AnyResource>()
  for (const { resource, node } of references) {
    const key = `${resource.kind}:${resource.name}`
    const other = found.get(key)
    if (other && other !== resource) throw new NameError(sharedName(other, resource), { node })
    found.set(key, resource)
  }
  return [...found.values()]
}

/** Every variable of a graph, and every one that their initial values are made of. */
export function variablesToStart(graph: Graph): VariableResource[] {
  const found = new Set(variablesOf(graph))
  // What is added on the way is visited, too.
  for (const { initial } of found)
    if (initial) variablesOf({ fetches: [initial], targets: [] }).forEach((variable) => found.add(variable))
  return [...found]
}

/** Assignments of initial values to those variables that have none, in waves: each wave needs only the waves before it. */
export function initialAssignments(
  variables: readonly VariableResource[],
  initialized: ReadonlySet<VariableResource>,
): Node[][] {
  const wave = new Map<VariableResource, number>()
  const waves: Node[][] = []
  const visit = (resource: VariableResource): number => {
    const known = wave.get(resource)
    if (known !== undefined) return known
    if (initialized.has(resource) || !resource.initial) return -1
    const needs = variablesOf({ fetches: [resource.initial as Tensor], targets: [] }).map(visit)
    const at = Math.max(-1, ...needs) + 1
    wave.set(resource, at)
    // A variable lives where its initial value is made.
    const { initial } = resource
    const assignment = colocateWith(initial, () => new Variable(resource).assign(initial).node)
    ;(waves[at] ??= []).push(assignment)
    return at
  }
  variables.forEach(visit)
  return waves
}
