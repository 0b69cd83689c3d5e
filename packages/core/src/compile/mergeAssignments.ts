// Lets kernels write the new value of a variable straight into its memory.
import type { Tensor } from '../graph/graph.ts'
import { mayShare } from '../ir/kernel.ts'
import type { VariableResource } from '../resource.ts'
import type { UnitGraph } from './unitGraph.ts'
import type { Unit } from './units.ts'
import { sources, Versions } from './versions.ts'

/**
 * Merges assignments with the kernels that compute what they assign. Not those of variables that are written more than once, nor of values
 * that the caller takes from device memory.
 */
export function mergeAssignments(graph: UnitGraph, fetched: ReadonlySet<Tensor>): void {
  const units = graph.units()
  const source = sources(units)
  const versions = new Versions(units, source)
  // An alias of a value is the value's memory too.
  const lent = new Set([...fetched].map(source))
  for (const unit of units) {
    if (unit.kind !== 'assign' || unit.node.attrs['update'] !== 'set') continue
    const resource = unit.node.attrs['resource'] as VariableResource
    const value = unit.inputs[0]!
    const producer = graph.producerOf(value)
    if (!producer || (producer.kind !== 'fused' && producer.kind !== 'kernel')) continue
    // What is a variable's memory already is not written elsewhere: neither the value of another assignment, nor what that answers.
    const bound = producer.assigns?.some((a) => a.value === value || a.node.outputs[0] === value)
    if (versions.writesOf(resource) !== 1 || bound) continue
    if ([value, unit.outputs[0]!].some((t) => lent.has(t))) continue
    const showsIt = (t: Tensor): boolean => versions.of(t)?.resource === resource
    if (!writesInPlace(producer, value, showsIt)) continue
    graph.merge(producer, unit, () => ({
      ...producer,
      nodes: [...producer.nodes, unit.node],
      outputs: [...producer.outputs, unit.outputs[0]!],
      assigns: [...(producer.assigns ?? []), { node: unit.node, resource, value }],
    }))
  }
}

/** May an output of a unit be the memory that some of its inputs are in? */
function writesInPlace(unit: Unit, value: Tensor, isThere: (t: Tensor) => boolean): boolean {
  const { kernel, inputs } = unit.epilogue ?? unit
  const own = unit.epilogue ? unit.node.inputs : unit.kind === 'kernel' ? inputs : []
  if (own.some(isThere)) return false
  if (!kernel) return true
  // The first input of an epilogue is what the kernel makes.
  const shift = unit.epilogue ? 1 : 0
  const stored = unit.outputs.slice(shift)
  return inputs.every((t, i) => !isThere(t) || mayShare(kernel, i + shift, stored.indexOf(value)))
}
