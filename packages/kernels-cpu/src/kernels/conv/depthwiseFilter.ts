// The gradient of a depthwise convolution by its filter: some lines of weights are summed in registers while a tile of windows passes by.
import type { Signature } from '@shoal/core'
import { boundInputs } from '@shoal/core'
import { elements } from '../../gemm/microKernel.ts'
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import {
  call,
  type Func,
  i32,
  type Local,
  memory,
  type ModuleBuilder,
  select,
  type Value,
} from '../../wasm/index.ts'
import { type CompiledKernel, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { findMeetings } from '../window/axis.ts'
import { type Pattern, runsOf } from '../window/columns.ts'
import { readAhead, readNewest } from '../window/readAhead.ts'
import type { Sweep } from '../window/axes.ts'
import { depthwiseSweep } from './depthwise.ts'

type Address = Value<'i32'>

/** Parts that the lines of windows are cut into; each has sums of its own, so that they may be computed at the same time. */
const mostParts = 16

/** Sums kept in registers, beside an element of x and the windows that it is in. */
const sums = 10

/** Products that are written out for a tile. */
const productsTogether = 128

/** Elements of the gradient that are added up as one unit of work. */
const addedTogether = 512

interface Plan {
  readonly sweep: Sweep
  readonly relaxed: boolean
  /** Lines of windows of a part, and how many parts there are. */
  readonly part: number
  readonly parts: number
  /** Elements of the gradient. */
  readonly size: number
}

/** ConvBackpropFilter of x and dy. */
export function depthwiseFilterKernel(signature: Signature, options: KernelOptions): CompiledKernel {
  const op = 'ConvBackpropFilter'
  const sweep = depthwiseSweep(op, signature, 'windows')
  const [depth, height, width] = sweep.axes
  const lines = sweep.batch * depth.windows * height.windows
  const part = Math.ceil(lines / mostParts)
  const size = depth.kernel * height.kernel * width.kernel * sweep.channels
  const plan: Plan = { sweep, relaxed: options.relaxed, part, parts: Math.ceil(lines / part), size }
  const answer = boundInputs(signature).length
  return {
    workspaceBytes: plan.parts * size * elements[sweep.element].bytes,
    write: (module) =>
      module.once(signatureKey(op, signature, options), () => [
        partStage(module, plan, answer + 2, (p) => [p[0]!, p[answer - 1]!, p[answer + 1]!]),
        sumStage(module, plan, answer + 2, (p) => [p[answer + 1]!, p[answer]!]),
      ]),
  }
}

/** A stage of one unit per part. `addresses` picks x, dy and the sums of all parts out of the parameters. */
function partStage(
  module: ModuleBuilder,
  plan: Plan,
  parameters: number,
  addresses: (parameters: readonly Local<'i32'>[]) => readonly [x: Address, dy: Address, parts: Address],
): Stage {
  const { batch, channels, axes, element } = plan.sweep
  const [depth, height, width] = axes
  const { bytes } = elements[element]
  const pixel = channels * bytes
  const [xLine, dyLine] = [width.elements * pixel, width.windows * pixel]
  const lines = batch * depth.windows * height.windows
  const xBytes = batch * depth.elements * height.elements * xLine
  const together = Math.max(1, Math.min(height.kernel, Math.floor(sums / width.kernel)))
  const runs = runsOf(width, Math.max(4, Math.floor(productsTogether / (together * width.kernel))))
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('depthwiseFilter', types, 'none', (f, ...locals) => {
    const [x, dy, parts] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    f.forRange(begin, end, 1, (unit) => {
      const first = f.let(i32.mul(unit, plan.part))
      const beyond = f.let(i32.add(first, plan.part))
      const last = f.let(select(i32.lt_u(beyond, lines), beyond, i32.const(lines)))
      const to = f.let(i32.add(parts, i32.mul(unit, plan.size * bytes)))
      f.do(memory.fill(to, 0, plan.size * bytes))
      overUnits(f, [batch, depth.windows, height.windows], first, last, ([b, d, h], window) => {
        const [planes, rows] = [findMeetings(f, depth, d!), findMeetings(f, height, h!)]
        const flow = f.let(i32.add(dy, i32.mul(window, dyLine)))
        readAhead(f, flow, dyLine, xBytes)
        f.forRange(0, planes.count, 1, (p) => {
          const plane = i32.add(planes.source, i32.mul(p, depth.dilation))
          const image = i32.add(i32.mul(b!, depth.elements), plane)
          const row = i32.add(i32.mul(image, height.elements), rows.source)
          const from = f.let(i32.add(x, i32.mul(row, xLine)))
          const tap = i32.add(i32.mul(i32.add(planes.tap, p), height.kernel), rows.tap)
          const sum = f.let(i32.add(to, i32.mul(tap, width.kernel * pixel)))
          const left = f.let(rows.count)
          readNewest(f, height, from, left, xLine, xBytes)
          /** Meets `count` lines of x at once, while there are so many left. */
          const meet = (count: number) =>
            f.while(i32.ge_u(left, count), () => {
              for (const run of runs) {
                const tile = tileFunction(module, plan, run.pattern, count)
                f.forRange(0, run.count, 1, (t) => {
                  const source = i32.add(i32.mul(t, run.sourceStep * pixel), run.source * pixel)
                  const target = i32.add(i32.mul(t, run.targetStep * pixel), run.target * pixel)
                  f.do(call(tile, i32.add(from, source), i32.add(flow, target), sum))
                })
              }
              f.set(from, i32.add(from, count * height.dilation * xLine))
              f.set(sum, i32.add(sum, count * width.kernel * pixel))
              f.set(left, i32.sub(left, count))
            })
          if (together > 1) meet(together)
          meet(1)
        })
      })
    })
  })
  return { func, units: plan.parts, work: (plan.part * width.windows * plan.size) / 8 }
}

/**
 * Adds what a tile of windows and `lines` lines of x under them give to the weights of those lines of the filter, for all channels.
 * Parameters: the first element of x that a window sees, the first window of dy, and the weights.
 */
function tileFunction(
  module: ModuleBuilder,
  { sweep, relaxed }: Plan,
  pattern: Pattern,
  lines: number,
): Func<readonly 'i32'[], 'none'> {
  const { channels, axes } = sweep
  const [, height, width] = axes
  const element = elements[sweep.element]
  const pixel = channels * element.bytes
  const line = height.dilation * width.elements * pixel
  const whole = channels - (channels % element.lanes)
  const name = `depthwiseFilter_${lines}x${pattern.targets}`
  return module.once(`${name} ${JSON.stringify([sweep, relaxed, pattern])}`, () =>
    module.define(name, ['i32', 'i32', 'i32'], 'none', (f, x, dy, sum) => {
      const vector = (lanes: number) => {
        const places = Array.from({ length: lines }, (_, i) => f.let(i32.add(x, i * line)))
        const place = (i: number, tap: number) => (i * width.kernel + tap) * pixel
        const totals = places.map((_, i) =>
          Array.from({ length: width.kernel }, (_, tap) => f.let(element.load(sum, lanes, place(i, tap)))),
        )
        const windows = new Map<number, Local<'v128'>>()
        for (const { source, meetings } of pattern.columns) {
          for (const { target } of meetings)
            if (!windows.has(target)) windows.set(target, f.let(element.load(dy, lanes, target * pixel)))
          places.forEach((from, i) => {
            const here = f.let(element.load(from, lanes, source * pixel))
            for (const { target, tap } of meetings) {
              const total = totals[i]![tap]!
              f.set(total, element.multiplyAdd(here, windows.get(target)!, total, relaxed))
            }
          })
        }
        totals.forEach((all, i) =>
          all.forEach((total, tap) => f.do(...element.store(sum, total, lanes, place(i, tap)))),
        )
      }
      f.forRange(0, whole, element.lanes, () => {
        vector(element.lanes)
        for (const moving of [x, dy, sum]) f.set(moving, i32.add(moving, 16))
      })
      if (whole < channels) vector(channels - whole)
    }),
  )
}

/** A stage that adds up the parts, always in the same order. `addresses` picks them and the gradient out of the parameters. */
function sumStage(
  module: ModuleBuilder,
  { sweep, parts, size }: Plan,
  parameters: number,
  addresses: (parameters: readonly Local<'i32'>[]) => readonly [parts: Address, gradient: Address],
): Stage {
  const element = elements[sweep.element]
  const { bytes, lanes } = element
  const whole = size - (size % lanes)
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('sumOfParts', types, 'none', (f, ...locals) => {
    const [from, to] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    const total = f.local('v128')
    const add = (at: Address, count: number) => {
      const source = f.let(i32.add(from, i32.mul(at, bytes)))
      const target = f.let(i32.add(to, i32.mul(at, bytes)))
      f.set(total, element.load(source, count, 0))
      f.forRange(1, parts, 1, () => {
        f.set(source, i32.add(source, size * bytes))
        f.set(total, element.add(total, element.load(source, count, 0)))
      })
      f.do(...element.store(target, total, count, 0))
    }
    const first = f.let(i32.mul(begin, addedTogether))
    const beyond = f.let(i32.mul(end, addedTogether))
    const last = f.let(select(i32.lt_u(beyond, whole), beyond, i32.const(whole)))
    f.forRange(first, last, lanes, (at) => add(at, lanes))
    if (whole < size) f.if(i32.gt_u(beyond, whole), () => add(f.let(i32.const(whole)), size - whole))
  })
  return {
    func,
    units: Math.ceil(size / addedTogether),
    work: (addedTogether * parts) / 4,
    finishes: addedTogether,
  }
}
