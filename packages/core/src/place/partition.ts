// Cuts a placed graph into one graph per device; where an edge crosses, a Send on one side meets a Recv on the other.
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { orderEffects } from '../compile/effects.ts'
import { makeNode } from '../op.ts'
import { fill } from '../ops/array/fill.ts'
import { recv, send } from '../ops/graph/sendRecv.ts'

/** One device's part of a graph. */
export interface Partition {
  /** Index of the device. */
  readonly device: number
  readonly graph: Graph
  /** Placeholders in this part, and which feed each of them is. */
  readonly inputs: readonly Tensor[]
  readonly feeds: readonly number[]
  /** For each fetch of this part, which fetch of the whole it is. */
  readonly fetches: readonly number[]
}

/**
 * Cuts a graph along `placed`. A tensor crosses to a device once, however many readers it has there.
 * Reads and writes of variables keep the order that they have in the whole graph: to wait for another device says nothing about it.
 * @param names of the devices: what crosses is called `from;to;tensor`, so that who receives it knows where to ask.
 */
export function partition(
  graph: Graph,
  feeds: readonly Tensor[],
  placed: ReadonlyMap<Node, number>,
  names: readonly string[],
): Partition[] {
  const parts = new Map<number, Part>()
  const partOf = (device: number): Part => {
    let part = parts.get(device)
    if (!part) parts.set(device, (part = new Part(device)))
    return part
  }
  const effects = orderEffects(toposort({ fetches: [...feeds, ...graph.fetches], targets: graph.targets }))
  const feedIndex = new Map(feeds.map((t, i) => [t, i]))
  const home = (node: Node): Part => partOf(placed.get(node)!)
  const crossing = (from: Part, to: Part, what: string): string =>
    `${names[from.device]};${names[to.device]};${what}`
  /** The tensor as a part sees it, sent over if it is made elsewhere. */
  const at = (part: Part, t: Tensor): Tensor => {
    const known = part.tensors.get(t)
    if (known) return known
    if (floats(t.node)) return part.copy(t.node, feedIndex).outputs[t.index]!
    const from = home(t.node)
    const key = crossing(from, part, `${t.node.id}:${t.index}`)
    from.send(from.tensors.get(t)!, key, [])
    return part.receive(t, key)
  }
  const after = (part: Part, node: Node): Node => {
    const local = part.nodes.get(node)
    if (local) return local
    const from = home(node)
    const key = crossing(from, part, `${node.id} done`)
    from.send(fill({ shape: [], dtype: 'bool' }), key, [from.nodes.get(node)!])
    const token = part.receive(fill({ shape: [], dtype: 'bool' }), key).node
    part.nodes.set(node, token)
    return token
  }
  for (const node of effects.nodes) {
    if (floats(node)) continue
    const part = home(node)
    part.add(
      node,
      node.inputs.map((t) => at(part, t)),
      [...new Set([...waitsFor(node), ...(effects.before.get(node) ?? [])])].map((n) => after(part, n)),
    )
  }
  graph.fetches.forEach((t, i) => {
    const part = home(t.node)
    part.fetches.push(i)
    part.fetched.push(at(part, t))
    if (floats(t.node)) part.targets.push(...waitsFor(t.node).map((n) => after(part, n)))
  })
  for (const target of graph.targets)
    for (const node of floats(target) ? waitsFor(target) : [target])
      home(node).targets.push(after(home(node), node))
  return [...parts.values()].map((part) => part.finish())
}

/** Nodes without inputs and effects are made wherever they are read: constants, feeds. */
const floats = (node: Node): boolean =>
  node.op.body.kind === 'runtime' && ['constant', 'feed', 'blank'].includes(node.op.body.role)

/** What a node waits for. Copies of floating nodes wait for nothing: who reads them waits in their place. */
function waitsFor(node: Node): Node[] {
  const read = node.inputs.map((t) => t.node).filter(floats)
  const named = node.control.filter((n) => !floats(n))
  const inherited = [...read, ...node.control.filter(floats)].flatMap(waitsFor)
  return [...new Set([...named, ...inherited])]
}

class Part {
  readonly device: number
  readonly tensors = new Map<Tensor, Tensor>()
  readonly nodes = new Map<Node, Node>()
  readonly fetches: number[] = []
  readonly fetched: Tensor[] = []
  readonly targets: Node[] = []
  private readonly inputs: Tensor[] = []
  private readonly feeds: number[] = []
  // What is received is awaited after all that is sent before it in the order of the whole graph: no part ever waits for what itself has yet to send.
  private sent: Node[] = []
  constructor(device: number) {
    this.device = device
  }

  add(node: Node, inputs: readonly Tensor[], control: readonly Node[]): Node {
    const local = node.on(inputs, control)
    this.nodes.set(node, local)
    node.outputs.forEach((t, i) => this.tensors.set(t, local.outputs[i]!))
    return local
  }

  copy(node: Node, feedIndex: ReadonlyMap<Tensor, number>): Node {
    const known = this.nodes.get(node)
    if (known) return known
    const local = this.add(node, node.inputs, [])
    const feed = feedIndex.get(node.outputs[0]!)
    if (feed !== undefined) {
      this.inputs.push(local.outputs[0]!)
      this.feeds.push(feed)
    }
    return local
  }

  send(t: Tensor, key: string, control: readonly Node[]): void {
    const node = makeNode(send.def, [t], { key }, `send/${t.name}`).with({ control })
    this.sent.push(node)
    this.targets.push(node)
  }

  receive(t: Tensor, key: string): Tensor {
    const node = makeNode(recv.def, [], { key, shape: t.shape, dtype: t.dtype }, `recv/${t.name}`)
    const later = node.with({ control: [...this.sent] })
    if (this.sent.length > 0) this.sent = [later]
    const received = later.outputs[0]!
    this.tensors.set(t, received)
    return received
  }

  finish(): Partition {
    return {
      device: this.device,
      graph: { fetches: this.fetched, targets: [...new Set(this.targets)] },
      inputs: this.inputs,
      feeds: this.feeds,
      fetches: this.fetches,
    }
  }
}
