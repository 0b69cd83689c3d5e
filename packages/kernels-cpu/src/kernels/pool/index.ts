// MaxPool, AvgPool and their gradients for float32 and float64: sweeps over windows, or over the windows that an element is in.
import type { PoolAttrs, Signature } from '@shoal/core'
import { boundInputs, dtypes, sizeOf, windowOf } from '@shoal/core'
import type { Stage } from '../../stage.ts'
import type { ModuleBuilder } from '../../wasm/index.ts'
import { type KernelDef, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { axesOf, type Sweep } from '../window/axes.ts'
import {
  greatest,
  mean,
  type Reduction,
  share,
  sum,
  sumOfNamed,
  whereGreatest,
} from '../window/reductions.ts'
import { type SweepOperands, sweepStage } from '../window/sweep.ts'

const supports = ({ inputs, outputs }: Signature): boolean =>
  [...inputs, ...outputs].every(({ dtype }) => dtype === 'float32' || dtype === 'float64')

/** Windows over the input of a pooling, which its first input has the shape of, and from where they are seen. */
function sweepOf({ inputs, outputs, attrs }: Signature, targets: 'windows' | 'elements'): Sweep {
  const { shape } = inputs[0]!
  const pool = attrs as unknown as PoolAttrs
  return {
    batch: shape[0]!,
    channels: shape.at(-1)!,
    element: outputs[0]!.dtype === 'float64' ? 'f64' : 'f32',
    axes: axesOf(windowOf(shape.slice(1, -1), pool.size, pool), targets),
  }
}

/** A pooling: one sweep over its windows. */
const pooling = (op: string, reduction: Reduction): KernelDef => ({
  op,
  supports,
  compile: (signature, options) => ({
    workspaceBytes: 0,
    write: (module) =>
      module.once(signatureKey(op, signature, options), () => [
        sweepStage(module, sweepOf(signature, 'windows'), reduction, 2, ([x, y]) => ({
          sources: [x!],
          target: y!,
        })),
      ]),
  }),
})

/**
 * The gradient of a pooling: one sweep makes something of every window, kept in scratch memory, and one collects it for every element.
 * Operands are x where it is bound, dy, dx and scratch memory.
 */
const poolingGradient = (
  op: string,
  first: (options: KernelOptions) => Reduction,
  firstOperands: (x: Address, dy: Address, scratch: Address) => SweepOperands,
  second: Reduction,
  secondSources: (dy: Address, scratch: Address) => readonly Address[],
): KernelDef => ({
  op,
  supports,
  compile(signature, options) {
    const bound = boundInputs(signature).length
    const { dtype, shape } = signature.inputs[1]!
    const write = (module: ModuleBuilder): readonly Stage[] => [
      sweepStage(module, sweepOf(signature, 'windows'), first(options), bound + 2, (p) =>
        firstOperands(p[0]!, p[bound - 1]!, p[bound + 1]!),
      ),
      sweepStage(module, sweepOf(signature, 'elements'), second, bound + 2, (p) => ({
        sources: secondSources(p[bound - 1]!, p[bound + 1]!),
        target: p[bound]!,
      })),
    ]
    return {
      workspaceBytes: sizeOf(shape) * dtypes[dtype].bytes,
      write: (module) => module.once(signatureKey(op, signature, options), () => write(module)),
    }
  },
})

type Address = SweepOperands['target']

/** The poolings that have code. */
export const pools: readonly KernelDef[] = [
  pooling('MaxPool', greatest),
  pooling('AvgPool', mean),
  poolingGradient(
    'MaxPoolGrad',
    ({ relaxed }) => whereGreatest(relaxed),
    (x, _, scratch) => ({ sources: [x], target: scratch }),
    sumOfNamed,
    (dy, scratch) => [dy, scratch],
  ),
  poolingGradient(
    'AvgPoolGrad',
    () => share,
    (_, dy, scratch) => ({ sources: [], given: dy, target: scratch }),
    sum,
    (_, scratch) => [scratch],
  ),
]
