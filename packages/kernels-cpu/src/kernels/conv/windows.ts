// The convolution itself: a register block of neighbouring windows and made channels, summed over taps and seen channels straight from the box.
import { microKernel, type MicroKernelSpec } from '../../gemm/index.ts'
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import { call, i32, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'
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

/** A stage of one unit per line of output. `addresses` picks the box, the packed weights and the output out of the parameters. */
export function windowStage(
  module: ModuleBuilder,
  sliding: Sliding,
  panels: Panels,
  relaxed: boolean,
  parameters: number,
  addresses: (
    parameters: readonly Local<'i32'>[],
  ) => readonly [box: Address, packed: Address, output: Address],
): Stage {
  const { border, stride, output, groups, seen, made, bytes, element } = sliding
  const pixel = border.channels * bytes
  const outputPixel = groups * made * bytes
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
      cRow: outputPixel,
    }
    return microKernel(module, spec)
  }
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('windows', types, 'none', (f, ...locals) => {
    const [box, packed, result] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    overUnits(f, [border.batch, output[0], output[1]], begin, end, ([b, depth, height], unit) => {
      const plane = i32.add(i32.mul(b!, border.box[0]), i32.mul(depth!, stride[0]))
      const firstLine = i32.add(i32.mul(plane, border.box[1]), i32.mul(height!, stride[1]))
      const line = f.let(i32.add(box, i32.mul(firstLine, border.box[2] * pixel)))
      const target = f.let(i32.add(result, i32.mul(unit, width * outputPixel)))
      const block = (a: Address, weights: Address, c: Address, tall: number, columns: number) => {
        const kernel = kernelFor(tall, columns)
        const [from, w, to] = [f.let(a), f.let(weights), f.let(c)]
        walk.steps.forEach((start, step) => {
          const at = i32.add(w, step * walk.segments * walk.run * panels.step)
          f.do(call(kernel, i32.add(from, start), at, to, step === 0 ? 0 : 1))
        })
      }
      f.forRange(0, groups, 1, (group) => {
        const a = f.let(i32.add(line, i32.mul(group, seen * bytes)))
        const c = f.let(i32.add(target, i32.mul(group, made * bytes)))
        const w = f.let(i32.add(packed, i32.mul(group, panels.group)))
        const panel = (weights: Address, to: Address, columns: number) => {
          f.forRange(0, Math.floor(width / rows), 1, (t) => {
            const tileAt = i32.add(a, i32.mul(t, rows * stride[2] * pixel))
            block(tileAt, weights, i32.add(to, i32.mul(t, rows * outputPixel)), rows, columns)
          })
          const done = width - (width % rows)
          if (done < width)
            block(
              i32.add(a, done * stride[2] * pixel),
              weights,
              i32.add(to, done * outputPixel),
              width - done,
              columns,
            )
        }
        const whole = panels.lastColumns === panels.columns ? panels.count : panels.count - 1
        f.forRange(0, whole, 1, (p) => {
          const weights = f.let(i32.add(w, i32.mul(p, panels.panel)))
          panel(weights, f.let(i32.add(c, i32.mul(p, panels.columns * bytes))), panels.columns)
        })
        if (whole < panels.count)
          panel(
            f.let(i32.add(w, whole * panels.panel)),
            f.let(i32.add(c, whole * panels.columns * bytes)),
            panels.lastColumns,
          )
      })
    })
  })
  const finishes = width * groups * made
  const products = finishes * seen * volume(sliding.kernel)
  return { func, units: border.batch * output[0] * output[1], work: products / 8, finishes }
}
