// One axis of a sliding window, seen from one end: which source positions meet a target position, and by which taps of the window.
import { type FunctionBuilder, i32, type Local, select, type Value } from '../../wasm/index.ts'

/** Windows along one axis: window w begins at `w * stride - before` and has an element every `dilation` positions. */
export interface Axis {
  /** Elements that windows lie over, and windows. */
  readonly elements: number
  readonly windows: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  /** Elements of padding before the first. */
  readonly before: number
  /** Are windows the targets, which meet their elements; or elements, which meet the windows that they are in? */
  readonly targets: 'windows' | 'elements'
}

/** How many targets an axis has. */
export const targetsOf = (axis: Axis): number => axis[axis.targets]
/** How many sources an axis has. */
export const sourcesOf = (axis: Axis): number => (axis.targets === 'windows' ? axis.elements : axis.windows)

/** Does every target meet the only source by the only tap? */
export const isSingle = (axis: Axis): boolean =>
  axis.elements === 1 && axis.windows === 1 && axis.kernel === 1 && axis.before === 0

/** An encounter of a target: a source, and the tap by which they meet. */
export interface Meeting {
  readonly source: number
  readonly tap: number
}

/** The meetings of a target, in the order of taps. */
export function meetingsOf(axis: Axis, target: number): Meeting[] {
  const { kernel, stride, dilation, before } = axis
  const sources = sourcesOf(axis)
  return Array.from({ length: kernel }, (_, tap) => ({
    tap,
    source:
      axis.targets === 'windows'
        ? target * stride + tap * dilation - before
        : (target + before - tap * dilation) / stride,
  })).filter(({ source }) => Number.isInteger(source) && source >= 0 && source < sources)
}

/** The meetings of a target that is known at run time only: `count` of them, from a first one on in equal steps. */
export interface Meetings {
  readonly source: Value<'i32'>
  readonly tap: Value<'i32'>
  readonly count: Value<'i32'>
}

/** From one meeting to the next; the same for all targets of an axis. */
export function stepsOf({ targets, stride, dilation }: Axis): Meeting {
  const common = greatestDivisor(stride, dilation)
  return targets === 'windows'
    ? { source: dilation, tap: 1 }
    : { source: -dilation / common, tap: stride / common }
}

/** Writes code that finds the meetings of a target; answers locals. Where there are none, source and tap mean nothing. */
export function findMeetings(f: FunctionBuilder<'none'>, axis: Axis, target: Local<'i32'>): Meetings {
  if (isSingle(axis)) return { source: i32.const(0), tap: i32.const(0), count: i32.const(1) }
  return axis.targets === 'windows' ? elementsOfWindow(f, axis, target) : windowsOfElement(f, axis, target)
}

function elementsOfWindow(f: FunctionBuilder<'none'>, axis: Axis, target: Local<'i32'>): Meetings {
  const { elements, kernel, stride, dilation, before } = axis
  const start = f.let(i32.sub(i32.mul(target, stride), before))
  const tap = f.let(atLeastZero(f, divideUp(i32.sub(0, start), dilation)))
  const fitting = divideUp(i32.sub(elements, start), dilation)
  const beyond = f.let(atMost(f, fitting, i32.const(kernel)))
  const count = f.let(atLeastZero(f, i32.sub(beyond, tap)))
  return { source: f.let(i32.add(start, i32.mul(tap, dilation))), tap, count }
}

function windowsOfElement(f: FunctionBuilder<'none'>, axis: Axis, target: Local<'i32'>): Meetings {
  const { windows, kernel, stride, dilation, before } = axis
  const { source, tap: tapStep } = stepsOf(axis)
  const back = -source
  const place = f.let(i32.add(target, before))
  // The first tap that falls on a window; a number beyond all taps where none does.
  const firstTap = (residue: number) => {
    for (let tap = 0; tap < kernel; tap++) if ((tap * dilation - residue) % stride === 0) return tap
    return kernel
  }
  const residue = f.let(i32.rem_u(place, stride))
  const first = f.let(dilation === 1 ? residue : i32.const(firstTap(0)))
  if (dilation !== 1)
    for (let r = 1; r < stride; r++) f.if(i32.eq(residue, r), () => f.set(first, i32.const(firstTap(r))))
  const latest = f.let(i32.div_s(i32.sub(place, i32.mul(first, dilation)), stride))
  const missing = f.let(atLeastZero(f, divideUp(i32.sub(latest, windows - 1), back)))
  const ofTaps = i32.div_s(i32.sub(kernel - 1 + tapStep, first), tapStep)
  // Before the first window there is none: place - first · dilation is below 0 then, whatever the division makes of it.
  const ofWindows = select(
    i32.lt_s(place, i32.mul(first, dilation)),
    i32.const(0),
    i32.add(i32.div_s(latest, back), 1),
  )
  const count = f.let(atLeastZero(f, i32.sub(atMost(f, f.let(ofTaps), f.let(ofWindows)), missing)))
  return {
    source: f.let(i32.sub(latest, i32.mul(missing, back))),
    tap: f.let(i32.add(first, i32.mul(missing, tapStep))),
    count,
  }
}

/** Rounded towards zero where `x` is below 0, which `atLeastZero` sees as 0. */
const divideUp = (x: Value<'i32'>, by: number): Value<'i32'> => i32.div_s(i32.add(x, by - 1), by)

function atLeastZero(f: FunctionBuilder<'none'>, x: Value<'i32'>): Value<'i32'> {
  const value = f.let(x)
  return select(i32.lt_s(value, 0), i32.const(0), value)
}

function atMost(f: FunctionBuilder<'none'>, x: Value<'i32'>, limit: Value<'i32'>): Value<'i32'> {
  const value = f.let(x)
  return select(i32.lt_s(value, limit), value, limit)
}

/** The greatest common divisor. */
export function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}
