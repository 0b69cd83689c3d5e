// Units and what must come before what: they are merged here as long as nothing has to come between.
import type { Node, Tensor } from '../graph/graph.ts'
import { Contraction } from './contraction.ts'
import type { EffectOrder } from './effects.ts'
import type { Unit } from './units.ts'
import { sources, Versions } from './versions.ts'

/** The units that must come before a unit: what makes its inputs, what it waits for, and the effects before its own. */
export function dependencies(units: readonly Unit[], effects: EffectOrder): (unit: Unit) => Unit[] {
  const unitOf = new Map<Node, Unit>()
  for (const unit of units) for (const node of unit.nodes) unitOf.set(node, unit)
  for (const unit of units)
    for (const node of [unit.node, ...unit.outputs.map((t) => t.node)]) unitOf.set(node, unit)
  // Who goes on beside kernels waits there for others that do: it is enough that they have begun.
  const starts = new Map(units.flatMap((unit) => (unit.kind === 'start' ? [[unit.node, unit] as const] : [])))
  for (const unit of units) if (unit.kind === 'finish') unitOf.set(unit.node, unit)
  return (unit) => {
    if (unit.kind === 'finish') return [starts.get(unit.node)!]
    return [
      ...unit.inputs.map((t) => t.node),
      ...unit.nodes.flatMap((node) => [...node.control, ...(effects.before.get(node) ?? [])]),
    ].flatMap((node) => (unit.kind === 'start' ? starts.get(node) : undefined) ?? unitOf.get(node) ?? [])
  }
}

/**
 * The last unit of those a unit waits for, directly or not, that takes up what goes on beside kernels; none for units that wait for nothing.
 * @param units in an order that the edges [first, then] allow.
 */
export function awaitedBy(
  units: readonly Unit[],
  edges: Iterable<readonly [Unit, Unit]>,
): ReadonlyMap<Unit, Unit> {
  const awaited = new Map<Unit, Unit>()
  if (!units.some(({ kind }) => kind === 'finish')) return awaited
  const position = new Map(units.map((unit, i) => [unit, i]))
  const before = new Map<Unit, Unit[]>(units.map((unit) => [unit, []]))
  for (const [first, then] of edges) before.get(then)!.push(first)
  for (const unit of units)
    for (const earlier of before.get(unit)!) {
      const last = earlier.kind === 'finish' ? earlier : awaited.get(earlier)
      const known = awaited.get(unit)
      if (last && (!known || position.get(known)! < position.get(last)!)) awaited.set(unit, last)
    }
  return awaited
}

/** Units that can be merged. */
export class UnitGraph {
  private readonly graph: Contraction<Unit>
  /** What the unit that stands for a merged one has become. */
  private readonly current = new Map<Unit, Unit>()
  private readonly producers = new Map<Tensor, Unit>()
  private readonly readers = new Map<Tensor, Unit[]>()
  private readonly awaited: ReadonlyMap<Unit, Unit>
  /** Tensors that must be stored whatever happens. */
  readonly kept: ReadonlySet<Tensor>

  /** @param units in an order that their effects allow. */
  constructor(units: readonly Unit[], effects: EffectOrder, kept: ReadonlySet<Tensor>) {
    this.kept = kept
    const before = dependencies(units, effects)
    const versions = new Versions(units, sources(units))
    const edges: [Unit, Unit][] = []
    for (const unit of units) {
      for (const earlier of before(unit)) edges.push([earlier, unit])
      for (const t of unit.inputs) {
        // Who reads the old value of a variable comes before it is written.
        const version = versions.of(t)
        const writer = version && versions.writerAfter(version)
        if (writer) edges.push([unit, writer])
        const readers = this.readers.get(t)
        if (readers) readers.push(unit)
        else this.readers.set(t, [unit])
      }
      for (const t of unit.outputs) this.producers.set(t, unit)
    }
    const position = new Map(units.map((unit, i) => [unit, i]))
    // A reader that waits for the write itself reads a copy: that edge is no obstacle.
    const forward = edges.filter(([first, then]) => position.get(first)! < position.get(then)!)
    this.graph = new Contraction(units, forward)
    this.awaited = awaitedBy(units, forward)
  }

  /** The unit that an original one was merged into. */
  at(unit: Unit): Unit {
    const root = this.graph.find(unit)
    return this.current.get(root) ?? root
  }

  /** The unit that makes a tensor. */
  producerOf(t: Tensor): Unit | undefined {
    const unit = this.producers.get(t)
    return unit && this.at(unit)
  }

  /** The units that read a tensor. */
  readersOf(t: Tensor): Set<Unit> {
    return new Set((this.readers.get(t) ?? []).map((unit) => this.at(unit)))
  }

  /** Is a tensor needed by others than these units? */
  isNeeded(t: Tensor, ...inside: readonly Unit[]): boolean {
    if (this.kept.has(t)) return true
    return (this.readers.get(t) ?? []).some((reader) => !inside.includes(this.at(reader)))
  }

  /**
   * Puts `make()` in the place of two units; nothing happens where something must come between them, or it makes nothing, or where one would
   * then wait for the outside longer than it has to.
   */
  merge(a: Unit, b: Unit, make: () => Unit | undefined): Unit | undefined {
    const [first, then] = [this.rootOf(a), this.rootOf(b)]
    if (this.awaited.get(first) !== this.awaited.get(then)) return undefined
    let made: Unit | undefined
    const root = this.graph.merge(first, then, () => (made = make()) !== undefined)
    if (root === undefined || !made) return undefined
    this.roots.set(made, root)
    this.current.set(root, made)
    return made
  }

  /** Says every unit otherwise. */
  update(say: (unit: Unit) => Unit): void {
    for (const root of this.graph.order()) {
      const unit = say(this.at(root))
      this.roots.set(unit, root)
      this.current.set(root, unit)
    }
  }

  private readonly roots = new Map<Unit, Unit>()
  private rootOf(unit: Unit): Unit {
    return this.graph.find(this.roots.get(unit) ?? unit)
  }

  /** All units, in an order that their dependencies allow. */
  units(): Unit[] {
    return this.graph.order().map((unit) => this.at(unit))
  }
}
