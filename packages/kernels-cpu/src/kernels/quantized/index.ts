// Kernels of small integers.
import type { KernelDef } from '../kernelDef.ts'
import { quantizedConvBy } from './conv.ts'
import { quantizedMatmulBy } from './matmul.ts'
import { wayFor } from './way.ts'

/** QuantizedMatMul and QuantizedConv, multiplied in the way that suits the machine. */
export const quantizedKernels: readonly KernelDef[] = [quantizedMatmulBy(wayFor), quantizedConvBy(wayFor)]
