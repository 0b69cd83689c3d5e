// Fused kernels as WebAssembly functions over [begin, end) of their units: threads stay outside.
import type { FusedKernel, Lowering, Schedule } from '@shoal/core'
import { collapseAxes } from '@shoal/core'
import type { Stage } from '../stage.ts'
import type { ModuleBuilder } from '../wasm/index.ts'
import { kernelKey } from './key.ts'
import { planMap, writeMap } from './map.ts'
import { planReduce, type ReducingKernel, widenProducts, withTerms, writeReduce } from './reduce.ts'
import { width } from './vector.ts'

/** Writes a kernel into a module, and answers the function. Its arguments are the inputs and the output. */
export type WriteKernel = (module: ModuleBuilder) => Stage

/** Turns fused kernels into functions of WebAssembly modules. `relaxed`: may multiply-add round once? */
export function lowering(relaxed: boolean): Lowering<WriteKernel> {
  return {
    schedule: () => ({ vector: width, unroll: 1 }),
    lower: (kernel, schedule) => {
      const collapsed = collapseAxes(kernel)
      const key = `fused ${relaxed} ${kernelKey(collapsed)}`
      return (module) => module.once(key, () => writeKernel(module, collapsed, schedule, relaxed))
    },
  }
}

const product = (sizes: readonly number[]): number => sizes.reduce((p, size) => p * size, 1)
const isReducing = (kernel: FusedKernel): kernel is ReducingKernel => kernel.reduce !== undefined

function writeKernel(
  module: ModuleBuilder,
  given: FusedKernel,
  _schedule: Schedule,
  relaxed: boolean,
): Stage {
  const kernel = isReducing(given) ? withTerms(widenProducts(given)) : given
  const plan = isReducing(kernel) ? planReduce(kernel) : planMap(kernel)
  const buffers = [...kernel.inputs.map(() => 'i32' as const), 'i32' as const]
  const func = module.define(kernel.name, [...buffers, 'i32', 'i32'], 'none', (f, ...parameters) => {
    const inputs = parameters.slice(0, kernel.inputs.length)
    const [output, begin, end] = parameters.slice(kernel.inputs.length) as [never, never, never]
    const writer = { module, f, relaxed }
    if (isReducing(kernel)) writeReduce({ writer, kernel, plan: plan as never, inputs, output, begin, end })
    else writeMap(writer, kernel, plan as never, inputs, output, begin, end)
  })
  const units = product(plan.box)
  return { func, units, work: units === 0 ? 0 : product(kernel.axes) / units }
}
