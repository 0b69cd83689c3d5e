// Every hand-written kernel of this device.
import type { KernelDef } from './kernelDef.ts'
import { matmulKernels } from './matmul/index.ts'

/** The kernels; the first that supports a signature is taken. What none takes, the placer puts on another device. */
export const kernelDefs: readonly KernelDef[] = [...matmulKernels]
