// The devices of this process as the target of a session, with the variables that live on them.
import type { BoundGraph } from '../compile/bind.ts'
import { compileParts, planGraph } from '../compile/compileGraph.ts'
import { ValueError } from '../errors.ts'
import type { Node } from '../graph/graph.ts'
import { colocateWith } from '../graph/scope.ts'
import type { NDArray } from '../ndarray.ts'
import { Variable } from '../ops/state/variable.ts'
import type { Partition } from '../place/partition.ts'
import type { NamedDevice } from '../place/place.ts'
import { nameDevices, place } from '../place/place.ts'
import type { VariableResource } from '../resource.ts'
import { after } from './awaitable.ts'
import type { Awaitable, Device } from './device.ts'
import type { LocalExecutable } from './executable.ts'
import type { CompileOptions, SessionTarget } from './target.ts'
import { VariableStore } from './variables.ts'

/** Runs graphs on devices that it was given, and closes these in the end. */
export class LocalTarget implements SessionTarget {
  readonly devices: readonly Device[]
  /** The devices under their whole names. */
  readonly named: readonly NamedDevice[]
  /** Devices that may fall behind. */
  private readonly paced: readonly Device[]
  private readonly variables = new VariableStore()

  /** @param devices in order of preference. @param job and `task` for the names of the devices. @throws ValueError without any device. */
  constructor(devices: readonly Device[], job = 'localhost', task = 0) {
    if (devices.length === 0) throw new ValueError('a session needs at least one device')
    this.devices = devices
    this.named = nameDevices(devices, job, task)
    this.paced = devices.filter(({ pace }) => pace !== undefined)
  }

  compile(bound: BoundGraph, options: CompileOptions): Awaitable<LocalExecutable> {
    return after(
      planGraph(
        bound,
        { devices: this.named, deviceOf: (variable) => this.deviceIndexOf(variable) },
        options,
      ),
      ({ parts, graph }) => this.compileParts(parts, graph.fetches.length, options),
    )
  }

  /** Makes partitions ready whose `device` counts the devices of this target, and which fetch `fetchCount` values together. */
  compileParts(
    parts: readonly Partition[],
    fetchCount: number,
    options: Omit<CompileOptions, 'passes' | 'softPlacement'>,
  ): Awaitable<LocalExecutable> {
    return compileParts(parts, fetchCount, { ...options, devices: this.named, variables: this.variables })
  }

  initialized(variables: readonly VariableResource[]): boolean[] {
    return variables.map((variable) => this.variables.isInitialized(variable))
  }

  write(variable: VariableResource, value: NDArray, { softPlacement }: { softPlacement: boolean }): void {
    this.variables.write(variable, value, this.homeOf(variable, softPlacement))
  }

  pace(): Awaitable<unknown> {
    if (this.paced.length === 0) return undefined
    const behind = this.paced.flatMap((device) => device.pace!() ?? [])
    return behind.length === 0 ? undefined : Promise.all(behind)
  }

  /** Gives the memory of all variables back; the devices stay open. */
  free(): void {
    this.variables.free()
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.free()
    for (const device of this.devices) await device[Symbol.asyncDispose]()
  }

  private deviceIndexOf(variable: VariableResource): number | undefined {
    const device = this.variables.deviceOf(variable)
    return device && this.devices.indexOf(device)
  }

  /** The device that a variable lives on, or will. */
  private homeOf(variable: VariableResource, soft: boolean): Device {
    const known = this.variables.deviceOf(variable)
    if (known) return known
    const read = readWhereInitial(variable)
    const placed = place([read], this.named, { soft, deviceOf: () => undefined })
    return this.devices[placed.get(read)!]!
  }
}

/** A node that reads a variable and asks to be where its initial value is made: it is placed where the variable will live. */
export function readWhereInitial(variable: VariableResource): Node {
  const { initial } = variable
  const build = (): Node => new Variable(variable).read().node
  return initial ? colocateWith(initial, build) : build()
}
