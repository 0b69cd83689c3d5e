// The constants of a program in device memory: each is there from when a step first asks for it until no step reads it any more.
import { bytesOf } from '../compile/bytesOf.ts'
import type { Plan } from '../compile/plan.ts'
import type { Unit } from '../compile/units.ts'
import type { Tensor } from '../graph/graph.ts'
import type { NDArray } from '../ndarray.ts'
import type { Buffer, Device } from './device.ts'

/** The value of a constant. */
export const constantOf = (t: Tensor): NDArray => t.node.attrs['value'] as NDArray

/** Units that read no memory: what an alias leads to is read by others, and the host has constants in its own memory. */
const readsMemory = ({ kind }: Unit): boolean => !['alias', 'host', 'start', 'group'].includes(kind)

/** Uploads constants when they are asked for, so that weights which kernels keep in a form of their own are there only until they have it. */
export class Constants {
  private readonly device: Device
  private readonly buffers = new Map<Tensor, Buffer>()
  /** How many units will still read each constant. */
  private readonly readers = new Map<Tensor, number>()

  /** @param taken tensors that the caller takes from device memory, for as long as the program is there. */
  constructor(device: Device, plan: Plan, taken: readonly Tensor[]) {
    this.device = device
    for (const { kind, outputs } of plan.units)
      if (
        kind === 'constant' &&
        plan.onDevice.has(outputs[0]!) &&
        plan.storageOf(outputs[0]!).kind === 'constant'
      )
        this.readers.set(outputs[0]!, 0)
    const readings = [...plan.units.filter(readsMemory).map(({ inputs }) => inputs), taken]
    for (const tensors of readings)
      for (const t of new Set(tensors.map(plan.source))) {
        const known = this.readers.get(t)
        if (known !== undefined) this.readers.set(t, known + 1)
      }
  }

  /** The memory of a constant; undefined for what is none, and for one that is read no more. */
  bufferOf(t: Tensor): Buffer | undefined {
    const known = this.buffers.get(t)
    if (known || !this.readers.has(t)) return known
    const buffer = this.device.alloc(bytesOf(t))
    this.buffers.set(t, buffer)
    this.device.write(buffer, constantOf(t).bytes)
    return buffer
  }

  /** Says that a unit reads a constant no more. The last one to say so gives its memory back. */
  release(t: Tensor): void {
    const left = (this.readers.get(t) ?? 0) - 1
    if (left > 0) {
      this.readers.set(t, left)
      return
    }
    this.readers.delete(t)
    const buffer = this.buffers.get(t)
    this.buffers.delete(t)
    if (buffer) this.device.free(buffer)
  }

  /** Uploads those that no step has asked for yet, so that memory runs out before the program runs, if it does. */
  uploadRest(): void {
    for (const t of this.readers.keys()) this.bufferOf(t)
  }

  get bytes(): number {
    return [...this.buffers.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Gives all memory back. */
  free(): void {
    for (const buffer of this.buffers.values()) this.device.free(buffer)
  }
}
