// What the memory of variables holds while a program runs: which tensor shows which state, and which write ends it.
import { effectsOf } from '../graph/effects.ts'
import type { Tensor } from '../graph/graph.ts'
import type { AnyResource } from '../resource.ts'
import type { Unit } from './units.ts'

/** Follows aliases to the tensor that owns the memory. */
export function sources(units: readonly Unit[]): (t: Tensor) => Tensor {
  const source = new Map<Tensor, Tensor>()
  for (const unit of units)
    if (unit.kind === 'alias') source.set(unit.outputs[0]!, source.get(unit.inputs[0]!) ?? unit.inputs[0]!)
  return (t) => source.get(t) ?? t
}

/** A state of a variable within a run. */
export interface Version {
  readonly resource: AnyResource
  /** How many writes of this run came before. */
  readonly count: number
}

/** Which state of a variable each reading tensor shows. */
export class Versions {
  private readonly tensors = new Map<Tensor, Version>()
  private readonly writers = new Map<AnyResource, Unit[]>()
  private readonly source: (t: Tensor) => Tensor
  constructor(units: readonly Unit[], source: (t: Tensor) => Tensor) {
    this.source = source
    for (const unit of units) {
      for (const resource of effectsOf(unit.node).writes)
        if (resource.kind === 'variable') this.addWriter(resource, unit)
      for (const { node, resource, value } of unit.assigns ?? []) {
        const version = { resource, count: this.addWriter(resource, unit) }
        for (const t of [value, ...node.outputs]) this.tensors.set(t, version)
      }
      if (unit.kind !== 'readVariable' && unit.kind !== 'assign' && unit.kind !== 'scatter') continue
      const resource = unit.node.attrs['resource'] as AnyResource
      this.tensors.set(unit.outputs[0]!, { resource, count: this.writers.get(resource)?.length ?? 0 })
    }
  }
  /** The state that a tensor shows, if it is a variable's memory. */
  of(t: Tensor): Version | undefined {
    return this.tensors.get(this.source(t))
  }
  private addWriter(resource: AnyResource, unit: Unit): number {
    const writers = this.writers.get(resource)
    if (writers) return writers.push(unit)
    this.writers.set(resource, [unit])
    return 1
  }
  /** How often a variable is written in a run. */
  writesOf(resource: AnyResource): number {
    return this.writers.get(resource)?.length ?? 0
  }
  /** The unit whose write ends a state. */
  writerAfter(version: Version): Unit | undefined {
    return this.writers.get(version.resource)?.[version.count]
  }
}
