// Windows written out as rows of bytes, for convolutions whose runs of neighbours are too short for vectors: few channels, or groups of few.
import { overBox, overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import { i32, type Local, type ModuleBuilder, type Value, v128 } from '../../wasm/index.ts'
import type { Geometry, Grid } from './grid.ts'

/** How windows are written out. */
export interface Patches {
  /** Bytes of the taps that lie side by side in the grid and in the filter, and how many such runs a window has along each axis. */
  readonly run: number
  readonly runs: readonly number[]
  /** Bytes from the window of one group to that of the next, and of a position to the next; a window is followed by what its last vector spills. */
  readonly group: number
  readonly position: number
  readonly bytes: number
}

/** Neighbouring taps are one run with their channels, unless a dilation or other groups' channels lie between. */
export const joinsTaps = ({ dilation, groups, kernel }: Geometry): boolean =>
  groups === 1 && (dilation[2] === 1 || kernel[2] === 1)

export function planPatches(geometry: Geometry): Patches {
  const { batch, output, kernel, groups, seen } = geometry
  const joined = joinsTaps(geometry)
  const run = joined ? kernel[2] * seen : seen
  const runs = joined ? kernel.slice(0, 2) : kernel
  const window = kernel[0] * kernel[1] * kernel[2] * seen
  const group = Math.ceil((window - run + Math.ceil(run / 16) * 16) / 16) * 16
  const position = groups * group
  return { run, runs, group, position, bytes: batch * output[0] * output[1] * output[2] * position }
}

/** A stage that writes the windows of a line of output a unit. */
export function patchStage(
  module: ModuleBuilder,
  geometry: Geometry,
  grid: Grid,
  { run, runs, group, position }: Patches,
  parameters: number,
  addresses: (parameters: readonly Local<'i32'>[]) => readonly [grid: Value<'i32'>, patches: Value<'i32'>],
): Stage {
  const { batch, channels, output, stride, dilation, groups, seen } = geometry
  const [, height, width] = grid.sizes
  const line = width * channels
  const steps = [dilation[0] * height * line, dilation[1] * line, dilation[2] * channels]
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('quantized_patches', types, 'none', (f, ...locals) => {
    const [from, patches] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    const to = f.local('i32')
    overUnits(f, [batch, output[0], output[1]], begin, end, ([n, d, h], unit) => {
      const plane = i32.add(i32.mul(n!, grid.sizes[0]), i32.mul(d!, stride[0]))
      const row = i32.add(i32.mul(plane, height), i32.mul(h!, stride[1]))
      const start = f.let(i32.add(from, i32.mul(row, line)))
      const target = f.let(i32.add(patches, i32.mul(unit, output[2] * position)))
      overBox(f, [output[2], groups], ([w, g]) => {
        const window = f.let(i32.add(start, i32.add(i32.mul(w!, stride[2] * channels), i32.mul(g!, seen))))
        f.set(to, i32.add(target, i32.add(i32.mul(w!, position), i32.mul(g!, group))))
        overBox(f, runs, (taps) => {
          const at = f.let(
            taps.reduce<Value<'i32'>>((sum, tap, axis) => i32.add(sum, i32.mul(tap, steps[axis]!)), window),
          )
          // Whole vectors: what they write too much, the next run overwrites.
          for (let done = 0; done < run; done += 16) f.do(v128.store(to, v128.load(at, done), done))
          f.set(to, i32.add(to, run))
        })
      })
    })
  })
  const copies = runs.reduce((product, count) => product * count, Math.ceil(run / 16))
  return { func, units: batch * output[0] * output[1], work: output[2] * groups * copies }
}
