// What poolings and depthwise convolutions share: for every target, channels in lanes, something is done with each source that meets it.
import type { Element } from '../../gemm/element.ts'
import { elements } from '../../gemm/microKernel.ts'
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import {
  call,
  type Func,
  type FunctionBuilder,
  i32,
  type Local,
  type ModuleBuilder,
  type Value,
} from '../../wasm/index.ts'
import { type Arithmetic, arithmetics } from './arithmetic.ts'
import { type Axis, findMeetings, isSingle, sourcesOf, stepsOf, targetsOf } from './axis.ts'
import { type Pattern, runsOf } from './columns.ts'
import { readAhead } from './readAhead.ts'

type Code = FunctionBuilder<'none'>
type Address = Value<'i32'>
type Vector = Local<'v128'>

/** Sources [batch, depth, height, width, channels] and targets of the same form. */
export interface Sweep {
  readonly batch: number
  readonly channels: number
  readonly element: 'f32' | 'f64'
  readonly axes: readonly [depth: Axis, height: Axis, width: Axis]
}

/** What the code of a reduction has at hand. */
export interface Scene {
  readonly f: Code
  readonly element: Element
  readonly arithmetic: Arithmetic
}

/** What is computed for every target and vector of channels. */
export interface Reduction {
  /** Equal names make equal code. */
  readonly name: string
  /** Operands of the form of the sources. */
  readonly sources: number
  /** What comes with a tap: its weights [taps, channels], its number in all lanes, or nothing. */
  readonly tap: 'weights' | 'number' | 'none'
  /** Is there an operand of the form of the targets? */
  readonly given: boolean
  /** Is `count` asked for: the number of sources that a target met? */
  readonly counts: boolean
  /** Vectors that are kept for each target. */
  readonly registers: number
  /** Their first values. `firstTap` is that of the first meeting; it has meaning where taps have numbers. */
  start(scene: Scene, firstTap: Value<'v128'>): Vector[]
  meet(scene: Scene, state: readonly Vector[], sources: readonly Vector[], tap: Vector | undefined): void
  finish(
    scene: Scene,
    state: readonly Vector[],
    given: Vector | undefined,
    count: Vector | undefined,
  ): Value<'v128'>
}

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
  const pixel = channels * elements[sweep.element].bytes
  const line = sourcesOf(width) * pixel
  const imageBytes = batch * sourcesOf(depth) * sourcesOf(height) * line
  const step = stepsOf(height).source
  const runs = runsOf(width, tileWidth(width, reduction))
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define(`sweep_${reduction.name}`, types, 'none', (f, ...locals) => {
    const { sources, weights, given: other, target } = operands(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    overUnits(f, [batch, targetsOf(depth), targetsOf(height)], begin, end, ([b, d, h], unit) => {
      const [planes, lines] = [findMeetings(f, depth, d!), findMeetings(f, height, h!)]
      const plane = i32.add(i32.mul(b!, sourcesOf(depth)), planes.source)
      const row = i32.add(i32.mul(plane, sourcesOf(height)), lines.source)
      const start = f.let(i32.mul(row, line))
      const targetStart = f.let(i32.mul(unit, targetsOf(width) * pixel))
      const tap = i32.mul(i32.add(i32.mul(planes.tap, height.kernel), lines.tap), width.kernel)
      const firstTap = f.let(weights ? i32.add(weights, i32.mul(tap, pixel)) : tap)
      f.if(i32.and(planes.count, lines.count), () => {
        // The line that the targets before did not meet.
        const newest = step > 0 ? i32.mul(i32.sub(lines.count, 1), step * line) : i32.const(0)
        for (const source of sources)
          readAhead(f, f.let(i32.add(i32.add(source, start), newest)), line, imageBytes)
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
        const from = f.let(i32.add(start, at.source * pixel))
        const to = f.let(i32.add(targetStart, at.target * pixel))
        f.forRange(0, count, 1, () => {
          block(from, to)
          f.set(from, i32.add(from, at.sourceStep * pixel))
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

/** Targets whose vectors fit in registers together with a source and the weights of a line of the window. */
function tileWidth({ kernel }: Axis, { registers: kept, sources, tap }: Reduction): number {
  const free = registers - sources - (tap === 'none' ? 0 : Math.min(kernel, 7))
  return Math.max(2, Math.min(8, Math.floor(free / kept)))
}

/**
 * A tile for all channels. Parameters: sources, the weights of the first tap or its number, the operand of the form of the targets,
 * targets, and how many planes and lines of sources are met.
 */
function tileFunction(
  module: ModuleBuilder,
  sweep: Sweep,
  reduction: Reduction,
  pattern: Pattern,
): Func<readonly 'i32'[], 'none'> {
  const { element } = sweep
  const key = `sweep ${JSON.stringify([sweep, reduction.name, pattern])}`
  const types = Array.from({ length: reduction.sources + 5 }, () => 'i32' as const)
  return module.once(key, () =>
    module.define(`tile_${reduction.name}_${pattern.targets}`, types, 'none', (f, ...locals) => {
      const scene = { f, element: elements[element], arithmetic: arithmetics[element] }
      const sources = locals.slice(0, reduction.sources)
      const [tap, given, target, planes, lines] = locals.slice(reduction.sources) as Five
      writeTile({ ...scene, sweep, reduction, pattern, sources, tap, given, target, planes, lines })
    }),
  )
}

type Index = Local<'i32'>
type Five = [Index, Index, Index, Index, Index]

interface Task extends Scene {
  readonly sweep: Sweep
  readonly reduction: Reduction
  readonly pattern: Pattern
  readonly sources: readonly Index[]
  readonly tap: Index
  readonly given: Index
  readonly target: Index
  readonly planes: Index
  readonly lines: Index
}

function writeTile(task: Task): void {
  const { f, element, arithmetic, sweep, reduction, pattern, sources, planes, lines } = task
  const pixel = sweep.channels * element.bytes
  const met = Array.from({ length: pattern.targets }, (_, target) =>
    pattern.columns.flatMap(({ meetings }) => meetings.filter((meeting) => meeting.target === target)),
  )
  const countOf = new Map<number, Vector>()
  if (reduction.counts) {
    const around = f.let(i32.mul(planes, lines))
    for (const { length } of met)
      if (!countOf.has(length)) countOf.set(length, f.let(arithmetic.fromInteger(i32.mul(around, length))))
  }
  const given = reduction.given ? f.local('v128') : undefined
  overChannels(task, (offset, lanes) => {
    const states = met.map((meetings) => {
      const first = Math.min(...meetings.map(({ tap }) => tap))
      return reduction.start(
        task,
        arithmetic.splatInteger(i32.add(task.tap, meetings.length > 0 ? first : 0)),
      )
    })
    const at = sources.map((source) => i32.add(source, offset))
    const weights = reduction.tap === 'weights' ? i32.add(task.tap, offset) : task.tap
    overLines(task, [...at, weights], (places) => meetLine(task, states, places, lanes))
    states.forEach((state, target) => {
      const place = f.let(i32.add(task.target, offset))
      if (given) f.set(given, element.load(i32.add(task.given, offset), lanes, target * pixel))
      const value = f.let(reduction.finish(task, state, given, countOf.get(met[target]!.length)))
      f.do(...element.store(place, value, lanes, target * pixel))
    })
  })
}

/** Runs `body` for groups of channels that fill a vector, and for the rest: the byte offset of the first, and how many there are. */
function overChannels(
  { f, element: { lanes, bytes }, sweep: { channels } }: Task,
  body: (offset: Address, lanes: number) => void,
): void {
  const rest = channels % lanes
  f.forRange(0, (channels - rest) * bytes, lanes * bytes, (offset) => body(offset, lanes))
  if (rest > 0) body(i32.const((channels - rest) * bytes), rest)
}

/** Runs `body` for every line of sources; the addresses, the last of which is that of taps, move along. */
function overLines(
  { f, element, sweep: { channels, axes }, reduction, planes, lines }: Task,
  addresses: readonly Address[],
  body: (places: readonly Index[]) => void,
): void {
  const [depth, height, width] = axes
  const pixel = channels * element.bytes
  const line = sourcesOf(width) * pixel
  const tapLine = width.kernel * (reduction.tap === 'weights' ? pixel : 1)
  const over = (
    axis: Axis,
    count: Index,
    from: readonly Address[],
    size: number,
    tapSize: number,
    inner: (places: readonly Index[]) => void,
  ) => {
    const places = from.map((address) => f.let(address))
    if (isSingle(axis)) return inner(places)
    const { source, tap } = stepsOf(axis)
    f.forRange(0, count, 1, () => {
      inner(places)
      places.forEach((place, i) =>
        f.set(place, i32.add(place, i < places.length - 1 ? source * size : tap * tapSize)),
      )
    })
  }
  over(depth, planes, addresses, sourcesOf(height) * line, height.kernel * tapLine, (places) =>
    over(height, lines, places, line, tapLine, body),
  )
}

/** All meetings with one line of sources. */
function meetLine(
  task: Task,
  states: readonly (readonly Vector[])[],
  places: readonly Index[],
  lanes: number,
): void {
  const { f, element, arithmetic, sweep, reduction, pattern } = task
  const pixel = sweep.channels * element.bytes
  const tapPlace = places.at(-1)!
  const numbers = [...new Set(pattern.columns.flatMap(({ meetings }) => meetings.map(({ tap }) => tap)))]
  const taps = new Map(
    reduction.tap === 'none'
      ? []
      : numbers.map((tap) => [
          tap,
          f.let(
            reduction.tap === 'weights'
              ? element.load(tapPlace, lanes, tap * pixel)
              : arithmetic.splatInteger(i32.add(tapPlace, tap)),
          ),
        ]),
  )
  const here = places.slice(0, -1).map(() => f.local('v128'))
  for (const { source, meetings } of pattern.columns) {
    here.forEach((vector, i) => f.set(vector, element.load(places[i]!, lanes, source * pixel)))
    for (const { target, tap } of meetings) reduction.meet(task, states[target]!, here, taps.get(tap))
  }
}
