// Lets element-wise work on the result of a hand-written kernel run as its epilogue, on elements that are still in the cache.
import type { Tensor } from '../graph/graph.ts'
import type { Expr } from '../ir/expr.ts'
import { mapExpr, subexpressions } from '../ir/expr.ts'
import { mapKernel } from '../ir/collapse.ts'
import type { FusedKernel } from '../ir/kernel.ts'
import { isBlank } from '../ops/graph/blank.ts'
import type { Device } from '../run/device.ts'
import { sizeOf } from '../shape.ts'
import type { UnitGraph } from './unitGraph.ts'
import type { Epilogue, Unit } from './units.ts'

/** Merges kernels with the one element-wise kernel that reads what they make. */
export function mergeEpilogues(graph: UnitGraph, device: Device): void {
  for (const unit of graph.units()) {
    if (unit.kind !== 'kernel' || unit.outputs.length !== 1 || !device.caps.epilogues?.has(unit.node.op.name))
      continue
    const product = unit.outputs[0]!
    const [reader, ...others] = graph.readersOf(product)
    if (!reader || others.length > 0 || graph.kept.has(product) || reader.kind !== 'fused') continue
    const epilogue = epilogueOf(reader, product)
    if (!epilogue) continue
    // The product itself stays between the two, and needs no binding. What stands in several places is bound for each of them.
    const own = unit.node.inputs.filter((t) => !isBlank(t))
    if (own.length + epilogue.inputs.length + epilogue.kernel.stores.length > device.caps.maxBuffers) continue
    graph.merge(unit, reader, () => ({
      ...unit,
      nodes: [...unit.nodes, ...reader.nodes],
      inputs: [...new Set([...unit.inputs, ...epilogue.inputs])],
      outputs: [product, ...reader.outputs],
      epilogue,
    }))
  }
}

/** A fused unit as the epilogue of what makes `product`: its kernel with that as the first input. Undefined where it is not element-wise in it. */
function epilogueOf({ kernel, inputs }: Unit, product: Tensor): Epilogue | undefined {
  const place = inputs.indexOf(product)
  if (!kernel || kernel.reductions.length > 0) return undefined
  const { length } = kernel.inputs[place]!
  if (sizeOf(kernel.axes) !== length || length === 0) return undefined
  const { index } = kernel.stores[0]!
  if (kernel.stores.some((store) => store.index !== index) || readsElsewhere(kernel, place)) return undefined
  const order = [place, ...inputs.flatMap((_, i) => (i === place ? [] : [i]))]
  return { kernel: withInputs(kernel, order), inputs: inputs.filter((t) => t !== product) }
}

/** Is an input read at another element than the one that is stored? */
function readsElsewhere(kernel: FusedKernel, input: number): boolean {
  for (const e of subexpressions(...kernel.stores.map(({ value }) => value)))
    if (e.op === 'load' && e.input === input && e.index !== kernel.stores[0]!.index) return true
  return false
}

/** The same kernel with its inputs in another order. */
function withInputs(kernel: FusedKernel, order: readonly number[]): FusedKernel {
  const memo = new Map<Expr, Expr>()
  const renamed = (root: Expr): Expr =>
    mapExpr(root, (e) => (e.op === 'load' ? { ...e, input: order.indexOf(e.input) } : e), memo)
  return {
    ...mapKernel(kernel, renamed, (index) => index),
    inputs: order.map((i) => kernel.inputs[i]!),
  }
}
