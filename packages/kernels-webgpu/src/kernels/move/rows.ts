// Gather and GatherNd: every element of the answer looks up where it comes from.
import type { ConcreteType } from '@shoal/core'
import { sizeOf, stridesOf } from '@shoal/core'
import type { BufferUse } from '../../stage.ts'
import type { Shader } from '../../wgsl/shader.ts'
import type { KernelDef } from '../kernelDef.ts'
import { loadUnit, moveStage, unitOf, unitUse, zeroUnit } from './units.ts'

/** The elements that indices name along an axis; zeros for indices out of range. */
export const gather: KernelDef = {
  op: 'Gather',
  compile({ inputs, outputs, attrs }, _, { firstOutput }) {
    const [x, indices] = inputs as readonly [ConcreteType, ConcreteType]
    const [axis, batchDims] = [Number(attrs['axis']), Number(attrs['batchDims'])]
    const size = x.shape[axis]!
    const before = sizeOf(x.shape.slice(batchDims, axis))
    const picks = sizeOf(indices.shape.slice(batchDims))
    return pick(x, indices, outputs[0]!, firstOutput, sizeOf(x.shape.slice(axis + 1)), (shader, slice) => {
      const row = shader.let(`${slice} / ${picks}`)
      const place = shader.let(`${row} / ${before} * ${picks} + ${slice} % ${picks}`)
      const index = shader.let(shader.memory(1).load(place))
      return { from: `${row} * ${size} + ${index}`, inside: `${index} >= 0 && ${index} < ${size}` }
    })
  },
}

/** The slices that index tuples name; zeros for tuples out of range. */
export const gatherNd: KernelDef = {
  op: 'GatherNd',
  compile({ inputs, outputs }, _, { firstOutput }) {
    const [x, indices] = inputs as readonly [ConcreteType, ConcreteType]
    const width = sizeOf(x.shape.slice(indices.shape.at(-1)!))
    return pick(x, indices, outputs[0]!, firstOutput, width, (shader, tuple) =>
      sliceOf(shader, x, indices, 1, tuple),
    )
  },
}

/** A slice of x, and the condition under which there is one. */
interface Pick {
  readonly from: string
  readonly inside: string
}

/** The slice that tuple number `tuple` of `indices` names; `use` is the memory that those are in. */
export function sliceOf(
  shader: Shader,
  x: ConcreteType,
  indices: ConcreteType,
  use: number,
  tuple: string,
): Pick {
  const depth = indices.shape.at(-1)!
  const sizes = x.shape.slice(0, depth)
  const strides = stridesOf(sizes)
  const parts = sizes.map((_, d) => shader.let(shader.memory(use).load(`${tuple} * ${depth} + ${d}`)))
  return {
    from: parts.map((part, d) => `${part} * ${strides[d]}`).join(' + ') || '0',
    inside: parts.map((part, d) => `${part} >= 0 && ${part} < ${sizes[d]}`).join(' && ') || 'true',
  }
}

/** Slices of `width` elements, each picked from somewhere in x. */
function pick(
  x: ConcreteType,
  indices: ConcreteType,
  output: ConcreteType,
  to: number,
  width: number,
  find: (shader: Shader, slice: string) => Pick,
) {
  const unit = unitOf(x.dtype, [width])
  const units = width / unit.elements
  const reads: readonly BufferUse[] = [
    unitUse(unit, 0, sizeOf(x.shape), 'read'),
    { arg: 1, dtype: indices.dtype, length: sizeOf(indices.shape), access: 'read' },
  ]
  const stage = moveStage(unit, reads, to, sizeOf(output.shape), (shader, index) => {
    const { from, inside } = find(shader, shader.let(`${index} / ${units}`))
    const there = shader.let(inside)
    const place = shader.let(`select(0, (${from}) * ${units} + ${index} % ${units}, ${there})`)
    return `select(${zeroUnit(unit)}, ${loadUnit(shader, unit, 0, place)}, ${there})`
  })
  return { stages: [stage], workspaceBytes: 0 }
}
