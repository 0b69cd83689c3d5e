// Every hand-written kernel of this device.
import { convKernels } from './conv/index.ts'
import { ctcLoss } from './ctc/index.ts'
import { cumulative } from './cumulative/index.ts'
import type { KernelDef } from './kernelDef.ts'
import { matmulKernels } from './matmul/index.ts'
import { bitcast } from './move/bitcast.ts'
import { concat } from './move/concat.ts'
import { gather, gatherNd } from './move/rows.ts'
import { topK } from './order/topK.ts'
import { pools } from './pool/index.ts'
import { tensorScatter } from './scatter/index.ts'

/** The kernels; the first that supports a signature is taken. What none takes, the placer puts on another device. */
export const kernelDefs: readonly KernelDef[] = [
  ...matmulKernels,
  ...convKernels,
  ...pools,
  gather,
  gatherNd,
  concat,
  bitcast,
  topK,
  tensorScatter,
  cumulative,
  ctcLoss,
]
