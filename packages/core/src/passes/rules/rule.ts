// Rewrite rules on single nodes, and the pass that a table of them makes. A rule says what a node's value is in cheaper terms.
import { InternalError } from '../../errors.ts'
import type { Graph, Node, Tensor } from '../../graph/graph.ts'
import { nodesCreated, rewrite } from '../../graph/graph.ts'
import { detachedAs } from '../../graph/scope.ts'
import type { AnyOp, OpDef } from '../../op.ts'
import { identity } from '../../ops/graph/identity.ts'
import { formatType } from '../../shape.ts'
import { isPure } from '../../graph/effects.ts'
import { effectsOfTensor } from '../cone.ts'
import type { Note, Pass } from '../pass.ts'
import { Uses } from '../uses.ts'

/** One rule of a table. */
export interface Rule {
  /** The ops of the nodes that it is tried on; left out: any. */
  readonly ops?: readonly AnyOp[]
  /** What it says, for reports: `x + 0 is x`. */
  readonly why: string
  /** A tensor of the same type and value, or undefined. It may build nodes: they stand in the place of the node. */
  apply(site: Site): Tensor | undefined
}

/** Where a rule is tried: a node of one output, and what the rule must know of its surroundings. */
export class Site {
  readonly node: Node
  private readonly uses: Uses
  private readonly waits: Node[] = []
  constructor(node: Node, uses: Uses) {
    this.node = node
    this.uses = uses
  }
  /** The inputs of the node. */
  get inputs(): readonly Tensor[] {
    return this.node.inputs
  }
  /** Its output. */
  get output(): Tensor {
    return this.node.outputs[0]!
  }
  /** The node that makes `t`, if it is one of these ops: what it waits for will be waited for by the replacement. */
  look(t: Tensor, ...ops: readonly AnyOp[]): Node | undefined {
    const { node } = t
    return ops.some((op) => op.def === node.op) ? this.through(t) : undefined
  }
  /** The node that makes `t`, whatever its op, if the rule may see through it: pure, of one output, wanted on no other device. */
  through({ node }: Tensor): Node | undefined {
    if (
      node.outputs.length !== 1 ||
      (node.device !== '' && node.device !== this.node.device) ||
      !isPure(node)
    )
      return undefined
    this.waits.push(...node.control)
    return node
  }
  /** Does nothing but this node read `t`? */
  once(t: Tensor): boolean {
    return this.uses.once(t)
  }
  /** The value of `t` is no longer needed, but its effects are. */
  drop(t: Tensor): void {
    this.waits.push(...effectsOfTensor(t))
  }
  /** What the replacement has to wait for besides its inputs. */
  get control(): readonly Node[] {
    return [...new Set([...this.node.control, ...this.waits])]
  }
}

// Each step makes the node cheaper, so few are ever needed; this only bounds the work of rules that undo each other.
const maxStepsPerNode = 16

/** A pass that applies a table of rules, inputs before readers, until none applies any more. */
export const rulePass = (name: string, rules: readonly Rule[]): Pass => {
  const table = new RuleTable(rules)
  return {
    name,
    run(graph, note) {
      let current = graph
      for (let round = 0; round < maxStepsPerNode; round++) {
        const next = applyOnce(current, table, note)
        if (next === current) break
        current = next
      }
      return current
    },
  }
}

class RuleTable {
  private readonly byOp = new Map<OpDef, Rule[]>()
  private readonly general: readonly Rule[]
  constructor(rules: readonly Rule[]) {
    this.general = rules.filter((rule) => !rule.ops)
    for (const rule of rules)
      for (const { def } of rule.ops ?? []) this.byOp.set(def, [...(this.byOp.get(def) ?? []), rule])
    this.byOp.forEach((own, def) => this.byOp.set(def, [...own, ...this.general]))
  }
  rulesFor(node: Node): readonly Rule[] {
    return this.byOp.get(node.op) ?? this.general
  }
}

function applyOnce(graph: Graph, table: RuleTable, note: Note | undefined): Graph {
  const uses = new Uses(graph)
  return rewrite(graph, (node, original) => {
    const result = node.outputs.length === 1 && isPure(node) ? improve(node, table, uses, note) : undefined
    original.outputs.forEach((t, i) => uses.move(t, result && i === 0 ? result : node.outputs[i]!))
    return result && [result]
  })
}

function improve(start: Node, table: RuleTable, uses: Uses, note: Note | undefined): Tensor | undefined {
  let current: Tensor | undefined
  for (let step = 0; step < maxStepsPerNode; step++) {
    const node = current ? current.node : start
    if (current && (node.outputs.length !== 1 || !isPure(node))) break
    const next = applyFirst(node, table, uses, note)
    if (!next) break
    current = next
  }
  return current
}

function applyFirst(node: Node, table: RuleTable, uses: Uses, note: Note | undefined): Tensor | undefined {
  const rules = table.rulesFor(node)
  if (rules.length === 0) return undefined
  return detachedAs(node, () => {
    for (const rule of rules) {
      const found = applyRule(rule, node, uses, note)
      if (found) return found
    }
    return undefined
  })
}

function applyRule(rule: Rule, node: Node, uses: Uses, note: Note | undefined): Tensor | undefined {
  const site = new Site(node, uses)
  const first = nodesCreated()
  const found = rule.apply(site)
  if (!found) return undefined
  if (found.dtype !== node.outputs[0]!.dtype || found.rank !== node.outputs[0]!.rank)
    throw new InternalError(
      `rule '${rule.why}' makes ${formatType(found.type)} of ${formatType(node.outputs[0]!.type)}`,
      { node },
    )
  note?.(node, rule.why)
  return waiting(found, site, first)
}

/** The replacement, after all that the nodes it replaces waited for. */
function waiting(t: Tensor, site: Site, first: number): Tensor {
  const { control } = site
  if (control.length === 0) return t
  const fresh = t.node.id >= first
  const carrier = fresh ? t.node : identity(t).node
  return carrier.with({ control: [...new Set([...carrier.control, ...control])] }).outputs[
    fresh ? t.index : 0
  ]!
}
