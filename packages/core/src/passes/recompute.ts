// Trades time for memory: what is cheap to compute is computed again where it is needed late, instead of being kept until then.
// (Chen, Xu, Zhang, Guestrin, Training Deep Nets with Sublinear Memory Cost, 2016: https://arxiv.org/abs/1604.06174)
import { isPure } from '../graph/effects.ts'
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { rewrite, toposort } from '../graph/graph.ts'
import { predecessors } from './cone.ts'
import type { Note, Pass } from './pass.ts'
import { heldBytes, peakBytes, schedule } from './schedule.ts'

/** The largest tensors tried at each peak. */
const maxTrials = 16
/** The nodes that are repeated for one tensor at most. */
const maxNodes = 64

/** What memory a graph takes, and when. */
export interface Footprint {
  /** The bytes to be kept below the limit. */
  readonly bytes: number
  /** Nodes in the steps in which they run; views that are only another name for their input are in none. */
  readonly steps: readonly (readonly Node[])[]
  /** The bytes that a tensor takes from the step that makes it to its last reader. */
  held(t: Tensor): number
}

/** How far, and by what measure. */
export interface RecomputeOptions {
  readonly maxBytes: number
  /** Default: every node is a step and stores what it makes, as `peakBytes` counts. What a device will really hold is `maxActivationBytes` of a session. */
  readonly footprint?: (graph: Graph) => Footprint
}

/**
 * A pass that keeps the bytes alive at once below a limit, as far as computing values again can: expressions per element, views and reductions first,
 * matrix products and other kernels only while there is still too much. Values stay the same to the bit; what draws or reads anew is never
 * repeated. Graphs below the limit are left alone. It must be the last pass, since others would merge what it has doubled.
 */
export const recompute = ({ maxBytes, footprint = scheduled }: RecomputeOptions): Pass => ({
  name: 'recompute',
  run(graph, note) {
    let current = { graph, found: footprint(graph) }
    for (const mayRepeat of [isCheap, isRepeatable])
      while (current.found.bytes > maxBytes) {
        const next = lowered(current, mayRepeat, footprint, note)
        if (!next) break
        current = next
      }
    return current.graph
  },
})

function scheduled(graph: Graph): Footprint {
  const order = schedule(graph)
  return { bytes: peakBytes(order, graph.fetches), steps: order.map((node) => [node]), held: heldBytes }
}

/** Computing it again gives the same. */
const isRepeatable = (node: Node): boolean =>
  isPure(node) && !node.op.subgraphs && node.outputs.length === 1 && node.op.body.kind !== 'runtime'

const isCheap = (node: Node): boolean =>
  isRepeatable(node) && ['scalar', 'view', 'reduce'].includes(node.op.body.kind)

interface Measured {
  readonly graph: Graph
  readonly found: Footprint
}

/** A graph that takes fewer bytes; undefined where nothing helps. */
function lowered(
  { graph, found }: Measured,
  mayRepeat: (node: Node) => boolean,
  footprint: (graph: Graph) => Footprint,
  note: Note | undefined,
): Measured | undefined {
  const peak = new Peak(graph, found)
  const single = peak
    .kept()
    .filter((t) => mayRepeat(t.node))
    .slice(0, maxTrials)
    .flatMap((t) => repetitionOf(t, peak, mayRepeat) ?? [])
  // Where no single one helps, each may make room for the others.
  for (const repetition of single.length > 1 ? [...single, joined(single)] : single) {
    const next = withRepetition(graph, repetition)
    const measured = footprint(next)
    if (measured.bytes >= found.bytes) continue
    for (const node of repetition.nodes) note?.(node, 'it is computed again where it is needed late')
    return { graph: next, found: measured }
  }
  return undefined
}

/** The step during which the most bytes are alive, and who runs before and after it. */
class Peak {
  private readonly step: number
  private readonly graph: Graph
  private readonly held: (t: Tensor) => number
  private readonly readers = new Map<Tensor, Node[]>()
  /** The first and the last step that a node is in. A view without a step is where its readers are. */
  private readonly firstStep = new Map<Node, number>()
  private readonly lastStep = new Map<Node, number>()

  constructor(graph: Graph, { steps, held }: Footprint) {
    this.graph = graph
    this.held = held
    steps.forEach((nodes, i) => {
      for (const node of nodes) {
        if (!this.firstStep.has(node)) this.firstStep.set(node, i)
        this.lastStep.set(node, i)
      }
    })
    for (const node of toposort(graph).toReversed()) {
      if (!this.lastStep.has(node))
        this.lastStep.set(node, Math.max(-1, ...node.outputs.map((t) => this.lastRead(t))))
      for (const t of new Set(node.inputs)) {
        const readers = this.readers.get(t)
        if (readers) readers.push(node)
        else this.readers.set(t, [node])
      }
    }
    this.step = this.fullest(steps.length)
  }

  private fullest(steps: number): number {
    const change = new Float64Array(steps + 1)
    const fetched = new Set(this.graph.fetches)
    for (const [node, step] of this.firstStep)
      for (const t of node.outputs) {
        change[step]! += this.held(t)
        change[fetched.has(t) ? steps : Math.max(step, this.lastRead(t)) + 1]! -= this.held(t)
      }
    let [alive, most, fullest] = [0, 0, 0]
    change.forEach((bytes, step) => {
      alive += bytes
      if (alive > most) [most, fullest] = [alive, step]
    })
    return fullest
  }

  private lastRead(t: Tensor): number {
    return Math.max(-1, ...(this.readers.get(t) ?? []).map((reader) => this.lastStep.get(reader)!))
  }
  /** What was made before the fullest step and is needed after it, the largest first. */
  kept(): Tensor[] {
    const fetched = new Set(this.graph.fetches)
    return [...this.firstStep]
      .filter(([, step]) => step < this.step)
      .flatMap(([node]) => node.outputs)
      .filter((t) => this.held(t) > 0 && !fetched.has(t) && this.lastRead(t) > this.step)
      .sort((a, b) => this.held(b) - this.held(a))
  }
  /** Who reads a tensor after the fullest step. */
  lateReaders(t: Tensor): Node[] {
    return (this.readers.get(t) ?? []).filter((reader) => this.lastOf(reader) > this.step)
  }
  /** Of what a node waits for, what runs last, if that is not before the fullest step. */
  lateBefore(node: Node, aside: ReadonlySet<Node>): Node | undefined {
    const last = predecessors(node)
      .filter((n) => !aside.has(n))
      .sort((a, b) => this.firstOf(b) - this.firstOf(a))[0]
    return last && this.firstOf(last) >= this.step ? last : undefined
  }
  /** The last step that a node is in. */
  lastOf(node: Node): number {
    return this.lastStep.get(node)!
  }
  private firstOf(node: Node): number {
    return this.firstStep.get(node) ?? -1
  }
  /** Is a tensor there at a step whatever happens, or made without being stored? */
  isAliveAt(t: Tensor, step: number): boolean {
    return this.held(t) === 0 ? !isRepeatable(t.node) : this.lastRead(t) >= step
  }
}

/** Nodes that are computed again, and who reads them then. */
interface Repetition {
  readonly nodes: ReadonlySet<Node>
  /** For each reader what it waits for besides: repeated nodes wait for that too, or they would run too early. */
  readonly readers: ReadonlyMap<Node, Node>
}

/** How to compute a tensor again for those who read it after the peak; undefined where nothing would hold the second computation back. */
function repetitionOf(t: Tensor, peak: Peak, mayRepeat: (node: Node) => boolean): Repetition | undefined {
  const nodes = new Set([t.node])
  const readers = new Map<Node, Node>()
  for (const node of nodes)
    for (const reader of node.outputs.flatMap((output) => peak.lateReaders(output))) {
      const late = peak.lateBefore(reader, nodes)
      if (late) readers.set(reader, late)
      else if (mayRepeat(reader)) nodes.add(reader)
      else return undefined
    }
  const first = Math.min(...[...readers.keys()].map((reader) => peak.lastOf(reader)))
  for (const node of nodes)
    for (const input of node.inputs)
      if (!peak.isAliveAt(input, first) && mayRepeat(input.node)) {
        nodes.add(input.node)
        if (nodes.size > maxNodes) return undefined
      }
  return readers.size > 0 ? { nodes, readers } : undefined
}

const joined = (all: readonly Repetition[]): Repetition => ({
  nodes: new Set(all.flatMap(({ nodes }) => [...nodes])),
  readers: new Map(all.flatMap(({ readers }) => [...readers])),
})

/** The graph with second copies of nodes for some of their readers. */
function withRepetition(graph: Graph, { nodes, readers }: Repetition): Graph {
  const now = new Map<Node, Node>()
  const copies = new Map<Node, Node>()
  const copyOf = (original: Node, late: Node): Node => {
    let copy = copies.get(original)
    if (!copy) {
      const node = now.get(original)!
      copy = node.with({
        inputs: original.inputs.map((t, i) =>
          nodes.has(t.node) ? copyOf(t.node, late).outputs[t.index]! : node.inputs[i]!,
        ),
        control: [...new Set([...node.control, late])],
        name: `${node.name}/again`,
      })
      copies.set(original, copy)
    }
    return copy
  }
  return rewrite(graph, (node, original) => {
    const late = readers.get(original)
    // A reader that is repeated itself reads the second copies there.
    const result = late
      ? node.with({
          inputs: original.inputs.map((t, i) =>
            nodes.has(t.node) ? copyOf(t.node, now.get(late)!).outputs[t.index]! : node.inputs[i]!,
          ),
        })
      : node
    now.set(original, result)
    return result === node ? undefined : result
  })
}
