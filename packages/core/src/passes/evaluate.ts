// The value of one node of known inputs, as the reference interpreter computes it.
import { allocate } from '../dtype.ts'
import type { TypedArray } from '../dtype.ts'
import { ShoalError } from '../errors.ts'
import { fuseGroup } from '../lower/fusedKernel.ts'
import type { Node } from '../graph/graph.ts'
import { interpretKernel } from '../ir/interpret.ts'
import { NDArray } from '../ndarray.ts'
import { referenceKernels } from '../reference/kernels/index.ts'
import type { ConcreteType } from '../shape.ts'
import { isConcrete, sizeOf } from '../shape.ts'

/**
 * The outputs of a node; undefined when only a run can tell: sizes are unknown, it holds strings, it belongs to the executor, or it fails.
 * @param inputs one array for each input of the node.
 */
export function evaluate(node: Node, inputs: readonly NDArray[]): readonly NDArray[] | undefined {
  const types = node.outputs.map((t) => t.type)
  if (!types.every((t): t is ConcreteType => isConcrete(t.shape) && t.dtype !== 'string')) return undefined
  if (inputs.some((x) => x.dtype === 'string')) return undefined
  const { kind } = node.op.body
  if (kind === 'scalar' || kind === 'view' || kind === 'reduce') {
    const { kernel, inputs: loaded } = fuseGroup(node, new Set())
    const arrays = loaded.map((t) => inputs[node.inputs.indexOf(t)]!.data as TypedArray)
    return [new NDArray(types[0]!.dtype, types[0]!.shape, interpretKernel(kernel, arrays)[0]!)]
  }
  return kind === 'kernel' ? runKernel(node, inputs, types) : undefined
}

function runKernel(
  node: Node,
  inputs: readonly NDArray[],
  outputs: readonly ConcreteType[],
): readonly NDArray[] | undefined {
  const kernel = referenceKernels[node.op.name]
  if (!kernel) return undefined
  const shapeOnly = new Set(node.inputs.flatMap((_, i) => (node.op.traits.shapeOnly?.(i) ? [i] : [])))
  const arrays = outputs.map((t) => allocate(t.dtype, sizeOf(t.shape)) as TypedArray)
  try {
    const bound = inputs.filter((_, i) => !shapeOnly.has(i)).map((x) => x.data as TypedArray)
    kernel(bound, arrays, { inputs, outputs, attrs: node.attrs, shapeOnly })
  } catch (error) {
    // What is wrong with the values is for the run to say, if it ever comes to this node.
    if (error instanceof ShoalError) return undefined
    throw error
  }
  return outputs.map((t, i) => new NDArray(t.dtype, t.shape, arrays[i]! as never))
}
