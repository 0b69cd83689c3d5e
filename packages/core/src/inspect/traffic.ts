// How many bytes a unit moves: what it reads of its inputs, and what it makes.
import { bytesOf } from '../compile/bytesOf.ts'
import type { Unit } from '../compile/units.ts'
import { dtypes } from '../dtype.ts'
import type { Tensor } from '../graph/graph.ts'
import { subexpressions } from '../ir/expr.ts'
import type { FusedKernel } from '../ir/kernel.ts'
import type { ConcreteType } from '../shape.ts'
import { isConcrete } from '../shape.ts'
import { evaluations } from './flops.ts'

/** Bytes that a unit reads and makes, each element once: what an assignment answers is the memory that it wrote. */
export function movedBy(unit: Unit): number {
  const { kind, node, outputs, assigns = [] } = unit
  const isUpdate = node.attrs['update'] !== 'set'
  // Of a variable's rows those are written, and read before where they are added to, that there are updates for.
  if (kind === 'scatter') return total(unit.inputs) + (isUpdate ? 2 : 1) * total(node.inputs.slice(1))
  const answers = new Set(assigns.flatMap((assignment) => assignment.node.outputs))
  const made = new Set(outputs.filter((t) => !answers.has(t)))
  const elements = elementsRead(unit)
  const read = [...new Set(unit.inputs)]
    .filter((t) => !made.has(t))
    .reduce((sum, t) => sum + Math.min(total([t]), dtypes[t.dtype].bytes * (elements.get(t) ?? Infinity)), 0)
  // An update reads what it adds to.
  return read + total([...made]) + (kind === 'assign' && isUpdate ? total(outputs) : 0)
}

const total = (tensors: readonly Tensor[]): number =>
  tensors.reduce((sum, t) => sum + (isConcrete(t.shape) && t.dtype !== 'string' ? bytesOf(t) : 0), 0)

/** How many elements a unit reads of its inputs at most; all of those that are not named. */
function elementsRead({ node, kernel, inputs, epilogue }: Unit): Map<Tensor, number> {
  const counts = new Map<Tensor, number>()
  const add = (tensors: readonly Tensor[], elements: readonly number[]): void =>
    tensors.forEach((t, i) => counts.set(t, (counts.get(t) ?? 0) + (elements[i] ?? Infinity)))
  const { body } = node.op
  if (kernel) add(inputs, loadsOf(kernel))
  else if (body.kind === 'kernel') {
    const types = (tensors: readonly Tensor[]) => tensors.map((t) => t.type as ConcreteType)
    add(node.inputs, body.reads?.(types(node.inputs), types(node.outputs)) ?? [])
    if (epilogue) add(epilogue.inputs, loadsOf(epilogue.kernel).slice(1))
  }
  return counts
}

/** How often a kernel loads from each of its inputs. */
function loadsOf(kernel: FusedKernel): number[] {
  const loads = kernel.inputs.map(() => 0)
  for (const { values, times } of evaluations(kernel))
    for (const e of subexpressions(...values)) if (e.op === 'load') loads[e.input]! += times
  return loads
}
