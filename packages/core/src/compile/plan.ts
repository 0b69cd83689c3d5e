// Decides in which order units run and where every tensor lives: in a slot shared with others, in a variable, or where the caller says.
import type { Tensor } from '../graph/graph.ts'
import type { VariableResource } from '../resource.ts'
import { isConcrete } from '../shape.ts'
import { bytesOf } from './bytesOf.ts'
import type { EffectOrder } from './effects.ts'
import { orderForMemory } from './memoryOrder.ts'
import { orderBy } from './order.ts'
import { hasOverlap, orderForOverlap } from './overlapOrder.ts'
import { SlotColouring } from './slotColouring.ts'
import { dependencies } from './unitGraph.ts'
import type { Unit } from './units.ts'
import { sources, Versions } from './versions.ts'

/** Where a tensor's bytes are while a program runs. */
export type Storage =
  | { readonly kind: 'slot'; readonly slot: number }
  /** The memory of the variable itself. */
  | { readonly kind: 'variable'; readonly resource: VariableResource }
  /** Memory that the caller owns: parameters of a body. */
  | { readonly kind: 'given' }
  | { readonly kind: 'constant' }
  /** On the host only. */
  | { readonly kind: 'host' }

/** A plan of one program. */
export interface Plan {
  readonly units: readonly Unit[]
  /** Bytes of each slot. */
  readonly slots: readonly number[]
  /** The tensor whose memory a tensor shares: itself, but for aliases. */
  source(t: Tensor): Tensor
  /** Where a tensor is; aliases are where their source is. */
  storageOf(t: Tensor): Storage
  /** Values of variables that must be copied when they are read, since an assignment comes before their last use. */
  readonly snapshots: ReadonlySet<Tensor>
  /** Tensors that something on the device reads; fetches that the caller takes from there among them. */
  readonly onDevice: ReadonlySet<Tensor>
}

/** What the planner must know of the world around a program. */
export interface PlanContext {
  readonly fetches: readonly Tensor[]
  /**
   * The caller takes fetches from device memory. They must not be the memory of a variable or of the caller, which the caller
   * overwrites.
   */
  readonly ownFetches: boolean
  /** Tensors whose memory the caller gives. */
  readonly given: ReadonlySet<Tensor>
}

/** Plans the units of one program. */
export function plan(cut: readonly Unit[], effects: EffectOrder, context: PlanContext): Plan {
  const source = sources(cut)
  const versions = new Versions(cut, source)
  const snapshots = new Set<Tensor>()
  const fetched = new Set(context.fetches.map(source))
  for (const t of fetched) {
    const version = versions.of(t)
    if (version && (context.ownFetches || versions.writerAfter(version))) snapshots.add(t)
    if (context.given.has(t) && context.ownFetches) snapshots.add(t)
  }
  const before = dependencies(cut, effects)
  const ordered = orderUnits(cut, before, versions, source, snapshots)
  const onDevice = new Set(
    [...readOnDevice(ordered.units), ...(context.ownFetches ? fetched : [])].filter(mayBeOnDevice),
  )
  const kindOf = (t: Tensor): Storage['kind'] => {
    if (snapshots.has(t)) return 'slot'
    if (versions.of(t)) return 'variable'
    if (context.given.has(t)) return 'given'
    const { op } = t.node
    if (op.body.kind === 'runtime' && op.body.role === 'constant') return 'constant'
    if (!mayBeOnDevice(t)) return 'host'
    if (op.body.kind !== 'runtime') return 'slot'
    return livesOnHost(op.body.role) && !onDevice.has(t) ? 'host' : 'slot'
  }
  const use = { source, fetched, bytes: (t: Tensor) => (kindOf(t) === 'slot' ? bytesOf(t) : 0) }
  const forMemory = orderForMemory(ordered.units, inOrder(ordered, before), use)
  // Where nothing is to be begun or awaited, both orders count as they are.
  const overlapping = (inTurn: readonly Unit[]): readonly Unit[] =>
    hasOverlap(inTurn) ? orderForOverlap(inTurn, beforeOrRead(ordered, before)) : inTurn
  const orders = [ordered.units, forMemory].map(overlapping)
  const { units, slots } = orders
    .map((inTurn) => ({
      units: inTurn,
      slots: new SlotColouring(inTurn, source, fetched, (t) => kindOf(t) === 'slot'),
    }))
    .reduce((best, other) => (other.slots.total < best.slots.total ? other : best))
  return {
    units,
    slots: slots.bytes,
    snapshots,
    onDevice,
    source,
    storageOf: (tensor) => {
      const t = source(tensor)
      const kind = kindOf(t)
      if (kind === 'slot') return { kind, slot: slots.of(t) }
      if (kind === 'variable') return { kind, resource: versions.of(t)!.resource as VariableResource }
      return { kind }
    },
  }
}

/** Strings, and what has sizes that only a run can tell, stay on the host. */
const mayBeOnDevice = (t: Tensor): boolean => t.dtype !== 'string' && isConcrete(t.shape)

const livesOnHost = (role: string): boolean =>
  role === 'host' || role === 'feed' || role === 'recv' || role === 'parameter'

/** Tensors whose bytes something on the device needs, aliases included. */
function readOnDevice(units: readonly Unit[]): Set<Tensor> {
  const used = new Set<Tensor>()
  for (const unit of [...units].reverse()) {
    const readsHost = unit.kind === 'host' || unit.kind === 'start' || unit.kind === 'group'
    if (unit.kind === 'alias' ? used.has(unit.outputs[0]!) : !readsHost)
      unit.inputs.forEach((t) => used.add(t))
  }
  return used
}

/** Units in order, and which of them have to come before a write of what they read. */
interface OrderedUnits {
  readonly units: readonly Unit[]
  readonly readers: ReadonlyMap<Unit, readonly Unit[]>
}

/** Orders units so that a variable is written after the last use of its old value; where that cannot be, the old value is copied. */
function orderUnits(
  cut: readonly Unit[],
  before: (unit: Unit) => Iterable<Unit>,
  versions: Versions,
  source: (t: Tensor) => Tensor,
  snapshots: Set<Tensor>,
): OrderedUnits {
  const soft: [Unit, Unit][] = []
  const dropped = new Map<Unit, Set<Unit>>()
  for (const unit of cut)
    for (const t of unit.inputs) {
      const version = versions.of(t)
      const writer = version && versions.writerAfter(version)
      if (!writer) continue
      if (writer !== unit) soft.push([unit, writer])
      // These read each element before they write it; whatever else writes the variable still reads it afterwards.
      else if (unit.kind !== 'assign' && !unit.assigns) snapshots.add(source(t))
    }
  const units = orderBy(cut, before, {
    soft,
    dropped: (reader, writer) => {
      const readers = dropped.get(writer)
      if (readers) readers.add(reader)
      else dropped.set(writer, new Set([reader]))
      for (const t of reader.inputs) {
        const version = versions.of(t)
        if (version && versions.writerAfter(version) === writer) snapshots.add(source(t))
      }
    },
  })
  const readers = new Map<Unit, Unit[]>()
  for (const [reader, writer] of soft) {
    if (dropped.get(writer)?.has(reader)) continue
    const known = readers.get(writer)
    if (known) known.push(reader)
    else readers.set(writer, [reader])
  }
  return { units, readers }
}

/** What must come before a unit in whatever order. */
const beforeOrRead =
  ({ readers }: OrderedUnits, before: (unit: Unit) => Iterable<Unit>) =>
  (unit: Unit): Iterable<Unit> => [...before(unit), ...(readers.get(unit) ?? [])]

/** What must come before a unit where what the executor does itself keeps its order. */
function inOrder(
  ordered: OrderedUnits,
  before: (unit: Unit) => Iterable<Unit>,
): (unit: Unit) => Iterable<Unit> {
  const { units } = ordered
  const earlier = beforeOrRead(ordered, before)
  const previous = new Map<Unit, Unit>()
  let last: Unit | undefined
  for (const unit of units) {
    if (moves.has(unit.kind)) continue
    if (last) previous.set(unit, last)
    last = unit
  }
  return (unit) => [...earlier(unit), ...(previous.has(unit) ? [previous.get(unit)!] : [])]
}

/** Units that only compute. */
const moves: ReadonlySet<Unit['kind']> = new Set(['fused', 'kernel', 'alias', 'constant'])
