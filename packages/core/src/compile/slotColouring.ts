// Which tensors share memory over time: those that are never alive together, and those that take each other's place element by element.
import type { Tensor } from '../graph/graph.ts'
import { mayShare } from '../ir/kernel.ts'
import { bytesOf } from './bytesOf.ts'
import type { Unit } from './units.ts'

/** Slots looked at for a tensor, the smallest first: few sizes are worth more. */
const maxLooks = 256

/** Tensors in one place one after the other, from the unit that makes the first to the last reader of the last. */
interface Stay {
  readonly tensors: Tensor[]
  readonly bytes: number
  readonly from: number
  to: number
}

/** Memory for tensors, from the largest to the smallest: each goes to the smallest slot that is free while it is alive, or gets a new one. */
export class SlotColouring {
  /** Bytes of each slot. */
  readonly bytes: number[] = []
  private readonly slots = new Map<Tensor, number>()

  /**
   * @param units in order.
   * @param needsSlot asked of the tensors that `source` answers.
   */
  constructor(
    units: readonly Unit[],
    source: (t: Tensor) => Tensor,
    fetched: ReadonlySet<Tensor>,
    needsSlot: (t: Tensor) => boolean,
  ) {
    const stays = staysOf(units, source, fetched, needsSlot)
    const taken: Calendar[] = []
    for (const { tensors, bytes, from, to } of stays.sort((a, b) => b.bytes - a.bytes || a.from - b.from)) {
      let slot = taken.length - 1
      const last = Math.max(-1, slot - maxLooks)
      while (slot > last && !taken[slot]!.isFree(from, to)) slot--
      if (slot === last) {
        slot = this.bytes.push(bytes) - 1
        taken.push(new Calendar())
      }
      taken[slot]!.book(from, to)
      tensors.forEach((t) => this.slots.set(t, slot))
    }
  }

  /** Bytes of all slots. */
  get total(): number {
    return this.bytes.reduce((sum, bytes) => sum + bytes, 0)
  }
  /** The slot of a tensor that needs one. */
  of(t: Tensor): number {
    return this.slots.get(t)!
  }
}

/** When a slot is taken: pairs of a first and a last unit, in order. */
class Calendar {
  private readonly begins: number[] = []
  private readonly ends: number[] = []
  isFree(from: number, to: number): boolean {
    const i = this.after(from)
    return (i === 0 || this.ends[i - 1]! < from) && (i === this.begins.length || this.begins[i]! > to)
  }
  book(from: number, to: number): void {
    const i = this.after(from)
    this.begins.splice(i, 0, from)
    this.ends.splice(i, 0, to)
  }
  /** The first stay that begins later. */
  private after(from: number): number {
    let [low, high] = [0, this.begins.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.begins[middle]! <= from) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** What has to have a slot, and when. */
function staysOf(
  units: readonly Unit[],
  source: (t: Tensor) => Tensor,
  fetched: ReadonlySet<Tensor>,
  needsSlot: (t: Tensor) => boolean,
): Stay[] {
  const lastUse = new Map<Tensor, number>()
  units.forEach((unit, i) => [...unit.inputs, ...unit.outputs].forEach((t) => lastUse.set(source(t), i)))
  for (const t of fetched) lastUse.set(t, units.length)
  const stays: Stay[] = []
  const stayOf = new Map<Tensor, Stay>()
  const begin = (t: Tensor, from: number): void => {
    if (source(t) !== t || stayOf.has(t) || !needsSlot(t)) return
    const stay = { tensors: [t], bytes: bytesOf(t), from, to: lastUse.get(t)! }
    stays.push(stay)
    stayOf.set(t, stay)
  }
  // What is fed is written before anything runs.
  for (const unit of units)
    if (unit.kind === 'feed' || unit.kind === 'parameter') unit.outputs.forEach((t) => begin(t, -1))
  units.forEach((unit, i) => {
    const replaced = new Set<Tensor>()
    for (const [dying, next] of sharing(unit, source)) {
      // What ends here makes room for what takes its place element by element.
      const ends = lastUse.get(dying) === i && !replaced.has(dying)
      if (!ends || source(next) !== next || !needsSlot(next) || stayOf.has(next) || !needsSlot(dying))
        continue
      begin(dying, i)
      const stay = stayOf.get(dying)!
      stay.tensors.push(next)
      stay.to = lastUse.get(next)!
      stayOf.set(next, stay)
      replaced.add(dying)
    }
    unit.outputs.forEach((t) => begin(t, i))
  })
  return stays
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
