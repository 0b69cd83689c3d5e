// Convolutions by windows of one element are products of matrices: pixels by channels.
import type { ConcreteType, Signature } from '@shoal/core'
import { sizeOf } from '@shoal/core'
import type { Stage } from '../../stage.ts'
import { call, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'
import { type CompiledKernel, type KernelOptions, weightsReplaced } from '../kernelDef.ts'
import { matmul } from '../matmul.ts'
import { type ConvOp, convolutionOf, operandsOf, shapesOf, volume } from './geometry.ts'

/** Does every window see one pixel, each its own? */
export function isPointwise(op: ConvOp, signature: Signature): boolean {
  const { input, kernel, output, strides, before, groups } = convolutionOf(op, signature)
  // Padding behind the image can make as many windows as pixels although strides leave pixels out.
  const same = input.every(
    (size, a) => size === output[a] && before[a] === 0 && (strides[a] === 1 || size === 1),
  )
  return groups === 1 && volume(kernel) === 1 && same
}

/** y = x · filter, dx = dy · filterᵀ and dfilter = xᵀ · dy, all pixels of all images being rows of one matrix. */
export function pointwiseKernel(op: ConvOp, signature: Signature, options: KernelOptions): CompiledKernel {
  const [x, filter] = shapesOf(op, signature)
  const { dtype } = signature.outputs[0]!
  const matrix = (rows: number, columns: number): ConcreteType => ({ dtype, shape: [rows, columns] })
  const [seen, made] = filter.slice(-2) as unknown as readonly [number, number]
  const pixels = sizeOf(x.slice(0, -1))
  const [images, weights, results] = [matrix(pixels, seen), matrix(seen, made), matrix(pixels, made)]
  const { image, other, answer } = operandsOf(op, signature)
  const [a, b, c] = {
    Conv: [images, weights, results] as const,
    ConvBackpropInput: [results, weights, images] as const,
    ConvBackpropFilter: [images, results, weights] as const,
  }[op]
  const product = matmul.compile(
    {
      inputs: [a, b],
      outputs: [c],
      attrs: { transposeA: op === 'ConvBackpropFilter', transposeB: op === 'ConvBackpropInput' },
      ...(op !== 'ConvBackpropFilter' && signature.constants?.has(1) && { constants: new Set([1]) }),
    },
    options,
  )
  const picks = [image, other, answer]
  const write = (module: ModuleBuilder, stages: readonly Stage[]) =>
    picks.every((pick, i) => pick === i)
      ? stages
      : stages.map((stage) => {
          const rest = stage.func.params.length - picks.length - 2
          return taking(module, stage, answer + 1 + rest, (p) => [
            ...picks.map((pick) => p[pick]!),
            ...p.slice(answer + 1, answer + 1 + rest),
          ])
        })
  return {
    workspaceBytes: product.workspaceBytes,
    write: (module) => write(module, product.write(module)),
    ...(product.prepared && {
      prepared: {
        bytes: product.prepared.bytes,
        replaces: weightsReplaced,
        write: (module) => write(module, product.prepared!.write(module)),
      },
    }),
  }
}

/** A stage with `parameters` parameters, that takes its own by what `operands` makes of them. */
export function taking(
  module: ModuleBuilder,
  stage: Stage,
  parameters: number,
  operands: (parameters: readonly Local<'i32'>[]) => readonly Value<'i32'>[],
): Stage {
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define(`${stage.func.name}_taking`, types, 'none', (f, ...locals) => {
    f.do(call(stage.func, ...operands(locals), ...locals.slice(-2)))
  })
  return { ...stage, func }
}
