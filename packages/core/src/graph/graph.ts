// The graph: immutable nodes, the tensors between them, and the one traversal and the one rewrite that all passes use.
import type { DType } from '../dtype.ts'
import { GraphError, label, speakingOf } from '../errors.ts'
import type { AttrValues } from '../attr.ts'
import type { OpDef } from '../op.ts'
import type { Shape, TensorType } from '../shape.ts'
import { formatType } from '../shape.ts'
import { surroundings, wantedDevice } from './scope.ts'

let created = 0
/** How many nodes were ever made: nodes made while a control-flow body is traced are told from captured ones by their number. */
export const nodesCreated = (): number => created

/** What a node may be told besides its op, inputs and attributes; what is left out comes from the surrounding scopes. */
export interface NodeOptions {
  readonly name?: string | undefined
  /** Order only: this node runs after those. */
  readonly control?: readonly Node[]
  /** Wanted device, possibly partial. */
  readonly device?: string
}

/** What a node is called that was given no name: its op, under the scope that surrounds it. */
export const defaultName = (op: OpDef): string =>
  `${surroundings().prefix}${op.name.charAt(0).toLowerCase()}${op.name.slice(1)}`

/** One application of an op. Immutable: a pass builds new nodes, it never edits one. */
export class Node {
  /** Unique in the process, growing: a node's inputs always have smaller numbers. */
  readonly id: number
  readonly op: OpDef
  readonly inputs: readonly Tensor[]
  readonly attrs: AttrValues
  readonly outputs: readonly Tensor[]
  /** Scoped, but not necessarily unique: serialisation and printing number equal names. */
  readonly name: string
  /** Order only: this node runs after those. */
  readonly control: readonly Node[]
  /** Wanted device, possibly partial (`/job:ps`, `webgpu`); '' lets the placer choose. */
  readonly device: string

  /** @throws ShapeError, DTypeError or AttrError, naming this node, when the op does not take these inputs. */
  constructor(op: OpDef, inputs: readonly Tensor[], attrs: AttrValues, options: NodeOptions = {}) {
    const around = surroundings()
    this.id = created++
    this.op = op
    this.inputs = inputs
    this.attrs = attrs
    this.name = options.name ?? defaultName(op)
    this.control = options.control ?? around.control
    this.outputs = inferOutputs(this).map((type, index) => new Tensor(this, index, type))
    this.device = options.device ?? wantedDevice(this)
  }

  /** Does the node read exactly these inputs, and wait for exactly these nodes? */
  isOn(inputs: readonly Tensor[], control: readonly Node[]): boolean {
    return sameItems(inputs, this.inputs) && sameItems(control, this.control)
  }
  /** The node on these inputs and after these nodes: itself if it is on them already. */
  on(inputs: readonly Tensor[], control: readonly Node[]): Node {
    return this.isOn(inputs, control) ? this : this.with({ inputs, control })
  }

  /** The same op and attributes on other inputs; types are inferred anew. */
  with(change: {
    inputs?: readonly Tensor[]
    attrs?: AttrValues
    control?: readonly Node[]
    device?: string
    name?: string
  }): Node {
    return new Node(this.op, change.inputs ?? this.inputs, change.attrs ?? this.attrs, {
      name: change.name ?? this.name,
      control: change.control ?? this.control,
      device: change.device ?? this.device,
    })
  }
}

const sameItems = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i])

/** A value a graph will produce: output `index` of `node`. Plain data, owns no device memory, never disposed. */
export class Tensor {
  readonly node: Node
  readonly index: number
  readonly type: TensorType
  constructor(node: Node, index: number, type: TensorType) {
    this.node = node
    this.index = index
    this.type = type
  }
  /** The element type. */
  get dtype(): DType {
    return this.type.dtype
  }
  /** The sizes, as far as they are known. */
  get shape(): Shape {
    return this.type.shape
  }
  /** The number of axes. */
  get rank(): number {
    return this.type.shape.length
  }
  /** `Tensor dense/matMul: float32[batch, 10]` */
  toString(): string {
    return `Tensor ${this.name}: ${formatType(this.type)}`
  }
  /** What Node's console shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
  /** The name of the node, and `:index` for outputs after the first. */
  get name(): string {
    return this.index === 0 ? this.node.name : `${this.node.name}:${this.index}`
  }
}

function inferOutputs(node: Omit<Node, 'outputs' | 'device'>): readonly TensorType[] {
  try {
    return node.op.infer(
      node.inputs.map((t) => t.type),
      node.attrs,
    )
  } catch (error) {
    // Inference rules speak of shapes; here is where op and node are known.
    throw speakingOf(node, error)
  }
}

/** What to compute: values, and effects; everything reachable from them is the graph. */
export interface Graph {
  readonly fetches: readonly Tensor[]
  /** Nodes that must run though nothing of them is fetched. */
  readonly targets: readonly Node[]
}

/**
 * Nodes in dependency order, each once. Inputs and control inputs come before their readers; ties keep the order of fetches.
 * @param within left out: all; otherwise nodes that it refuses are left out with all that only they need.
 */
export function toposort(graph: Graph, within?: (node: Node) => boolean): readonly Node[] {
  if (within) return sorted(graph, within)
  let order = orders.get(graph)
  if (!order) orders.set(graph, (order = sorted(graph, () => true)))
  return order
}

/** Graphs never change: what was sorted once is sorted. */
const orders = new WeakMap<Graph, readonly Node[]>()

function sorted(graph: Graph, within: (node: Node) => boolean): Node[] {
  const order: Node[] = []
  const state = new Map<Node, 'open' | 'done'>()
  const stack: Node[] = []
  for (const root of [...graph.fetches.map((t) => t.node), ...graph.targets]) {
    if (within(root)) stack.push(root)
    while (stack.length > 0) {
      const node = stack[stack.length - 1]!
      const seen = state.get(node)
      if (seen === 'done') {
        stack.pop()
      } else if (seen === 'open') {
        state.set(node, 'done')
        order.push(node)
        stack.pop()
      } else {
        state.set(node, 'open')
        // Pushed in reverse so that the first input is visited first.
        for (let i = node.control.length - 1; i >= 0; i--) push(node.control[i]!, node)
        for (let i = node.inputs.length - 1; i >= 0; i--) push(node.inputs[i]!.node, node)
      }
    }
  }
  return order

  function push(before: Node, after: Node): void {
    const seen = state.get(before)
    // Only the ancestors of the node at the top of the stack are open.
    if (seen === 'open')
      throw new GraphError(`it depends on itself through ${label(before)}`, { node: after })
    if (seen === undefined && within(before)) stack.push(before)
  }
}

/**
 * A rule of a rewrite: another node in the place of one, or other tensors for its outputs, or undefined to keep it.
 * The node already has its rewritten inputs. A node without outputs can only be replaced by a node.
 */
export type RewriteRule = (node: Node, original: Node) => Node | readonly Tensor[] | undefined

/**
 * Rebuilds a graph bottom-up. Answers the same graph object when nothing changed.
 * Control edges on a replaced node move to the nodes that replace it.
 */
export function rewrite(graph: Graph, rule: RewriteRule): Graph {
  const tensors = new Map<Tensor, Tensor>()
  const nodes = new Map<Node, readonly Node[]>()
  let changed = false
  const at = (t: Tensor): Tensor => tensors.get(t) ?? t
  const nodesOf = (n: Node): readonly Node[] => nodes.get(n) ?? [n]
  const controlOf = ({ control }: Node): readonly Node[] =>
    control.length === 0 ? control : [...new Set(control.flatMap(nodesOf))]
  for (const old of toposort(graph)) {
    // Nothing above it was replaced yet.
    const node = changed ? old.on(old.inputs.map(at), controlOf(old)) : old
    const answer = rule(node, old) ?? node
    if (answer === old || answer === old.outputs) continue
    changed = true
    const outputs = answer instanceof Node ? answer.outputs : answer
    old.outputs.forEach((t, i) => tensors.set(t, outputs[i]!))
    nodes.set(old, answer instanceof Node ? [answer] : replacements(node, outputs))
  }
  if (!changed) return graph
  return { fetches: graph.fetches.map(at), targets: [...new Set(graph.targets.flatMap(nodesOf))] }
}

/** Who takes the place of a node for those that only wait for it: its replacement, and what the node itself waited for. */
const replacements = (node: Node, outputs: readonly Tensor[]): readonly Node[] => [
  ...new Set([...outputs.map((t) => t.node), ...node.control]),
]

/** A graph with parameters: the body of a function, a branch or a loop. Its parameters are nodes of op `Parameter`. */
export interface Subgraph extends Graph {
  readonly params: readonly Tensor[]
}

/** Is this attribute value the body of a control-flow node? */
export const isSubgraph = (value: unknown): value is Subgraph =>
  typeof value === 'object' && value !== null && 'params' in value && 'fetches' in value
