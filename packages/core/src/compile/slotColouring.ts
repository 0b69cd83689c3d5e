// Which tensors share memory over time: a slot is given on as soon as what was in it has been read for the last time.
import type { Tensor } from '../graph/graph.ts'
import { mayShare } from '../ir/kernel.ts'
import { bytesOf } from './plan.ts'
import type { Unit } from './units.ts'

/** Gives tensors that are never alive together the same slot. */
export class SlotColouring {
  readonly bytes: number[] = []
  private readonly slots = new Map<Tensor, number>()

  /** Bytes of all slots. */
  get total(): number {
    return this.bytes.reduce((sum, bytes) => sum + bytes, 0)
  }
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
