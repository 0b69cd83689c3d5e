// Kernels of small integers.
import type { KernelDef } from '../kernelDef.ts'
import { quantizedConv } from './conv.ts'
import { quantizedMatmul } from './matmul.ts'

/** QuantizedMatMul and QuantizedConv. */
export const quantizedKernels: readonly KernelDef[] = [quantizedMatmul, quantizedConv]
