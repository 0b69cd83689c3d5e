// The variables of a session: where each one lives, and whether it has a value yet.
import { NameError, UninitializedError } from '../errors.ts'
import type { NodeLabel } from '../errors.ts'
import type { NDArray } from '../ndarray.ts'
import { fromBytes } from '../ndarray.ts'
import type { VariableResource } from '../resource.ts'
import type { ConcreteType, Size } from '../shape.ts'
import { formatType, sizeOf } from '../shape.ts'
import { dtypes } from '../dtype.ts'
import { after } from './awaitable.ts'
import type { Awaitable, Buffer, Device } from './device.ts'

interface VariableState {
  readonly resource: VariableResource
  readonly device: Device
  readonly buffer: Buffer
  initialized: boolean
}

/** Holds the variables that the graphs of a session refer to, by name. */
export class VariableStore {
  private readonly states = new Map<string, VariableState>()

  /** The memory of a variable, made on first use on the given device. @throws NameError when another variable has its name. */
  bufferOf(resource: VariableResource, device: Device): Buffer {
    const known = this.find(resource)
    if (known) return known.buffer
    const buffer = device.alloc(bytesOf(resource))
    this.states.set(resource.name, { resource, device, buffer, initialized: false })
    return buffer
  }
  /** The device that a variable lives on, once it has been used. */
  deviceOf(resource: VariableResource): Device | undefined {
    return this.find(resource)?.device
  }
  /** Has it been assigned to? */
  isInitialized(resource: VariableResource): boolean {
    return this.find(resource)?.initialized ?? false
  }
  /** Says that a variable has a value now. */
  markInitialized(resource: VariableResource): void {
    const state = this.find(resource)
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

  /** Sets a variable from the host. */
  write(resource: VariableResource, value: NDArray, device: Device): void {
    const buffer = this.bufferOf(resource, device)
    this.find(resource)!.device.write(buffer, value.bytes)
    this.markInitialized(resource)
  }
  /** The value of a variable. @throws UninitializedError */
  read(resource: VariableResource): Awaitable<NDArray> {
    this.demand(resource, { op: { name: 'Variable' }, name: resource.name })
    const { device, buffer } = this.find(resource)!
    const { dtype, shape } = resource.type as ConcreteType
    return after(device.read(buffer, bytesOf(resource)), (bytes) =>
      fromBytes(dtype as 'float32', shape as Size, bytes),
    )
  }

  /** Gives all memory back. */
  free(): void {
    for (const { device, buffer } of this.states.values()) device.free(buffer)
    this.states.clear()
  }

  private find(resource: VariableResource): VariableState | undefined {
    const state = this.states.get(resource.name)
    if (state && state.resource !== resource && formatType(state.resource.type) !== formatType(resource.type))
      throw new NameError(
        `two variables are named '${resource.name}', ${formatType(state.resource.type)} and ${formatType(resource.type)}: give one another name or scope`,
      )
    return state
  }
}

const bytesOf = (resource: VariableResource): number =>
  sizeOf(resource.type.shape as Size) * dtypes[resource.type.dtype].bytes
