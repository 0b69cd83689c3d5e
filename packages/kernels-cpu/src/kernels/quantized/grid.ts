// The image that the windows of a quantised convolution slide over: x itself where no window leaves it, otherwise a copy in a border of zero points.
import type { QuantizedConvAttrs, Signature } from '@shoal/core'
import { windowOf } from '@shoal/core'
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import { type Box, box, reachOf } from '../conv/geometry.ts'
import { i32, type Local, memory, type ModuleBuilder, type Value } from '../../wasm/index.ts'

/** A quantised convolution with all sizes known, over three spatial axes whatever it has. */
export interface Geometry {
  readonly batch: number
  readonly channels: number
  readonly image: Box
  /** What windows reach of the image and its border; it begins `before` the image. */
  readonly reach: Box
  readonly before: Box
  readonly kernel: Box
  readonly stride: Box
  readonly dilation: Box
  readonly output: Box
  readonly groups: number
  /** Channels that a group sees, and that it makes. */
  readonly seen: number
  readonly made: number
  readonly zeroPoint: number
}

/** The geometry of a QuantizedConv. */
export function geometryOf({ inputs, attrs: given }: Signature): Geometry {
  const attrs = given as unknown as QuantizedConvAttrs
  const [x, filter] = [inputs[0]!.shape, inputs[1]!.shape]
  const window = windowOf(x.slice(1, -1), filter.slice(1, -1), attrs)
  const [kernel, output] = [box(window.kernel, 1), box(window.output, 1)]
  const [strides, dilations] = [box(window.strides, 1), box(window.dilations, 1)]
  return {
    batch: x[0]!,
    channels: x.at(-1)!,
    image: box(window.input, 1),
    reach: reachOf({ output, kernel, strides, dilations }),
    before: box(window.before, 0),
    kernel,
    stride: strides,
    dilation: dilations,
    output,
    groups: attrs.groups,
    seen: filter.at(-1)!,
    made: filter[0]! / attrs.groups,
    zeroPoint: attrs.zeroPoint,
  }
}

/** The bytes that windows slide over: `sizes` of pixels, channels side by side. */
export interface Grid {
  readonly sizes: Box
  /** Is it a copy in scratch memory, whose size this is? */
  readonly copied: boolean
  readonly bytes: number
}

/** Vectors may be read that begin in a copy and end so many bytes behind it. */
const slack = 16

/** Chooses what to slide over; `copy` asks for a copy even where x itself would do. */
export function gridOf({ batch, channels, image, reach, before }: Geometry, copy: boolean): Grid {
  const within = image.every((size, a) => before[a] === 0 && reach[a]! <= size)
  const copied = copy || !within
  const sizes = copied ? reach : image
  const bytes = Math.ceil((batch * sizes[0] * sizes[1] * sizes[2] * channels + slack) / 64) * 64
  return { sizes, copied, bytes: copied ? bytes : 0 }
}

/** A stage that makes the copy, a line of pixels a unit. */
export function gridStage(
  module: ModuleBuilder,
  geometry: Geometry,
  parameters: number,
  addresses: (parameters: readonly Local<'i32'>[]) => readonly [x: Value<'i32'>, copy: Value<'i32'>],
): Stage {
  const { batch, channels, image, reach, before, zeroPoint } = geometry
  const [depth, height, width] = reach
  const line = width * channels
  const left = Math.min(width, before[2])
  const kept = Math.max(0, Math.min(image[2], width - left))
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('quantized_grid', types, 'none', (f, ...locals) => {
    const [x, copy] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    overUnits(f, [batch, depth, height], begin, end, ([n, d, h], unit) => {
      const to = f.let(i32.add(copy, i32.mul(unit, line)))
      // Before the image these are negative: as unsigned numbers, larger than any size.
      const [z, y] = [f.let(i32.sub(d!, before[0])), f.let(i32.sub(h!, before[1]))]
      const inside = i32.and(i32.lt_u(z, image[0]), i32.lt_u(y, image[1]))
      f.if(
        inside,
        () => {
          const row = i32.add(i32.mul(i32.add(i32.mul(n!, image[0]), z), image[1]), y)
          const from = i32.add(x, i32.mul(row, image[2] * channels))
          if (left > 0) f.do(memory.fill(to, zeroPoint, left * channels))
          f.do(memory.copy(i32.add(to, left * channels), from, kept * channels))
          const right = width - left - kept
          if (right > 0) f.do(memory.fill(i32.add(to, (left + kept) * channels), zeroPoint, right * channels))
        },
        () => f.do(memory.fill(to, zeroPoint, line)),
      )
    })
  })
  return { func, units: batch * depth * height, work: line / 16 }
}
