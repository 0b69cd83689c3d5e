// Conv and its two gradients for float32 and float64, without im2col: one copy into a border, then register blocks that read it in place.
import type { Signature } from '@shoal/core'
import { sizeOf } from '@shoal/core'
import { elements } from '../../gemm/microKernel.ts'
import { i32, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'
import type { Stage } from '../../stage.ts'
import {
  type CompiledKernel,
  type KernelDef,
  type KernelOptions,
  signatureKey,
  weightsReplaced,
} from '../kernelDef.ts'
import { borderStage } from './border.ts'
import { depthwiseKernel, isDepthwise } from './depthwise.ts'
import { depthwiseFilterKernel } from './depthwiseFilter.ts'
import { fanKernel, isFanned } from './fan.ts'
import { filterStage, planFilter } from './filterGradient.ts'
import {
  borderBytes,
  type ConvOp,
  forwardSliding,
  isBorderless,
  type Operands,
  operandsOf,
  type Sliding,
  volume,
} from './geometry.ts'
import { backwardPhases } from './phases.ts'
import { isPointwise, pointwiseKernel } from './pointwise.ts'
import { positionStage } from './positions.ts'
import { planPhases, weightStage } from './weights.ts'
import { type Phase, windowStage } from './windows.ts'

type Parameters = readonly Local<'i32'>[]

const supports = ({ inputs, outputs }: Signature): boolean =>
  [...inputs, ...outputs].every(
    ({ dtype, shape }) => (dtype === 'float32' || dtype === 'float64') && sizeOf(shape) > 0,
  )

const roundUp = (bytes: number): number => Math.ceil(bytes / 64) * 64

/** The box is the image itself where there is no border, otherwise the beginning of the scratch memory. */
interface Parts extends Operands {
  readonly sliding: Sliding
  /** All parameters of the kernel but the range; scratch memory, where there is some, is the last. */
  readonly count: number
}

function partsOf(op: ConvOp, signature: Signature, sliding: Sliding, workspaceBytes: number): Parts {
  const operands = operandsOf(op, signature)
  return { ...operands, sliding, count: operands.answer + (workspaceBytes > 0 ? 2 : 1) }
}

function boxOf({ sliding, image, answer }: Parts, parameters: Parameters): Value<'i32'> {
  return parameters[isBorderless(sliding.border) ? image : answer + 1]!
}

function border(module: ModuleBuilder, operands: Parts): Stage[] {
  const { sliding, count, image, answer } = operands
  if (isBorderless(sliding.border)) return []
  return [borderStage(module, sliding, count, (p) => [p[image]!, p[answer + 1]!])]
}

/** Conv, and its gradient by x as convolutions of dy. A filter that is constant is packed once. */
function slidingKernel(
  op: 'Conv' | 'ConvBackpropInput',
  signature: Signature,
  options: KernelOptions,
): CompiledKernel {
  if (isPointwise(op, signature)) return pointwiseKernel(op, signature, options)
  if (isDepthwise(op, signature)) return depthwiseKernel(op, signature, options)
  if (isFanned(op, signature)) return fanKernel(op, signature, options)
  const backward = op === 'ConvBackpropInput'
  const slidings = backward ? backwardPhases(signature) : [forwardSliding(op, signature)]
  const panels = planPhases(slidings, options)
  const phases = slidings.map((sliding, i): Phase => ({ sliding, panels: panels[i]! }))
  const prepared = signature.constants?.has(1) === true
  // Register blocks may have been measured since an equal signature was compiled.
  const key = `${signatureKey(op, signature, options)} ${prepared} ${JSON.stringify(panels)}`
  const boxBytes = isBorderless(slidings[0]!.border) ? 0 : roundUp(borderBytes(slidings[0]!))
  // There is always scratch memory, even where no window sees a tap.
  const packedBytes = roundUp(Math.max(64, panels.at(-1)!.end))
  const workspaceBytes = boxBytes + (prepared ? 0 : packedBytes)
  const scratch = partsOf(op, signature, slidings[0]!, workspaceBytes)
  const operands = { ...scratch, count: scratch.count + (prepared ? 1 : 0) }
  const packed = (p: Parameters) =>
    prepared ? p[operands.count - 1]! : i32.add(p[operands.answer + 1]!, boxBytes)
  const pack = (
    module: ModuleBuilder,
    parameters: number,
    addresses: (p: Parameters) => readonly [Value<'i32'>, Value<'i32'>],
  ): Stage[] =>
    phases
      .filter(({ sliding }) => volume(sliding.kernel) > 0)
      .map((phase) => weightStage(module, phase.sliding, phase.panels, backward, parameters, addresses))
  return {
    workspaceBytes,
    write: (module) =>
      module.once(key, () => [
        ...border(module, operands),
        ...(prepared ? [] : pack(module, operands.count, (p) => [p[operands.other]!, packed(p)])),
        windowStage(module, phases, options.relaxed, operands.count, (p) => [
          boxOf(operands, p),
          packed(p),
          p[operands.answer]!,
        ]),
      ]),
    ...(prepared && {
      prepared: {
        bytes: packedBytes,
        replaces: weightsReplaced,
        // The memory to fill stands where the answer stands otherwise: after the inputs.
        write: (module) =>
          pack(module, operands.answer + 1, (p) => [p[operands.other]!, p[operands.answer]!]),
      },
    }),
  }
}

/** Convolution; x [batch, ...spatial, in], filter [...spatial, in / groups, out]. */
export const conv: KernelDef = {
  op: 'Conv',
  supports,
  compile: (signature, options) => slidingKernel('Conv', signature, options),
}

/** Its gradient by x. */
export const convBackpropInput: KernelDef = {
  op: 'ConvBackpropInput',
  supports,
  compile: (signature, options) => slidingKernel('ConvBackpropInput', signature, options),
}

/** Its gradient by the filter. */
export const convBackpropFilter: KernelDef = {
  op: 'ConvBackpropFilter',
  supports,
  compile(signature, options) {
    const op = 'ConvBackpropFilter'
    if (isPointwise(op, signature)) return pointwiseKernel(op, signature, options)
    if (isDepthwise(op, signature)) return depthwiseFilterKernel(signature, options)
    const sliding = forwardSliding(op, signature)
    const plan = planFilter(sliding, options)
    const { panels } = plan
    const boxBytes = isBorderless(sliding.border) ? 0 : roundUp(borderBytes(sliding))
    const workspaceBytes = boxBytes + roundUp(panels.bytes)
    const operands = partsOf(op, signature, sliding, workspaceBytes)
    const packed = (parameters: Parameters) =>
      panels.packed ? i32.add(parameters[operands.answer + 1]!, boxBytes) : parameters[operands.other]!
    const pack = (module: ModuleBuilder) =>
      positionStage(module, sliding, panels, elements[sliding.element], operands.count, (p) => [
        p[operands.other]!,
        packed(p),
      ])
    return {
      workspaceBytes,
      write: (module) =>
        module.once(`${signatureKey(op, signature, options)} ${JSON.stringify(plan)}`, () => [
          ...border(module, operands),
          ...(panels.packed ? [pack(module)] : []),
          filterStage(module, sliding, plan, options.relaxed, operands.count, (p) => [
            boxOf(operands, p),
            packed(p),
            p[operands.answer]!,
          ]),
        ]),
    }
  },
}
