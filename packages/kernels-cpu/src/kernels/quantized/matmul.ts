// QuantizedMatMul: activations and weights are read as they lie in memory; constant weights of short sums are interleaved once.
import { type ConcreteType, sizeOf } from '@shoal/core'
import {
  type CompiledKernel,
  type KernelDef,
  type KernelOptions,
  signatureKey,
  weightsReplaced,
} from '../kernelDef.ts'
import { matrixStage } from './dotRows.ts'
import { interleaveStage, laneRows, type LaneSpec, planInterleaving, suitsLanes } from './laneRows.ts'
import { matrixUnits, rowsStage } from './rows.ts'
import type { Way } from './way.ts'

/** Fewer rows do not use interleaved weights often enough. */
const manyRows = 16

/** x int8 [..., m, k] · weights int8 [n, k] → int32 [..., m, n], multiplied in the way that `wayOf` chooses. */
export const quantizedMatmulBy = (wayOf: (options: KernelOptions) => Way): KernelDef => ({
  op: 'QuantizedMatMul',
  supports: ({ inputs, outputs }) => [...inputs, ...outputs].every(({ shape }) => sizeOf(shape) > 0),
  compile(signature, options) {
    const weights = signature.inputs[1] as ConcreteType
    const [n, k] = weights.shape as readonly [number, number]
    const m = sizeOf(signature.outputs[0]!.shape) / n
    const key = signatureKey('QuantizedMatMul', signature, options)
    const spec = { way: wayOf(options), columns: n, xRow: k, yRow: 4 * n, groups: 1, xGroup: 0 }
    if (signature.constants?.has(1) && m >= manyRows && suitsLanes(k))
      return interleaved(key, { ...spec, depth: k }, m)
    return {
      workspaceBytes: 0,
      write: (module) =>
        module.once(key, () => [
          matrixStage(module, { ...spec, run: k, levels: [], wRow: k }, m, 3, (p) => [p[0]!, p[1]!, p[2]!]),
        ]),
    }
  },
})

/** A product with weights that were interleaved once: the last parameter. */
const interleaved = (key: string, spec: LaneSpec, m: number): CompiledKernel => ({
  workspaceBytes: 0,
  prepared: {
    bytes: planInterleaving(spec).bytes,
    replaces: weightsReplaced,
    write: (module) => [interleaveStage(module, spec, 3, (p) => [p[1]!, p[2]!])],
  },
  write: (module) =>
    module.once(`${key} interleaved`, () => [
      rowsStage(module, laneRows(module, spec), matrixUnits(m, spec.xRow), 4, (p) => [p[0]!, p[3]!, p[2]!]),
    ]),
})
