// Decides in which order units run and where every tensor lives: in a slot shared with others, in a variable, or where the caller says.
import type { Tensor } from '../graph/graph.ts'
import type { VariableResource } from '../resource.ts'
import { mayShare } from '../ir/kernel.ts'
import { isConcrete, sizeOf } from '../shape.ts'
import { dtypes } from '../dtype.ts'
import type { EffectOrder } from './effects.ts'
import { orderBy } from './order.ts'
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
  const units = orderUnits(cut, effects, versions, source, snapshots)
  const onDevice = new Set(
    [...readOnDevice(units), ...(context.ownFetches ? fetched : [])].filter(mayBeOnDevice),
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
  const slots = new SlotColouring()
  slots.assign(units, source, fetched, (t) => kindOf(t) === 'slot')
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
    const readsHost = unit.kind === 'host' || unit.kind === 'send' || unit.kind === 'group'
    if (unit.kind === 'alias' ? used.has(unit.outputs[0]!) : !readsHost)
      unit.inputs.forEach((t) => used.add(t))
  }
  return used
}

/** Orders units so that a variable is written after the last use of its old value; where that cannot be, the old value is copied. */
function orderUnits(
  cut: readonly Unit[],
  effects: EffectOrder,
  versions: Versions,
  source: (t: Tensor) => Tensor,
  snapshots: Set<Tensor>,
): Unit[] {
  const before = dependencies(cut, effects)
  const soft: [Unit, Unit][] = []
  for (const unit of cut)
    for (const t of unit.inputs) {
      const version = versions.of(t)
      const writer = version && versions.writerAfter(version)
      if (!writer) continue
      if (writer !== unit) soft.push([unit, writer])
      // These read each element before they write it; whatever else writes the variable still reads it afterwards.
      else if (unit.kind !== 'assign' && !unit.assigns) snapshots.add(source(t))
    }
  return orderBy(cut, before, {
    soft,
    dropped: (reader, writer) => {
      for (const t of reader.inputs) {
        const version = versions.of(t)
        if (version && versions.writerAfter(version) === writer) snapshots.add(source(t))
      }
    },
  })
}

/** Gives tensors that are never alive together the same slot. */
class SlotColouring {
  readonly bytes: number[] = []
  private readonly slots = new Map<Tensor, number>()

  of(t: Tensor): number {
    return this.slots.get(t)!
  }

  assign(
    units: readonly Unit[],
    source: (t: Tensor) => Tensor,
    fetched: ReadonlySet<Tensor>,
    needsSlot: (t: Tensor) => boolean,
  ): void {
    const lastUse = new Map<Tensor, number>()
    units.forEach((unit, i) => [...unit.inputs, ...unit.outputs].forEach((t) => lastUse.set(source(t), i)))
    const endings = new Map<number, Tensor[]>()
    for (const [t, i] of lastUse) {
      if (fetched.has(t) || !needsSlot(t)) continue
      const list = endings.get(i)
      if (list) list.push(t)
      else endings.set(i, [t])
    }
    const free: number[] = []
    const take = (t: Tensor): void => {
      if (source(t) === t && needsSlot(t) && !this.slots.has(t))
        this.slots.set(t, this.take(bytesOf(t), free))
    }
    // What is fed is written before anything runs.
    for (const unit of units)
      if (unit.kind === 'feed' || unit.kind === 'parameter') unit.outputs.forEach(take)
    units.forEach((unit, i) => {
      const ending = new Set(endings.get(i))
      for (const [dying, to] of sharing(unit, source)) {
        // What ends here makes room for what takes its place element by element.
        if (!ending.has(dying) || source(to) !== to || !needsSlot(to) || this.slots.has(to)) continue
        if (!this.slots.has(dying)) take(dying)
        this.slots.set(to, this.slots.get(dying)!)
        ending.delete(dying)
      }
      unit.outputs.forEach(take)
      for (const t of ending) free.push(this.slots.get(t)!)
    })
  }

  /** The smallest free slot that is large enough, otherwise the largest, made larger. */
  private take(bytes: number, free: number[]): number {
    let best = -1
    free.forEach((slot, i) => {
      const [size, bestSize] = [this.bytes[slot]!, best < 0 ? -1 : this.bytes[free[best]!]!]
      const better = bestSize < bytes ? size > bestSize : size >= bytes && size < bestSize
      if (best < 0 || better) best = i
    })
    if (best < 0) return this.bytes.push(bytes) - 1
    const [slot] = free.splice(best, 1) as [number]
    this.bytes[slot] = Math.max(this.bytes[slot]!, bytes)
    return slot
  }
}

/** What a unit reads and makes that may be the same memory. */
function* sharing(
  unit: Unit,
  source: (t: Tensor) => Tensor,
): Generator<readonly [Tensor, Tensor], void, undefined> {
  const { kernel, inputs } = unit.epilogue ?? unit
  if (!kernel) return
  const from = (unit.epilogue ? [unit.outputs[0]!, ...inputs] : inputs).map(source)
  const to = unit.outputs.slice(unit.epilogue ? 1 : 0)
  // What a hand-written kernel reads, its epilogue must not overwrite.
  const own = new Set(unit.epilogue ? unit.node.inputs.map(source) : [])
  for (const t of new Set(from))
    for (let output = 0; output < kernel.stores.length; output++)
      // Several inputs may be views of the same memory.
      if (!own.has(t) && from.every((other, i) => other !== t || mayShare(kernel, i, output)))
        yield [t, to[output]!]
}

/** The bytes of a tensor with known sizes. */
export const bytesOf = (t: Tensor): number => sizeOf(t.shape as readonly number[]) * dtypes[t.dtype].bytes
