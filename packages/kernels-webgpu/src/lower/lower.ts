// Fused kernels to stages: how a kernel is shared out among lanes and workgroups follows from its sizes and from how it walks memory.
import type { FusedKernel } from '@shoal/core'
import { collapseAxes, sizeOf } from '@shoal/core'
import type { BufferUse, KernelCode, Target } from '../stage.ts'
import { mapKernelStage } from './map.ts'
import { reductionStages } from './reduce.ts'

/** The stages of a fused kernel. Arguments of its launch: inputs, outputs, scratch memory if any. */
export function lower(kernel: FusedKernel, target: Target): KernelCode {
  const collapsed = collapseAxes(kernel)
  if (collapsed.reductions.length > 0) return reductionStages(collapsed, target)
  // Without a reduction, axes that are called reduced are loops as any other.
  const { groups } = mapKernelStage({ ...collapsed, reduced: 0 })
  return {
    stages: [mapKernelStage({ ...collapsed, reduced: 0 })],
    workspaceBytes: 0,
    schedule: `${sizeOf(collapsed.axes)} lanes in ${groups} workgroups`,
  }
}

/** The uses of a kernel's inputs and outputs, in the order of the arguments. */
export const usesOf = (
  { inputs, stores }: FusedKernel,
  words: ReadonlySet<number> = new Set(),
): BufferUse[] => [
  ...inputs.map(({ dtype, length }, arg): BufferUse => ({ arg, dtype, length, access: 'read' })),
  ...stores.map(
    ({ dtype, length }, i): BufferUse => ({
      arg: inputs.length + i,
      dtype,
      length,
      access: 'write',
      words: words.has(i),
    }),
  ),
]
