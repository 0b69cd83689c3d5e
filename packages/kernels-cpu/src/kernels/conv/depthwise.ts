// Depthwise convolution and its gradient by the input, channels in lanes: sums over a window's elements, or over the windows of an element.
import type { Signature } from '@shoal/core'
import { type CompiledKernel, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { axesOf, type Sweep } from '../window/axes.ts'
import type { Axis } from '../window/axis.ts'
import { weightedSum } from '../window/reductions.ts'
import { sweepStage } from '../window/sweep.ts'
import { type ConvOp, elementOf, operandsOf, shapesOf, slidingWindow } from './geometry.ts'

/** Does every channel have a filter of its own, and make one channel? */
export function isDepthwise(op: ConvOp, signature: Signature): boolean {
  const [x, filter] = shapesOf(op, signature)
  return signature.attrs['groups'] === x.at(-1) && filter.at(-2) === 1 && filter.at(-1) === x.at(-1)
}

/** The windows of a depthwise convolution as seen from themselves, or from the elements of x. */
export function depthwiseSweep(op: ConvOp, signature: Signature, targets: Axis['targets']): Sweep {
  const [x] = shapesOf(op, signature)
  return {
    batch: x[0]!,
    channels: x.at(-1)!,
    element: elementOf(signature.outputs[0]!.dtype).element,
    axes: axesOf(slidingWindow(op, signature), targets),
  }
}

/** Conv of x and the filter, or ConvBackpropInput of the filter and dy. */
export function depthwiseKernel(
  op: 'Conv' | 'ConvBackpropInput',
  signature: Signature,
  options: KernelOptions,
): CompiledKernel {
  const { image, other, answer } = operandsOf(op, signature)
  const sweep = depthwiseSweep(op, signature, op === 'Conv' ? 'windows' : 'elements')
  return {
    workspaceBytes: 0,
    write: (module) =>
      module.once(signatureKey(op, signature, options), () => [
        sweepStage(module, sweep, weightedSum(options.relaxed), answer + 1, (p) => ({
          sources: [p[image]!],
          weights: p[other]!,
          target: p[answer]!,
        })),
      ]),
  }
}
