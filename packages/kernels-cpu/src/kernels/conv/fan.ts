// Convolutions that make fewer channels than a vector has lanes would leave lanes empty, and gradients through large strides would meet mostly zeros: a product fans every pixel out to what it gives to each tap, and a sweep collects that.
import type { Signature } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import { elements } from '../../gemm/microKernel.ts'
import { i32 } from '../../wasm/index.ts'
import { type CompiledKernel, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { matmul } from '../matmul.ts'
import { axesOf, type Sweep } from '../window/axes.ts'
import { sum } from '../window/reductions.ts'
import { sweepStage } from '../window/sweep.ts'
import { convolutionOf, elementOf, operandsOf, shapesOf, slidingWindow, volume } from './geometry.ts'
import { mostPhases } from './phases.ts'
import { taking } from './pointwise.ts'

type FanOp = 'Conv' | 'ConvBackpropInput'

/** Scratch memory beyond which the product would not stay in any cache. */
const mostBytes = 32 * 1024 * 1024

/** Channels of a pixel below which the product is not worth the memory that it passes through. */
const fewest = 8

/** Sizes of the product [pixels, channels] · [taps · made, channels]ᵀ. */
function fanOf(op: FanOp, signature: Signature) {
  const { batch, input, output, kernel, seen, made } = convolutionOf(op, signature)
  const [pixels, channels, each] = op === 'Conv' ? [input, seen, made] : [output, made, seen]
  return { pixels: batch * volume(pixels), channels, made: each, columns: volume(kernel) * each }
}

/** Is it worth it, and does the filter lie in memory as the product needs it? */
export function isFanned(op: FanOp, signature: Signature): boolean {
  const { groups, strides } = convolutionOf(op, signature)
  const { bytes, element } = elementOf(signature.outputs[0]!.dtype)
  const { pixels, channels, made, columns } = fanOf(op, signature)
  // Forward, windows with a stride would leave most of the product unused, and a filter of several channels has those last.
  const fits = op === 'ConvBackpropInput' || (volume(strides) === 1 && made === 1)
  const wanted = made < elements[element].lanes || volume(strides) > mostPhases
  return groups === 1 && fits && wanted && channels >= fewest && pixels * columns * bytes <= mostBytes
}

/** Conv of x and the filter, or ConvBackpropInput of the filter and dy. */
export function fanKernel(op: FanOp, signature: Signature, options: KernelOptions): CompiledKernel {
  const { pixels, channels, made, columns } = fanOf(op, signature)
  const [x] = shapesOf(op, signature)
  const { dtype } = signature.outputs[0]!
  const type = (...shape: number[]) => ({ dtype, shape })
  const product = matmul.compile(
    {
      inputs: [type(pixels, channels), type(columns, channels)],
      outputs: [type(pixels, columns)],
      attrs: { transposeA: false, transposeB: true },
    },
    options,
  )
  const sweep: Sweep = {
    batch: x[0]!,
    channels: made,
    element: elementOf(dtype).element,
    axes: axesOf(slidingWindow(op, signature), op === 'Conv' ? 'windows' : 'elements'),
    fanned: true,
  }
  const { image, other, answer } = operandsOf(op, signature)
  const fanBytes = Math.ceil((sizeOf([pixels, columns]) * dtypes[dtype].bytes) / 64) * 64
  return {
    workspaceBytes: fanBytes + product.workspaceBytes,
    write: (module) =>
      module.once(signatureKey(op, signature, options), () => [
        ...product
          .write(module)
          .map(({ finishes: _, ...stage }) =>
            taking(module, stage, answer + 2, (p) => [
              p[image]!,
              p[other]!,
              p[answer + 1]!,
              ...(product.workspaceBytes > 0 ? [i32.add(p[answer + 1]!, fanBytes)] : []),
            ]),
          ),
        sweepStage(module, sweep, sum, answer + 2, (p) => ({
          sources: [p[answer + 1]!],
          target: p[answer]!,
        })),
      ]),
  }
}
