// Every hand-written kernel of this device.
import { convKernels } from './conv/index.ts'
import type { KernelDef } from './kernelDef.ts'

/** The kernels; the first that supports a signature is taken. What none takes, the placer puts on another device. */
export const kernelDefs: readonly KernelDef[] = [...convKernels]
