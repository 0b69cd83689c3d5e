// QuantizedMatMul: activations and weights are read as they lie in memory, nothing is packed.
import { type ConcreteType, sizeOf } from '@shoal/core'
import { type KernelDef, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { matrixStage } from './dotRows.ts'
import type { Way } from './way.ts'

/** x int8 [..., m, k] · weights int8 [n, k] → int32 [..., m, n], multiplied in the way that `wayOf` chooses. */
export const quantizedMatmulBy = (wayOf: (options: KernelOptions) => Way): KernelDef => ({
  op: 'QuantizedMatMul',
  supports: ({ inputs, outputs }) => [...inputs, ...outputs].every(({ shape }) => sizeOf(shape) > 0),
  compile(signature, options) {
    const weights = signature.inputs[1] as ConcreteType
    const [n, k] = weights.shape as readonly [number, number]
    const m = sizeOf(signature.outputs[0]!.shape) / n
    const spec = {
      way: wayOf(options),
      columns: n,
      run: k,
      levels: [],
      xRow: k,
      wRow: k,
      yRow: 4 * n,
      groups: 1,
      xGroup: 0,
    }
    return {
      workspaceBytes: 0,
      write: (module) =>
        module.once(signatureKey('QuantizedMatMul', signature, options), () => [
          matrixStage(module, spec, m, 3, (p) => [p[0]!, p[1]!, p[2]!]),
        ]),
    }
  },
})
