// Bitcast: the bytes as they are.
import { dtypes, sizeOf } from '@shoal/core'
import { copyKernel } from './copy.ts'
import type { KernelDef } from './kernelDef.ts'

/** The bits of x read as another dtype of the same number of bytes. */
export const bitcast: KernelDef = {
  op: 'Bitcast',
  supports: () => true,
  compile: ({ inputs }) => {
    const { dtype, shape } = inputs[0]!
    return { workspaceBytes: 0, write: copyKernel(sizeOf(shape) * dtypes[dtype].bytes) }
  },
}
