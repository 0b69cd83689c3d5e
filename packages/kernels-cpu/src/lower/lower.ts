// Fused kernels as WebAssembly functions over [begin, end) of their units: threads stay outside.
import type { Expr, FusedKernel, Lowering } from '@shoal/core'
import { collapseAxes, sizeOf, subexpressions } from '@shoal/core'
import type { CompiledKernel } from '../kernels/kernelDef.ts'
import type { Stage } from '../stage.ts'
import type { Local, ModuleBuilder } from '../wasm/index.ts'
import { columnBox, writeColumns } from './columns.ts'
import { kernelKey } from './key.ts'
import { planMap, writeElements, writeMap } from './map.ts'
import { passesOf } from './passes.ts'
import { strideOf } from './row.ts'
import { writeRows } from './rows.ts'
import { planParts, writeJoin, writeParts } from './split.ts'
import { stashCostly, type StashedPasses } from './stash.ts'
import { keptAxes, type Task } from './task.ts'
import { width } from './vector.ts'

/** Turns fused kernels into functions of WebAssembly modules; their arguments are the inputs and the outputs. `relaxed`: may multiply-add round once? */
export function lowering(relaxed: boolean): Lowering<CompiledKernel> {
  return {
    // There is one way to run a kernel here: the vectors are as wide as the engine has them.
    schedule: () => ({ vector: width, unroll: 1 }),
    lower: (given) => {
      const plain = passesOf(collapseAxes(given))
      const key = `fused ${relaxed} ${kernelKey(plain.kernel)}`
      const passes = stashCostly(plain)
      const { workspaceBytes, stages } = planStages(passes)
      return {
        workspaceBytes,
        write: (module) =>
          stages.map((stage, i) =>
            module.once(`${key} ${i}`, () => stageOf(module, passes, stage, workspaceBytes > 0, relaxed)),
          ),
      }
    },
  }
}

/**
 * A kernel without reductions as one function over spans of its elements, in units of `unit` elements: its arguments are inputs, outputs,
 * and the range of units.
 */
export function lowerSpans(
  given: FusedKernel,
  relaxed: boolean,
): {
  readonly unit: number
  readonly elements: number
  readonly write: (module: ModuleBuilder) => Stage['func']
} {
  const passes = stashCostly(passesOf(collapseAxes(given)))
  const { kernel } = passes
  const elements = sizeOf(kernel.axes)
  const outer = kernel.axes.slice(0, -1)
  // One long row may be begun anywhere, others are taken whole.
  const unit = outer.length === 0 ? 1 : kernel.axes.at(-1)!
  const plan = { box: [...outer, 1], length: unit, block: unit }
  const write = outer.length === 0 ? writeElements : (task: Task) => writeMap(task, plan)
  const stage = { box: [elements / unit], work: elements, write }
  const key = `spans ${relaxed} ${kernelKey(kernel)}`
  return {
    unit,
    elements,
    write: (module) => module.once(key, () => stageOf(module, passes, stage, false, relaxed)).func,
  }
}

interface StagePlan {
  /** Units are counted over a row-major box of this shape. */
  readonly box: readonly number[]
  readonly work: number
  readonly write: (task: Task, workspace: Local<'i32'>) => void
}

function planStages(passes: StashedPasses): {
  readonly workspaceBytes: number
  readonly stages: readonly StagePlan[]
} {
  const { kernel } = passes
  const whole = (box: readonly number[], write: StagePlan['write']) => ({
    workspaceBytes: 0,
    stages: [{ box, work: sizeOf(kernel.axes) * Math.max(1, passes.passes.length), write }],
  })
  if (kernel.reductions.length === 0) {
    const plan = planMap(kernel)
    return whole(plan.box, (task) => writeMap(task, plan))
  }
  const form = formOf(kernel)
  const parts = planParts(passes, form)
  if (parts)
    return {
      workspaceBytes: parts.workspaceBytes,
      stages: [
        {
          box: parts.box,
          work: sizeOf(kernel.axes),
          write: (task, workspace) => writeParts(task, parts, workspace),
        },
        {
          box: keptAxes(kernel),
          work: sizeOf(keptAxes(kernel)) * parts.count,
          write: (task, workspace) => writeJoin(task, parts, workspace),
        },
      ],
    }
  return form === 'rows'
    ? whole(keptAxes(kernel), writeRows)
    : whole(columnBox(keptAxes(kernel)), writeColumns)
}

/** Down columns if the loads then walk through memory in smaller steps. */
function formOf(kernel: FusedKernel): 'rows' | 'columns' {
  const kept = keptAxes(kernel)
  const columns = kept.at(-1) ?? 1
  const [across, along] = [scattered(kernel, kept.length - 1), scattered(kernel, kernel.axes.length - 1)]
  const better = across < along || (across === along && columns > (kernel.axes.at(-1) ?? 1))
  return kept.length > 0 && columns >= width && better ? 'columns' : 'rows'
}

/** Loads and stores that neither stay nor step to the next element along an axis. */
function scattered(kernel: FusedKernel, axis: number): number {
  const strides = [
    ...subexpressions(
      ...kernel.reductions.map(({ term }) => term),
      ...kernel.stores.map(({ value }) => value),
    ),
  ]
    .filter((e): e is Extract<Expr, { op: 'load' }> => e.op === 'load')
    .map((e) => strideOf(e.index, kernel.inputs[e.input]!.length, axis, kernel))
  strides.push(...kernel.stores.map(({ index, length }) => strideOf(index, length, axis, kernel)))
  return strides.filter((stride) => stride !== 0 && stride !== 1).length
}

/** A function over the units of a stage: inputs, outputs, perhaps scratch memory, and the range are its parameters. */
function stageOf(
  module: ModuleBuilder,
  passes: StashedPasses,
  { box, work, write }: StagePlan,
  scratch: boolean,
  relaxed: boolean,
): Stage {
  const { stores, name } = passes.kernel
  const inputs = passes.kernel.inputs.length - passes.reread.length
  const count = inputs + stores.length + (scratch ? 3 : 2)
  const types = Array.from({ length: count }, () => 'i32' as const)
  const func = module.define(name, types, 'none', (f, ...locals) => {
    const [workspace, begin, end] = locals.slice(-3) as [Local<'i32'>, Local<'i32'>, Local<'i32'>]
    const outputs = locals.slice(inputs, inputs + stores.length)
    const task = {
      ...passes,
      writer: { module, f, relaxed },
      inputs: [...locals.slice(0, inputs), ...passes.reread.map((output) => outputs[output]!)],
      outputs,
      begin,
      end,
    }
    write(task, workspace)
  })
  const units = sizeOf(box)
  return { func, units, work: units === 0 ? 0 : work / units }
}
