// Convolution of each channel by itself: channels in the lanes of vectors, taps two by two.
import { float32, zero } from '../../gemm/element.ts'
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import {
  call,
  i16x8,
  i32,
  i32x4,
  type Local,
  type ModuleBuilder,
  type Value,
  v128,
} from '../../wasm/index.ts'
import type { Geometry, Grid } from './grid.ts'

/** Channels of a vector of 16-bit numbers. */
const lanes = 8
/** Taps are written out one after the other; more than so many are too much code. */
const mostTaps = 128

/** Does every channel have a filter of its own, and only one? */
export const isDepthwise = ({ groups, seen, made, kernel }: Geometry): boolean =>
  groups > 1 && seen === 1 && made === 1 && kernel[0] * kernel[1] * kernel[2] <= mostTaps

const pairsOf = ({ kernel }: Geometry): number => Math.ceil((kernel[0] * kernel[1] * kernel[2]) / 2)
const blocksOf = ({ channels }: Geometry): number => Math.ceil(channels / lanes)
/**
 * Bytes of the packed filter: for each block of channels and pair of taps, two vectors of 16-bit weights, those of a channel side by side.
 * The last block begins where it still is whole, if there are as many channels; what it shares with the one before is computed twice.
 */
export const packedBytes = (geometry: Geometry): number => blocksOf(geometry) * pairsOf(geometry) * 32

type Addresses<Names extends readonly string[]> = (parameters: readonly Local<'i32'>[]) => {
  readonly [K in keyof Names]: Value<'i32'>
}

/** A stage that packs the filter [channels, ...taps, 1], a block of channels a unit. */
export function filterStage(
  module: ModuleBuilder,
  geometry: Geometry,
  parameters: number,
  addresses: Addresses<['filter', 'packed']>,
): Stage {
  const [taps, pairs] = [geometry.kernel.reduce((n, size) => n * size, 1), pairsOf(geometry)]
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('quantized_depthwise_filter', types, 'none', (f, ...locals) => {
    const [filter, packed] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    const from = f.local('i32')
    f.forRange(begin, end, 1, (unit) => {
      f.set(from, i32.mul(unit, lanes))
      if (geometry.channels > lanes)
        f.if(i32.gt_u(from, geometry.channels - lanes), () => f.set(from, geometry.channels - lanes))
      f.set(from, i32.add(filter, i32.mul(from, taps)))
      const to = f.let(i32.add(packed, i32.mul(unit, pairs * 32)))
      for (let lane = 0; lane < lanes; lane++)
        for (let tap = 0; tap < 2 * pairs; tap++) {
          const inside = tap < taps && lane < geometry.channels
          const weight = inside ? i32.load8_s(from, lane * taps + tap) : 0
          f.do(i32.store16(to, weight, Math.floor(tap / 2) * 32 + lane * 4 + (tap % 2) * 2))
        }
    })
  })
  return { func, units: blocksOf(geometry), work: lanes * taps * 2 }
}

/** A stage that convolves, a line of output a unit. */
export function depthwiseStage(
  module: ModuleBuilder,
  geometry: Geometry,
  grid: Grid,
  parameters: number,
  addresses: Addresses<['grid', 'packed', 'result']>,
): Stage {
  const { batch, channels, output, stride, kernel } = geometry
  const line = grid.sizes[2] * channels
  const lineOf = lineFunction(module, geometry, grid)
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('quantized_depthwise', types, 'none', (f, ...locals) => {
    const [from, packed, result] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    overUnits(f, [batch, output[0], output[1]], begin, end, ([n, d, h], unit) => {
      const plane = i32.add(i32.mul(n!, grid.sizes[0]), i32.mul(d!, stride[0]))
      const row = i32.add(i32.mul(plane, grid.sizes[1]), i32.mul(h!, stride[1]))
      const y = i32.add(result, i32.mul(unit, output[2] * channels * 4))
      f.do(call(lineOf, i32.add(from, i32.mul(row, line)), packed, y))
    })
  })
  const work = (output[2] * channels * kernel[0] * kernel[1] * kernel[2]) / 8
  return {
    func,
    units: batch * output[0] * output[1],
    work,
    finishes: output[2] * channels,
  }
}

/** A line: its first window in the grid, the packed weights, where its results go. */
function lineFunction(module: ModuleBuilder, geometry: Geometry, grid: Grid) {
  const { channels, output, stride } = geometry
  const taps = tapOffsets(geometry, grid)
  const blockBytes = pairsOf(geometry) * 32
  return module.define('quantized_depthwise_line', ['i32', 'i32', 'i32'], 'none', (f, x, w, y) => {
    const [low, high] = [f.local('v128'), f.local('v128')]
    const [first, second] = [f.local('v128'), f.local('v128')]
    const none = f.constant(zero)
    const block = (from: Local<'i32'>, weights: Local<'i32'>, to: Local<'i32'>) => {
      const activations = (offset: number) => i16x8.max_s(v128.load8x8_s(from, offset), none)
      f.set(low, zero)
      f.set(high, zero)
      for (let tap = 0; tap < taps.length; tap += 2) {
        f.set(first, activations(taps[tap]!))
        // The weights of a missing tap are 0.
        f.set(second, tap + 1 < taps.length ? activations(taps[tap + 1]!) : none)
        const add = (sum: Local<'v128'>, picks: readonly number[], at: number) => {
          const both = v128.shuffle(first, second, picks)
          f.set(sum, i32x4.add(sum, i32x4.dot_i16x8_s(both, v128.load(weights, tap * 16 + at))))
        }
        add(low, [0, 8, 1, 9, 2, 10, 3, 11], 0)
        add(high, [4, 12, 5, 13, 6, 14, 7, 15], 16)
      }
      f.do(...float32.store(to, low, Math.min(4, channels), 0))
      if (channels > 4) f.do(...float32.store(to, high, Math.min(4, channels - 4), 16))
    }
    const whole = Math.floor(channels / lanes)
    const [from, to, weights] = [f.local('i32'), f.local('i32'), f.local('i32')]
    f.forRange(0, output[2], 1, () => {
      f.set(from, x)
      f.set(to, y)
      f.set(weights, w)
      f.forRange(0, whole, 1, () => {
        block(from, weights, to)
        f.set(from, i32.add(from, lanes))
        f.set(to, i32.add(to, lanes * 4))
        f.set(weights, i32.add(weights, blockBytes))
      })
      if (channels % lanes > 0) {
        const back = whole === 0 ? 0 : lanes - (channels % lanes)
        f.set(from, i32.sub(from, back))
        f.set(to, i32.sub(to, back * 4))
        block(from, weights, to)
      }
      f.set(x, i32.add(x, stride[2] * channels))
      f.set(y, i32.add(y, channels * 4))
    })
  })
}

/** Where in the grid the taps of a window lie, in bytes from its first. */
function tapOffsets({ kernel, dilation, channels }: Geometry, grid: Grid): number[] {
  const [, height, width] = grid.sizes
  const steps = [
    dilation[0] * height * width * channels,
    dilation[1] * width * channels,
    dilation[2] * channels,
  ]
  return Array.from({ length: kernel[0] * kernel[1] * kernel[2] }, (_, tap) => {
    const along = [
      Math.floor(tap / (kernel[1] * kernel[2])),
      Math.floor(tap / kernel[2]) % kernel[1],
      tap % kernel[2],
    ]
    return along.reduce((offset, index, axis) => offset + index * steps[axis]!, 0)
  })
}
