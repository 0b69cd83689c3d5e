// How much memory a tensor takes.
import { dtypes } from '../dtype.ts'
import type { Tensor } from '../graph/graph.ts'
import { sizeOf } from '../shape.ts'

/** The bytes of a tensor with known sizes. */
export const bytesOf = (t: Tensor): number => sizeOf(t.shape as readonly number[]) * dtypes[t.dtype].bytes
