// The geometry of sliding windows: where each window of a convolution or pooling begins, how many there are, what pads the border.
import { AttrError, ShapeError } from '../../errors.ts'
import type { AttrsOf } from '../../attr.ts'
import { attr } from '../../op.ts'
import type { Dim, Shape, Size } from '../../shape.ts'
import { formatShape, unknown } from '../../shape.ts'

/** The attributes that every op with sliding windows has; lists have one number for each spatial axis. */
export const windowAttrs = {
  strides: attr.ints('steps between windows, per spatial axis; 1 when left out', undefined),
  dilations: attr.ints(
    'steps between the elements of a window, per spatial axis; 1 when left out',
    undefined,
  ),
  padding: attr.oneOf(
    'VALID: windows lie within the input; SAME: one window for each stride; EXPLICIT: as explicitPadding says',
    ['VALID', 'SAME', 'EXPLICIT'],
  ),
  explicitPadding: attr.ints('elements added before and after, a pair for each spatial axis', undefined),
}
/** The values of `windowAttrs`. */
export type WindowAttrs = AttrsOf<typeof windowAttrs>

/** How a window slides over the spatial axes, all sizes known: one number for each axis everywhere. */
export interface Window {
  readonly input: Size
  readonly kernel: Size
  readonly output: Size
  readonly strides: Size
  readonly dilations: Size
  /** How many elements of padding stand before the first of the input. */
  readonly before: Size
}

/** How convolutions and poolings are told about their windows. */
export interface WindowOptions {
  /** Steps between windows, for all spatial axes or one for each. Default 1 (poolings: the size of the window). */
  readonly strides?: number | readonly number[]
  /** Steps between the elements of a window. Default 1. */
  readonly dilations?: number | readonly number[]
  /** 'VALID', 'SAME', or a pair [before, after] for each spatial axis. Default 'VALID'. */
  readonly padding?: 'VALID' | 'SAME' | readonly (readonly [before: number, after: number])[]
  readonly name?: string
}

/** One number for each of `rank` axes. */
export const perAxis = (value: number | readonly number[], rank: number): readonly number[] =>
  typeof value === 'number' ? new Array<number>(rank).fill(value) : value

/** Options as the attributes of an op over `rank` spatial axes. */
export function windowArgs(
  { strides = 1, dilations = 1, padding = 'VALID', name }: WindowOptions,
  rank: number,
) {
  return {
    strides: perAxis(strides, rank),
    dilations: perAxis(dilations, rank),
    ...(typeof padding === 'string'
      ? { padding }
      : { padding: 'EXPLICIT' as const, explicitPadding: padding.flat() }),
    name,
  }
}

/**
 * The number of windows along each spatial axis, as far as it is known.
 * SAME: ceil(input / stride). Otherwise: floor((padded input - extent of the window) / stride) + 1.
 * @throws AttrError, ShapeError
 */
export function windowCounts(input: Shape, kernel: Shape, attrs: WindowAttrs): Shape {
  const { strides, dilations, pads } = settings(input.length, attrs)
  return input.map((size, axis): Dim => {
    const [stride, taps] = [strides[axis]!, kernel[axis]!]
    if (attrs.padding === 'SAME')
      return typeof size === 'number' ? Math.ceil(size / stride) : stride === 1 ? size : unknown
    if (typeof size === 'string' || typeof taps === 'string') return unknown
    const slack = size + pads[2 * axis]! + pads[2 * axis + 1]! - extent(taps, dilations[axis]!)
    if (slack < 0)
      throw new ShapeError(
        `a window of ${taps} elements (dilation ${dilations[axis]}) does not fit in axis ${axis} of the spatial sizes ${formatShape(input)}: use a smaller window, or padding 'SAME'`,
      )
    return Math.floor(slack / stride) + 1
  })
}

/** The whole geometry once sizes are known: what kernels work from. */
export function windowOf(input: Size, kernel: Size, attrs: WindowAttrs): Window {
  const { strides, dilations, pads } = settings(input.length, attrs)
  const output = windowCounts(input, kernel, attrs) as Size
  const before = input.map((size, axis) => {
    if (attrs.padding !== 'SAME') return pads[2 * axis]!
    const total = (output[axis]! - 1) * strides[axis]! + extent(kernel[axis]!, dilations[axis]!) - size
    return Math.floor(Math.max(0, total) / 2)
  })
  return { input, kernel, output, strides, dilations, before }
}

/** The spatial sizes of an input for which as many windows as `output` has are the usual answer: what a transposed convolution makes. */
export function transposedSizes(output: Shape, kernel: Shape, attrs: WindowAttrs): Shape {
  const { strides, dilations, pads } = settings(output.length, attrs)
  return output.map((count, axis): Dim => {
    const [stride, taps] = [strides[axis]!, kernel[axis]!]
    if (attrs.padding === 'SAME')
      return typeof count === 'number' ? count * stride : stride === 1 ? count : unknown
    if (typeof count === 'string' || typeof taps === 'string') return unknown
    return (count - 1) * stride + extent(taps, dilations[axis]!) - pads[2 * axis]! - pads[2 * axis + 1]!
  })
}

const extent = (taps: number, dilation: number): number => (taps - 1) * dilation + 1

function settings(rank: number, attrs: WindowAttrs): { strides: Size; dilations: Size; pads: Size } {
  const ones = new Array<number>(rank).fill(1)
  const { strides = ones, dilations = ones, explicitPadding } = attrs
  for (const [what, list] of [
    ['strides', strides],
    ['dilations', dilations],
  ] as const)
    if (list.length !== rank || list.some((n) => n < 1))
      throw new AttrError(`${what} [${list}] must be ${rank} positive numbers, one for each spatial axis`)
  if ((attrs.padding === 'EXPLICIT') !== (explicitPadding !== undefined))
    throw new AttrError("explicitPadding goes with padding 'EXPLICIT', and only with it")
  const pads = explicitPadding ?? new Array<number>(2 * rank).fill(0)
  if (pads.length !== 2 * rank || pads.some((n) => n < 0))
    throw new AttrError(
      `explicitPadding [${pads}] must be ${2 * rank} numbers >= 0: before and after for each spatial axis`,
    )
  return { strides, dilations, pads }
}
