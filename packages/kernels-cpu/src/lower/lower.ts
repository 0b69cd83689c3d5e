// Fused kernels as WebAssembly functions over [begin, end) of their units: threads stay outside.
import type { FusedKernel, Lowering, SimpleKernel } from '@shoal/core'
import { collapseAxes } from '@shoal/core'
import type { Stage } from '../stage.ts'
import type { Local, ModuleBuilder } from '../wasm/index.ts'
import { kernelKey } from './key.ts'
import { planMap, writeMap } from './map.ts'
import { planReduce, type ReducingKernel, widenProducts, withTerms, writeReduce } from './reduce.ts'
import type { Code } from './representation.ts'
import { width } from './vector.ts'

/** Writes a kernel into a module, and answers the function. Its arguments are the inputs and the output. */
export type WriteKernel = (module: ModuleBuilder) => Stage

/** Turns fused kernels into functions of WebAssembly modules. `relaxed`: may multiply-add round once? */
export function lowering(relaxed: boolean): Lowering<WriteKernel> {
  return {
    // There is one way to run a kernel here: the vectors are as wide as the engine has them.
    schedule: () => ({ vector: width, unroll: 1 }),
    lower: (kernel) => {
      const collapsed = collapseAxes(kernel)
      const key = `fused ${relaxed} ${kernelKey(collapsed)}`
      return (module) =>
        module.once(key, () => {
          const simple = asSimple(collapsed)
          const { reduce } = simple
          return reduce
            ? reducingStage(module, { ...simple, reduce }, relaxed)
            : mappingStage(module, simple, relaxed)
        })
    },
  }
}

function asSimple(kernel: FusedKernel): SimpleKernel {
  const [{ value, dtype, length }] = kernel.stores as [FusedKernel['stores'][0] & object]
  const [reduction] = kernel.reductions
  return {
    ...kernel,
    output: { dtype, length },
    body: reduction ? reduction.term : value,
    ...(reduction && { reduce: { ...reduction, epilogue: value } }),
  }
}

function mappingStage(module: ModuleBuilder, kernel: SimpleKernel, relaxed: boolean): Stage {
  const plan = planMap(kernel)
  return stageOf(module, kernel, plan.box, (f, { inputs, output, begin, end }) => {
    writeMap({ module, f, relaxed }, kernel, plan, inputs, output, begin, end)
  })
}

function reducingStage(module: ModuleBuilder, given: ReducingKernel, relaxed: boolean): Stage {
  const kernel = withTerms(widenProducts(given))
  const plan = planReduce(kernel)
  return stageOf(module, kernel, plan.box, (f, parameters) => {
    writeReduce({ writer: { module, f, relaxed }, kernel, plan, ...parameters })
  })
}

interface Parameters {
  readonly inputs: readonly Local<'i32'>[]
  readonly output: Local<'i32'>
  readonly begin: Local<'i32'>
  readonly end: Local<'i32'>
}

const product = (sizes: readonly number[]): number => sizes.reduce((p, size) => p * size, 1)

/** A function over the units of `box`: inputs, output and range are its parameters. */
function stageOf(
  module: ModuleBuilder,
  kernel: SimpleKernel,
  box: readonly number[],
  write: (f: Code, parameters: Parameters) => void,
): Stage {
  const types = Array.from({ length: kernel.inputs.length + 3 }, () => 'i32' as const)
  const func = module.define(kernel.name, types, 'none', (f, ...locals) => {
    const [output, begin, end] = locals.slice(-3) as [Local<'i32'>, Local<'i32'>, Local<'i32'>]
    write(f, { inputs: locals.slice(0, -3), output, begin, end })
  })
  const units = product(box)
  return { func, units, work: units === 0 ? 0 : product(kernel.axes) / units }
}
