// Do two graphs say the same? Their nodes are compared one by one, in the order that their structure gives them.
import type { AttrValue } from '../attr.ts'
import { NDArray } from '../ndarray.ts'
import type { AnyResource } from '../resource.ts'
import { isResource } from '../resource.ts'
import type { TensorType } from '../shape.ts'
import { formatType } from '../shape.ts'
import type { Graph, Node, Tensor } from './graph.ts'
import { isSubgraph, toposort } from './graph.ts'

/** The same ops on the same inputs with the same attributes; names and devices do not count. */
export function equalGraphs(a: Graph, b: Graph): boolean {
  const [left, right] = [toposort(a), toposort(b)]
  const position = new Map<Node, number>()
  left.forEach((node, i) => position.set(node, i))
  right.forEach((node, i) => position.set(node, i))
  const same = (x: Node, y: Node): boolean => position.get(x) === position.get(y)
  const sameOutput = (x: Tensor, y: Tensor): boolean => x.index === y.index && same(x.node, y.node)
  return (
    equalLists(left, right, (x, y) => x.op === y.op && equalAttrs(x, y)) &&
    left.every((x, i) => equalLists(x.inputs, right[i]!.inputs, sameOutput)) &&
    left.every((x, i) => equalLists(x.control, right[i]!.control, same)) &&
    equalLists(a.fetches, b.fetches, sameOutput) &&
    equalLists(a.targets, b.targets, same)
  )
}

/**
 * Do two resources mean the same state? One object does; so do two declarations of one kind and name, with equal types, capacity, count, seed
 * and initial value. A declaration without an initial value says nothing about it.
 */
export function equalResources(a: AnyResource, b: AnyResource): boolean {
  if (a === b) return true
  if (a.name !== b.name) return false
  if (a.kind === 'variable' && b.kind === 'variable')
    return (
      equalTypes([a.type], [b.type]) &&
      (!a.initial || !b.initial || equalGraphs(rootedAt(a.initial), rootedAt(b.initial)))
    )
  if (a.kind === 'queue' && b.kind === 'queue')
    return (
      equalTypes(a.types, b.types) &&
      a.capacity === b.capacity &&
      a.shuffle?.seed === b.shuffle?.seed &&
      a.shuffle?.minAfterDequeue === b.shuffle?.minAfterDequeue
    )
  if (a.kind === 'accumulator' && b.kind === 'accumulator')
    return (
      equalTypes(a.types, b.types) &&
      equalLists(a.types, b.types, (x, y) => x.rows === y.rows) &&
      a.count === b.count &&
      a.held === b.held
    )
  if (a.kind === 'progress' && b.kind === 'progress') return a.members === b.members
  if (a.kind === 'random' && b.kind === 'random') return a.seed === b.seed
  return a.kind === b.kind
}

const rootedAt = (t: Tensor): Graph => ({ fetches: [t], targets: [] })

const equalTypes = (a: readonly TensorType[], b: readonly TensorType[]): boolean =>
  equalLists(a, b, (x, y) => formatType(x) === formatType(y))

const equalLists = <T>(a: readonly T[], b: readonly T[], equal: (x: T, y: T) => boolean): boolean =>
  a.length === b.length && a.every((x, i) => equal(x, b[i]!))

function equalAttrs(a: Node, b: Node): boolean {
  const keys = Object.keys(a.attrs)
  return (
    keys.length === Object.keys(b.attrs).length &&
    keys.every((key) => equalValues(a.attrs[key], b.attrs[key]))
  )
}

function equalValues(a: AttrValue, b: AttrValue): boolean {
  if (Object.is(a, b)) return true
  if (a instanceof NDArray && b instanceof NDArray)
    return equalTypes([a], [b]) && a.data.every((x, i) => Object.is(x, b.data[i]))
  if (Array.isArray(a) && Array.isArray(b)) return equalLists<AttrValue>(a, b, equalValues)
  if (isSubgraph(a) && isSubgraph(b)) return equalGraphs(a, b)
  return isResource(a) && isResource(b) && equalResources(a, b)
}
