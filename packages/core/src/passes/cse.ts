// Merges nodes that compute the same thing from the same inputs, and constants of one value.
import type { AttrValue } from '../attr.ts'
import { effectsOf, isPure } from '../graph/effects.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { rewrite } from '../graph/graph.ts'
import { NDArray } from '../ndarray.ts'
import type { Note, Pass } from './pass.ts'

/**
 * Merges pure nodes of equal op, attributes, inputs, control inputs and device; the order of inputs does not matter to commutative ops.
 * Reads of one variable that wait for the same nodes see the same value and are merged too; nothing else with an effect is.
 */
export const cse: Pass = {
  name: 'cse',
  run(graph: Graph, note?: Note): Graph {
    const keys = new Keys()
    const seen = new Map<string, Node[]>()
    return rewrite(graph, (node) => {
      if (!isMergeable(node)) return undefined
      const key = keys.of(node)
      const candidates = seen.get(key)
      if (!candidates) {
        seen.set(key, [node])
        return undefined
      }
      const twin = candidates.find((other) => equalArrays(node, other))
      if (!twin) candidates.push(node)
      else if (twin !== node) {
        note?.(node, `'${twin.name}' is the same`)
        return twin
      }
      return undefined
    })
  },
}

function isMergeable(node: Node): boolean {
  const { body, traits } = node.op
  // Two placeholders or parameters are never the same, however alike they look.
  if (body.kind === 'runtime' && (body.role === 'feed' || body.role === 'parameter')) return false
  if (isPure(node)) return node.outputs.length > 0
  return (
    traits.effect === 'read' &&
    !node.op.subgraphs &&
    [...effectsOf(node).reads].every((r) => r.kind === 'variable')
  )
}

/** Texts that equal nodes share. Arrays only contribute a hash: whoever finds two equal texts compares them. */
class Keys {
  private readonly numbers = new Map<object, number>()

  of(node: Node): string {
    const inputs = node.inputs.map((t) => `${t.node.id}.${t.index}`)
    if (node.op.traits.commutative) inputs.sort()
    const control = node.control.map((n) => n.id).sort((a, b) => a - b)
    const attrs = Object.keys(node.attrs)
      .sort()
      .map((key) => `${key}=${this.text(node.attrs[key])}`)
    return [this.number(node.op), node.device, inputs.join(' '), control.join(' '), attrs.join(';')].join('|')
  }

  private text(value: AttrValue): string {
    if (value instanceof NDArray) return `${value.dtype}[${value.shape.join()}]#${hashOf(value)}`
    if (Array.isArray(value)) return `[${(value as readonly AttrValue[]).map((x) => this.text(x)).join()}]`
    if (typeof value === 'object') return `@${this.number(value)}`
    if (typeof value === 'string') return JSON.stringify(value)
    return Object.is(value, -0) ? '-0' : String(value)
  }
  private number(thing: object): number {
    let known = this.numbers.get(thing)
    if (known === undefined) this.numbers.set(thing, (known = this.numbers.size))
    return known
  }
}

const hashes = new WeakMap<NDArray, number>()

/** FNV-1a over the bytes: http://www.isthe.com/chongo/tech/comp/fnv/ */
function hashOf(array: NDArray): number {
  let hash = hashes.get(array)
  if (hash === undefined) {
    hash = 0x811c9dc5
    const bytes =
      array.dtype === 'string' ? (array.data as readonly string[]).map((s) => s.length) : array.bytes
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
    hashes.set(array, hash)
  }
  return hash
}

/** Are the arrays in the attributes equal bit by bit? -0 is not 0 here. */
function equalArrays(a: Node, b: Node): boolean {
  return Object.keys(a.attrs).every((key) => {
    const [x, y] = [a.attrs[key], b.attrs[key]]
    if (!(x instanceof NDArray) || !(y instanceof NDArray) || x === y) return true
    if (x.dtype === 'string' || y.dtype === 'string') return x.data.every((s, i) => s === y.data[i])
    const [left, right] = [x.bytes, y.bytes]
    return left.every((byte, i) => byte === right[i])
  })
}
