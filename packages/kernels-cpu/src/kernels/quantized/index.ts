// Kernels of small numbers.
import type { KernelDef } from '../kernelDef.ts'
import { quantizedConvBy } from './conv.ts'
import { float16Matmul } from './float16Matmul.ts'
import { quantizedMatmulBy } from './matmul.ts'
import { wayFor } from './way.ts'

/** QuantizedMatMul and QuantizedConv, multiplied in the way that suits the machine, and Float16MatMul. */
export const quantizedKernels: readonly KernelDef[] = [
  quantizedMatmulBy(wayFor),
  quantizedConvBy(wayFor),
  float16Matmul,
]
