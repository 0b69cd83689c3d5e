// What poolings and depthwise convolutions share: for every target, channels in lanes, something is done with each source that meets it.
import { elements } from '../../gemm/microKernel.ts'
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import { call, i32, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'
import { type Sweep, sourcePixel } from './axes.ts'
import { findMeetings, greatestDivisor, isSingle, sourcesOf, targetsOf } from './axis.ts'
import { runsOf } from './columns.ts'
import { cacheLine, readNewest } from './readAhead.ts'
import type { Reduction } from './reductions.ts'
import { tileFunction } from './tile.ts'

type Address = Value<'i32'>

/** Where the operands of a sweep lie. */
export interface SweepOperands {
  readonly sources: readonly Address[]
  readonly weights?: Address
  readonly given?: Address
  readonly target: Address
}

/** Windows wider than this are walked by a loop: their code would be long. */
const widest = 16

/** Vector registers that code may keep busy; more are kept in memory by the engine. */
const registers = 15

/** A stage of one unit per line of targets. `operands` picks addresses out of `parameters` parameters. */
export function sweepStage(
  module: ModuleBuilder,
  given: Sweep,
  reduction: Reduction,
  parameters: number,
  operands: (parameters: readonly Local<'i32'>[]) => SweepOperands,
): Stage {
  const sweep = turned(given)
  const { batch, channels, axes } = sweep
  const [depth, height, width] = axes
  const { bytes } = elements[sweep.element]
  const [pixel, sourceBytes] = [channels * bytes, sourcePixel(sweep) * bytes]
  const line = sourcesOf(width) * sourceBytes
  const imageBytes = batch * sourcesOf(depth) * sourcesOf(height) * line
  const runs = runsOf(width, tileWidth(sweep, reduction, sourceBytes))
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define(`sweep_${reduction.name}`, types, 'none', (f, ...locals) => {
    const { sources, weights, given: other, target } = operands(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    overUnits(f, [batch, targetsOf(depth), targetsOf(height)], begin, end, ([b, d, h], unit) => {
      const [planes, lines] = [findMeetings(f, depth, d!), findMeetings(f, height, h!)]
      const plane = i32.add(i32.mul(b!, sourcesOf(depth)), planes.source)
      const row = i32.add(i32.mul(plane, sourcesOf(height)), lines.source)
      const rowStart = f.let(i32.mul(row, line))
      const targetStart = f.let(i32.mul(unit, targetsOf(width) * pixel))
      const tap = i32.mul(i32.add(i32.mul(planes.tap, height.kernel), lines.tap), width.kernel)
      const firstTap = f.let(weights ? i32.add(weights, i32.mul(tap, pixel)) : tap)
      const start = sweep.fanned ? f.let(i32.add(rowStart, i32.mul(tap, pixel))) : rowStart
      f.if(planes.count, () => {
        for (const source of sources)
          readNewest(f, height, f.let(i32.add(source, rowStart)), lines.count, line, imageBytes)
      })
      for (const { pattern, count, ...at } of runs) {
        const tile = tileFunction(module, sweep, reduction, pattern)
        const block = (from: Address, to: Address) => {
          const places = [
            ...sources.map((address) => i32.add(address, from)),
            firstTap,
            i32.add(other ?? target, to),
            i32.add(target, to),
            planes.count,
            lines.count,
          ]
          f.do(call(tile, ...places))
        }
        const from = f.let(i32.add(start, at.source * sourceBytes))
        const to = f.let(i32.add(targetStart, at.target * pixel))
        f.forRange(0, count, 1, () => {
          block(from, to)
          f.set(from, i32.add(from, at.sourceStep * sourceBytes))
          f.set(to, i32.add(to, at.targetStep * pixel))
        })
      }
    })
  })
  const taps = depth.kernel * height.kernel * width.kernel
  const finishes = targetsOf(width) * channels
  return {
    func,
    units: batch * targetsOf(depth) * targetsOf(height),
    work: (finishes * (taps + 1)) / 4,
    finishes,
  }
}

/** The width axis is written out, the others are loops: an axis with wide windows moves up where there is room. */
function turned(sweep: Sweep): Sweep {
  const [depth, height, width] = sweep.axes
  const wide = width.kernel > widest && isSingle(depth)
  return wide ? { ...sweep, axes: [height, width, depth] } : sweep
}

/**
 * Targets whose vectors fit in registers together with a source and the weights of a line of the window, and whose sources do not push each
 * other out of the first cache.
 */
function tileWidth({ axes }: Sweep, { registers: kept, sources, tap }: Reduction, pixel: number): number {
  const [, height, width] = axes
  const free = registers - sources - (tap === 'none' ? 0 : Math.min(width.kernel, 7))
  const room = cachedColumns(pixel)
  const columns = (targets: number) =>
    width.targets === 'windows'
      ? (targets - 1) * width.stride + (width.kernel - 1) * width.dilation + 1
      : (targets + width.kernel) / width.stride
  const weights = tap === 'weights' ? height.kernel * width.kernel : 0
  const fits = (targets: number) => columns(targets) * height.kernel + weights + targets <= room
  let targets = Math.max(2, Math.min(8, Math.floor(free / kept)))
  while (targets > 2 && !fits(targets)) targets--
  return targets
}

/** Pixels of an image of which a cache line each stays in the first cache: fewer where their distance is a power of two, as all fall in a few of its 64 sets. */
function cachedColumns(pixel: number): number {
  const ways = 8
  const sets = 64
  return pixel % cacheLine === 0 ? (ways * sets) / greatestDivisor(sets, pixel / cacheLine) : ways * sets
}
