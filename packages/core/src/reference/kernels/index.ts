// Every hand-written kernel of the reference device, a family a file.
import type { ReferenceKernels } from '../kernel.ts'
import { topKKernels } from './topK.ts'
import { gatherKernels } from './gather.ts'
import { cumulativeKernels } from './cumulative.ts'
import { bitcastKernels } from './bitcast.ts'
import { triangularKernels } from './linalg.ts'
import { luKernels } from './linalgLu.ts'
import { orthogonalKernels } from './linalgOrthogonal.ts'
import { convKernels } from './conv.ts'
import { ctcKernels } from './ctc.ts'
import { matmulKernels } from './matmul.ts'
import { poolKernels } from './pool.ts'
import { quantizedKernels } from './quantized.ts'
import { scatterKernels } from './scatter.ts'

/** The reference kernel of every op with a `kernel` body. */
export const referenceKernels: ReferenceKernels = {
  ...convKernels,
  ...ctcKernels,
  ...matmulKernels,
  ...topKKernels,
  ...gatherKernels,
  ...cumulativeKernels,
  ...bitcastKernels,
  ...poolKernels,
  ...quantizedKernels,
  ...orthogonalKernels,
  ...luKernels,
  ...triangularKernels,
  ...scatterKernels,
}
