// The convolution itself: a register block of neighbouring windows and made channels, summed over taps and seen channels straight from the box.
import { microKernel, type MicroKernelSpec } from '../../gemm/index.ts'
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import {
  call,
  type FunctionBuilder,
  i32,
  type Local,
  type ModuleBuilder,
  type Value,
} from '../../wasm/index.ts'
import { type Sliding, volume } from './geometry.ts'
import type { Panels } from './weights.ts'

type Address = Value<'i32'>

/** How the taps of a window are walked: runs that the micro-kernel knows, and steps around it, each a call that adds to the one before. */
export interface Walk {
  /** Length of a run of neighbours, how many there are, and bytes from one to the next. */
  readonly run: number
  readonly segments: number
  readonly segmentBytes: number
  /** Where the steps begin, in bytes of the box. */
  readonly steps: readonly number[]
}

/** Neighbouring taps are one run with their channels, unless a dilation or other groups' channels lie between. */
export function walkOf({ border, kernel, dilation, seen, bytes }: Sliding): Walk {
  // Windows that see nothing: one run of no length, which makes zeros.
  if (volume(kernel) === 0) return { run: 0, segments: 1, segmentBytes: 0, steps: [0] }
  const pixel = border.channels * bytes
  const line = border.box[2] * pixel
  const plane = border.box[1] * line
  const range = (count: number, step: number) => Array.from({ length: count }, (_, i) => i * step)
  const depths = range(kernel[0], dilation[0] * plane)
  if (seen === border.channels && (dilation[2] === 1 || kernel[2] === 1))
    return { run: kernel[2] * seen, segments: kernel[1], segmentBytes: dilation[1] * line, steps: depths }
  const heights = range(kernel[1], dilation[1] * line)
  return {
    run: seen,
    segments: kernel[2],
    segmentBytes: dilation[2] * pixel,
    steps: depths.flatMap((depth) => heights.map((height) => depth + height)),
  }
}

/** Windows with their packed weights. */
export interface Phase {
  readonly sliding: Sliding
  readonly panels: Panels
}

/** A stage of one unit per line of the answer. `addresses` picks the box, the packed weights and the answer out of the parameters. */
export function windowStage(
  module: ModuleBuilder,
  phases: readonly Phase[],
  relaxed: boolean,
  parameters: number,
  addresses: (
    parameters: readonly Local<'i32'>[],
  ) => readonly [box: Address, packed: Address, answer: Address],
): Stage {
  const { border, answer, step, groups, made, bytes } = phases[0]!.sliding
  const pixel = border.channels * bytes
  const lineBytes = answer[2] * groups * made * bytes
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('windows', types, 'none', (f, ...locals) => {
    const [box, packed, result] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    overUnits(f, [border.batch, answer[0], answer[1]], begin, end, ([b, d, h], unit) => {
      const target = f.let(i32.add(result, i32.mul(unit, lineBytes)))
      const split = (at: Local<'i32'>, by: number) =>
        by === 1
          ? ([at, i32.const(0)] as const)
          : ([f.let(i32.div_u(at, by)), f.let(i32.rem_u(at, by))] as const)
      const [depth, depthPhase] = split(d!, step[0])
      const [height, heightPhase] = split(h!, step[1])
      const line = (phase: Phase) => {
        const { origin, stride } = phase.sliding
        const plane = i32.add(i32.mul(b!, border.box[0]), i32.add(i32.mul(depth, stride[0]), origin[0]))
        const row = i32.add(i32.mul(plane, border.box[1]), i32.add(i32.mul(height, stride[1]), origin[1]))
        const first = i32.add(i32.mul(row, border.box[2] * pixel), origin[2] * pixel)
        writeLine(module, f, phase, relaxed, f.let(i32.add(box, first)), packed, target)
      }
      const byPlace = Map.groupBy(phases, ({ sliding: { place } }) => place[0] * step[1] + place[1])
      for (const [place, along] of byPlace) {
        const here = i32.eq(i32.add(i32.mul(depthPhase, step[1]), heightPhase), place)
        if (byPlace.size === 1) along.forEach(line)
        else f.if(here, () => along.forEach(line))
      }
    })
  })
  const finishes = answer[2] * groups * made
  const products = phases.reduce(
    (sum, { sliding: { output, seen, kernel } }) =>
      sum + volume(output) * groups * made * seen * volume(kernel),
    0,
  )
  const lines = answer[0] * answer[1]
  return { func, units: border.batch * lines, work: (products / lines + finishes) / 8, finishes }
}

/** The windows of a phase along a line of the answer. */
function writeLine(
  module: ModuleBuilder,
  f: FunctionBuilder<'none'>,
  { sliding, panels }: Phase,
  relaxed: boolean,
  line: Address,
  packed: Address,
  target: Address,
): void {
  const { border, stride, output, step, place, groups, seen, made, bytes, element } = sliding
  const pixel = border.channels * bytes
  const outputPixel = groups * made * bytes
  const next = step[2] * outputPixel
  const [width, rows] = [output[2], panels.tile.rows]
  const walk = walkOf(sliding)
  const kernelFor = (height: number, columns: number) => {
    const spec: MicroKernelSpec = {
      element,
      relaxed,
      rows: height,
      columns,
      k: walk.run,
      segments: walk.segments,
      aSegment: walk.segmentBytes,
      aRow: stride[2] * pixel,
      aK: bytes,
      bK: panels.step,
      bPadded: true,
      cRow: next,
      // Rows of few channels meet the same elements at different steps. Steps that are written out would make the engine keep those, in too few registers.
      ...(height > 3 && stride[2] * border.channels < 8 && { unroll: 1 }),
    }
    return microKernel(module, spec)
  }
  const block = (a: Address, weights: Address, c: Address, tall: number, columns: number) => {
    const kernel = kernelFor(tall, columns)
    const [from, w, to] = [f.let(a), f.let(weights), f.let(c)]
    walk.steps.forEach((start, i) => {
      const at = i32.add(w, i * walk.segments * walk.run * panels.step)
      f.do(call(kernel, i32.add(from, start), at, to, i === 0 ? 0 : 1))
    })
  }
  f.forRange(0, groups, 1, (group) => {
    const a = f.let(i32.add(line, i32.mul(group, seen * bytes)))
    const c = f.let(i32.add(i32.add(target, place[2] * outputPixel), i32.mul(group, made * bytes)))
    const w = f.let(i32.add(i32.add(packed, panels.start), i32.mul(group, panels.group)))
    const panel = (weights: Address, to: Address, columns: number) => {
      f.forRange(0, Math.floor(width / rows), 1, (t) => {
        const tileAt = i32.add(a, i32.mul(t, rows * stride[2] * pixel))
        block(tileAt, weights, i32.add(to, i32.mul(t, rows * next)), rows, columns)
      })
      const done = width - (width % rows)
      if (done < width) {
        const tailAt = i32.add(a, done * stride[2] * pixel)
        block(tailAt, weights, i32.add(to, done * next), width - done, columns)
      }
    }
    const whole = panels.lastColumns === panels.columns ? panels.count : panels.count - 1
    f.forRange(0, whole, 1, (p) => {
      const weights = f.let(i32.add(w, i32.mul(p, panels.panel)))
      panel(weights, f.let(i32.add(c, i32.mul(p, panels.columns * bytes))), panels.columns)
    })
    if (whole < panels.count) {
      const weights = f.let(i32.add(w, whole * panels.panel))
      panel(weights, f.let(i32.add(c, whole * panels.columns * bytes)), panels.lastColumns)
    }
  })
}
