// Every hand-written kernel of the reference device, a family a file.
import type { ReferenceKernels } from '../kernel.ts'
import { triangularKernels } from './linalg.ts'
import { luKernels } from './linalgLu.ts'
import { orthogonalKernels } from './linalgOrthogonal.ts'
import { matmulKernels } from './matmul.ts'
import { scatterKernels } from './scatter.ts'

/** The reference kernel of every op with a `kernel` body. */
export const referenceKernels: ReferenceKernels = { ...matmulKernels, ...orthogonalKernels, ...luKernels, ...triangularKernels, ...scatterKernels }
