// Every kernel with code of its own, by the name of its op.
import { bitcast } from './bitcast.ts'
import { conv, convBackpropFilter, convBackpropInput } from './conv/index.ts'
import { ctcLoss } from './ctc/index.ts'
import { cumulative } from './cumulative.ts'
import { gatherNd } from './gatherNd.ts'
import type { KernelDef } from './kernelDef.ts'
import { qr } from './linalg/qr.ts'
import { triangularSolve } from './linalg/triangularSolve.ts'
import { matmul } from './matmul.ts'
import { topK } from './order/topK.ts'
import { pools } from './pool/index.ts'
import { quantizedKernels } from './quantized/index.ts'
import { rowProduct } from './rowProduct.ts'
import { concat, gather } from './rows.ts'
import { tensorScatter } from './scatter.ts'

/** Ops whose kernels complete what they make run by run, so that work on its elements is best done at once. */
export const epilogues: ReadonlySet<string> = new Set([
  matmul.op,
  conv.op,
  convBackpropInput.op,
  convBackpropFilter.op,
  ...quantizedKernels.map(({ op }) => op),
])

/** Kernels in WebAssembly; the first that supports a signature is taken. */
export const kernelDefs: readonly KernelDef[] = [
  matmul,
  conv,
  convBackpropInput,
  convBackpropFilter,
  ...pools,
  ...quantizedKernels,
  gather,
  concat,
  gatherNd,
  tensorScatter,
  topK,
  cumulative,
  bitcast,
  ctcLoss,
  rowProduct,
  qr,
  triangularSolve,
]
