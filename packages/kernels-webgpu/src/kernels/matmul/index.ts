// The kernels of MatMul, Float16MatMul and QuantizedMatMul: one product, in the form that its schedule names.
import { type Signature, sizeOf } from '@shoal/core'
import type { KernelCode, Stage, Target } from '../../stage.ts'
import type { KernelDef, Places } from '../kernelDef.ts'
import { directStage } from './direct.ts'
import { narrowStage } from './narrow.ts'
import { float16Product, matmulProduct, type Product, quantizedProduct } from './product.ts'
import { addingStage, type Result, resultOf } from './result.ts'
import {
  chooseSchedule,
  matmulCandidates,
  matmulClass,
  type MatmulSchedule,
  partialBytes,
  printSchedule,
} from './schedule.ts'
import { tiledStage } from './tiled.ts'

function productKernel(op: string, productOf: (signature: Signature, target: Target) => Product): KernelDef {
  return {
    op,
    epilogue: true,
    tuning: {
      kind: 'matmul',
      candidates(signature, target) {
        const product = productOf(signature, target)
        return { name: matmulClass(product), schedules: matmulCandidates(product, target) }
      },
    },
    compile: (signature, target, places) => productCode(productOf(signature, target), target, places),
  }
}

function productCode(product: Product, target: Target, places: Places): KernelCode {
  if (sizeOf(product.result.shape) === 0) return { stages: [], workspaceBytes: 0 }
  if (product.k === 0) return { stages: [addingStage(product, 0, places)], workspaceBytes: 0 }
  const schedule = chooseSchedule(product, target)
  const { splits } = schedule
  // The lanes of tiles hold columns in fours if those lie side by side in b.
  const fours = schedule.form === 'tiled' && product.b.along === 'outer'
  const result = resultOf(product, splits, places, fours)
  const stage = stageOf(product, schedule, result)
  return {
    stages: splits === 1 ? [stage] : [stage, addingStage(product, splits, places)],
    workspaceBytes: partialBytes(product, splits),
    schedule: printSchedule(schedule),
  }
}

function stageOf(product: Product, schedule: MatmulSchedule, result: Result): Stage {
  switch (schedule.form) {
    case 'tiled':
      return tiledStage(product, schedule, result)
    case 'narrow':
      return narrowStage(product, schedule, result)
    case 'direct':
      return directStage(product, result)
    default:
      return schedule satisfies never
  }
}

/** Products of matrices. */
export const matmulKernels: readonly KernelDef[] = [
  productKernel('MatMul', matmulProduct),
  productKernel('Float16MatMul', float16Product),
  productKernel('QuantizedMatMul', quantizedProduct),
]
