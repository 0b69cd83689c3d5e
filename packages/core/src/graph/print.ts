// A graph as text, one line per node: what is in it, in an order that does not change.
import type { AttrValue } from '../attr.ts'
import { NDArray } from '../ndarray.ts'
import { isResource } from '../resource.ts'
import { formatType } from '../shape.ts'
import type { Graph, Node, Subgraph, Tensor } from './graph.ts'
import { isSubgraph, toposort } from './graph.ts'
import { uniqueNames } from './names.ts'

// Longer arrays are only named by their type.
const shownElements = 8

/**
 * A graph as text, for people, traces and tests: `%y = MatMul(%x, %w) {transposeB: true} : float32[32, 10]  @cpu ^init`,
 * then `return` with the fetches and `run` with the targets. Bodies of control flow stand indented under their node.
 */
export const printGraph = (graph: Graph): string => linesOf(graph, []).join('\n')

function linesOf(graph: Graph, params: readonly Tensor[]): string[] {
  const order = toposort({ fetches: [...params, ...graph.fetches], targets: graph.targets })
  const names = uniqueNames(order)
  const refer = (t: Tensor): string => `%${names.get(t.node)}${t.index === 0 ? '' : `:${t.index}`}`
  const lines = order.flatMap((node) => lineOf(node, names, refer))
  if (graph.fetches.length > 0) lines.push(`return ${graph.fetches.map(refer).join(', ')}`)
  if (graph.targets.length > 0)
    lines.push(`run ${graph.targets.map((node) => `%${names.get(node)}`).join(', ')}`)
  return lines
}

function lineOf(node: Node, names: ReadonlyMap<Node, string>, refer: (t: Tensor) => string): string[] {
  const plain = Object.entries(node.attrs).filter(
    ([, value]) => value !== undefined && bodies(value).length === 0,
  )
  const attrs =
    plain.length === 0 ? '' : ` {${plain.map(([key, value]) => `${key}: ${show(value)}`).join(', ')}}`
  const types =
    node.outputs.length === 0 ? '' : ` : ${node.outputs.map((t) => formatType(t.type)).join(', ')}`
  const device = node.device === '' ? '' : `  @${node.device}`
  const control = node.control.map((n) => ` ^${names.get(n)}`).join('')
  return [
    `%${names.get(node)} = ${node.op.name}(${node.inputs.map(refer).join(', ')})${attrs}${types}${device}${control}`,
    ...Object.entries(node.attrs).flatMap(([key, value]) =>
      bodies(value).flatMap((body, i, all) => [
        `  ${key}${all.length > 1 ? ` ${i}` : ''}:`,
        ...linesOf(body, body.params).map((line) => `    ${line}`),
      ]),
    ),
  ]
}

const bodies = (value: AttrValue): readonly Subgraph[] =>
  isSubgraph(value)
    ? [value]
    : Array.isArray(value) && value.length > 0 && value.every(isSubgraph)
      ? (value as readonly Subgraph[])
      : []

function show(value: AttrValue): string {
  if (value instanceof NDArray) {
    const elements =
      value.size <= shownElements
        ? Array.from(value.reshape([value.size]).toArray() as readonly unknown[], text).join(', ')
        : '…'
    return `${formatType(value)}(${elements})`
  }
  if (isResource(value)) return `${value.kind} '${value.name}'`
  return Array.isArray(value) ? `[${(value as readonly unknown[]).map(text).join(', ')}]` : text(value)
}

const text = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value))
