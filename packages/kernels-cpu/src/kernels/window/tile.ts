// A tile of targets that lie side by side: their values stay in registers while the lines of sources that they meet pass by, for one vector of channels after another.
import { elements } from '../../gemm/microKernel.ts'
import { type Func, i32, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'
import { arithmetics } from './arithmetic.ts'
import { type Sweep, sourcePixel } from './axes.ts'
import { type Axis, isSingle, sourcesOf, stepsOf } from './axis.ts'
import type { Pattern } from './columns.ts'
import type { Reduction, Scene } from './reductions.ts'

type Address = Value<'i32'>
type Vector = Local<'v128'>

/**
 * A tile for all channels. Parameters: sources, the weights of the first tap or its number, the operand of the form of the targets,
 * targets, and how many planes and lines of sources are met.
 */
export function tileFunction(
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
  { f, element, sweep, reduction, planes, lines }: Task,
  addresses: readonly Address[],
  body: (places: readonly Index[]) => void,
): void {
  const [depth, height, width] = sweep.axes
  const pixel = sweep.channels * element.bytes
  const line = sourcesOf(width) * sourcePixel(sweep) * element.bytes
  const tapBytes = reduction.tap === 'weights' ? pixel : 1
  const over = (axis: Axis, count: Index, from: readonly Address[], step: Step, inner: Inner) => {
    const places = from.map((address) => f.let(address))
    if (isSingle(axis)) return inner(places)
    const { source, tap } = stepsOf(axis)
    const taps = tap * step.taps
    const next = source * step.bytes + (sweep.fanned ? taps * pixel : 0)
    f.forRange(0, count, 1, () => {
      inner(places)
      places.forEach((place, i) =>
        f.set(place, i32.add(place, i < places.length - 1 ? next : taps * tapBytes)),
      )
    })
  }
  const [plane, row] = [
    { bytes: sourcesOf(height) * line, taps: height.kernel * width.kernel },
    { bytes: line, taps: width.kernel },
  ]
  over(depth, planes, addresses, plane, (places) => over(height, lines, places, row, body))
}

/** Bytes of sources, and taps, from one meeting along an axis to the next. */
interface Step {
  readonly bytes: number
  readonly taps: number
}
type Inner = (places: readonly Index[]) => void

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
  const sourceBytes = sourcePixel(sweep) * element.bytes
  const read = (offset: number) =>
    here.forEach((vector, i) => f.set(vector, element.load(places[i]!, lanes, offset)))
  for (const { source, meetings } of pattern.columns) {
    if (!sweep.fanned) read(source * sourceBytes)
    for (const { target, tap } of meetings) {
      if (sweep.fanned) read(source * sourceBytes + tap * pixel)
      reduction.meet(task, states[target]!, here, taps.get(tap))
    }
  }
}
