// Bitcast: the same words in other memory.
import { dtypes, sizeOf } from '@shoal/core'
import type { KernelDef } from '../kernelDef.ts'
import { loadUnit, moveStage, unitOf, unitUse } from './units.ts'

/** The same bits under another dtype. */
export const bitcast: KernelDef = {
  op: 'Bitcast',
  compile({ inputs: [x] }, _, { firstOutput }) {
    // Memory ends with a whole word.
    const words = Math.ceil((sizeOf(x!.shape) * dtypes[x!.dtype].bytes) / 4)
    const unit = unitOf('uint32', [words])
    const stage = moveStage(unit, [unitUse(unit, 0, words, 'read')], firstOutput, words, (shader, index) =>
      loadUnit(shader, unit, 0, index),
    )
    return { stages: [stage], workspaceBytes: 0 }
  },
}
