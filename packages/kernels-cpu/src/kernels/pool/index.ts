// MaxPool, AvgPool and their gradients for float32 and float64.
import type { Signature } from '@shoal/core'
import type { KernelDef } from '../kernelDef.ts'
import { compilePool, type PoolOp } from './pool.ts'

const supports = ({ inputs, outputs }: Signature): boolean =>
  [...inputs, ...outputs].every(({ dtype }) => dtype === 'float32' || dtype === 'float64')

const ops: readonly PoolOp[] = ['MaxPool', 'AvgPool', 'MaxPoolGrad', 'AvgPoolGrad']

/** The poolings that have code. */
export const pools: readonly KernelDef[] = ops.map((op) => ({
  op,
  supports,
  compile: (signature, options) => compilePool(op, signature, options),
}))
