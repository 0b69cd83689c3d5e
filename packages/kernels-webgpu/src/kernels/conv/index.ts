// The kernels of convolutions: products in tiles where groups have enough channels, direct sums where they have few.
import { boundInputs, type Signature, sizeOf } from '@shoal/core'
import type { BufferUse, Target } from '../../stage.ts'
import type { KernelDef } from '../kernelDef.ts'
import { directPass } from './direct.ts'
import { directFilterPass } from './directFilter.ts'
import { finished, type Pass, zeroPass } from './finish.ts'
import {
  backwardWalk,
  type Convolution,
  type ConvOp,
  convolutionOf,
  forwardWalk,
  type Walk,
} from './geometry.ts'
import { productClass, productPass, productSizes } from './product.ts'
import { type ProductSizes, tilingsOf } from './schedule.ts'

/** A product of fewer columns leaves most of a tile empty. */
const fewestColumns = 8

function kernel(op: ConvOp): KernelDef {
  return {
    op,
    epilogue: true,
    tuning: {
      kind: 'convolution',
      candidates(signature, target) {
        const { sizes } = shapeOf(op, signature)
        return {
          name: productClass(op, sizes, signature.inputs[0]!.dtype),
          schedules: sizes.columns >= fewestColumns ? tilingsOf(sizes, target) : [],
        }
      },
    },
    compile(signature, target, places) {
      const output = signature.outputs[0]!
      if (sizeOf(output.shape) === 0) return { stages: [], workspaceBytes: 0 }
      return finished(passOf(op, signature, target), output, target, places)
    },
  }
}

interface ConvShape {
  readonly convolution: Convolution
  readonly walk: Walk
  readonly sizes: ProductSizes
}

function shapeOf(op: ConvOp, signature: Signature): ConvShape {
  const convolution = convolutionOf(op, signature)
  const walk = op === 'ConvBackpropInput' ? backwardWalk(convolution) : forwardWalk(convolution)
  return { convolution, walk, sizes: productSizes(op, convolution, walk) }
}

function passOf(op: ConvOp, signature: Signature, target: Target): Pass {
  const { convolution, walk, sizes } = shapeOf(op, signature)
  if (sizes.depth === 0) return zeroPass(signature.outputs[0]!)
  const [first, second] = boundInputs(signature).map(
    ({ dtype, shape }, arg): BufferUse => ({ arg, dtype, length: sizeOf(shape), access: 'read' }),
  ) as [BufferUse, BufferUse]
  // What windows see comes first: x, or the gradient of the answer, which is given behind the filter.
  const uses = op === 'ConvBackpropInput' ? ([second, first] as const) : ([first, second] as const)
  if (sizes.columns >= fewestColumns) return productPass(op, convolution, walk, uses, target)
  return op === 'ConvBackpropFilter'
    ? directFilterPass(convolution, walk, uses)
    : directPass(op, convolution, walk, uses)
}

/** Conv, ConvBackpropInput, ConvBackpropFilter of float32, float16 and bfloat16, summed in float32; QuantizedConv, exact. */
export const convKernels: readonly KernelDef[] = (
  ['Conv', 'ConvBackpropInput', 'ConvBackpropFilter', 'QuantizedConv'] as const
).map(kernel)
