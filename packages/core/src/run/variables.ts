// The variables of a session: where each one lives, and whether it has a value yet.
import { DTypeError, UninitializedError } from '../errors.ts'
import type { NodeLabel } from '../errors.ts'
import type { NDArray } from '../ndarray.ts'
import type { VariableResource } from '../resource.ts'
import type { Size } from '../shape.ts'
import { formatType, mergeShapes, sizeOf } from '../shape.ts'
import { dtypes } from '../dtype.ts'
import type { Buffer, Device } from './device.ts'

interface VariableState {
  readonly device: Device
  readonly buffer: Buffer
  initialized: boolean
}

/** Holds the variables that the graphs of a session refer to, by name: equal names mean one variable, which `Declarations` sees to. */
export class VariableStore {
  private readonly states = new Map<string, VariableState>()

  /** The memory of a variable, made on first use on the given device. */
  bufferOf(resource: VariableResource, device: Device): Buffer {
    return this.stateOf(resource, device).buffer
  }
  /** The device that a variable lives on, once it has been used. */
  deviceOf(resource: VariableResource): Device | undefined {
    return this.states.get(resource.name)?.device
  }
  /** Has it been assigned to? */
  isInitialized(resource: VariableResource): boolean {
    return this.states.get(resource.name)?.initialized ?? false
  }
  /** Says that a variable has a value now, which it never loses. */
  markInitialized(resource: VariableResource): void {
    const state = this.states.get(resource.name)
    if (state) state.initialized = true
  }
  /** @throws UninitializedError when it has no value yet. */
  demand(resource: VariableResource, node: NodeLabel): void {
    if (!this.isInitialized(resource))
      throw new UninitializedError(
        `variable '${resource.name}' has no value yet: run session.initialize first, or restore a checkpoint`,
        { node },
      )
  }

  /** Sets a variable from the host; it is made on the given device if it was never used. @throws DTypeError or ShapeError when the value does not fit. */
  write(resource: VariableResource, value: NDArray, device: Device): void {
    const { type, name } = resource
    if (value.dtype !== type.dtype)
      throw new DTypeError(`the value is ${value.dtype}, variable '${name}' ${formatType(type)}: cast it`)
    mergeShapes(type.shape, value.shape, `the value does not fit variable '${name}'`)
    const state = this.stateOf(resource, device)
    state.device.write(state.buffer, value.bytes)
    state.initialized = true
  }

  /** Gives all memory back. */
  free(): void {
    for (const { device, buffer } of this.states.values()) device.free(buffer)
    this.states.clear()
  }

  private stateOf(resource: VariableResource, device: Device): VariableState {
    let state = this.states.get(resource.name)
    if (!state) {
      state = { device, buffer: device.alloc(bytesOf(resource)), initialized: false }
      this.states.set(resource.name, state)
    }
    return state
  }
}

const bytesOf = (resource: VariableResource): number =>
  sizeOf(resource.type.shape as Size) * dtypes[resource.type.dtype].bytes
