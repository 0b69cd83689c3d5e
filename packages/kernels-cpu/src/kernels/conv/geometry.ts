// A convolution as kernels see it: always three spatial axes, an image in a zero border, and windows that never leave it.
import type { ConvAttrs, DType, Signature, Size, Window } from '@shoal/core'
import { boundInputs, dtypes, windowOf } from '@shoal/core'

/** One number for each of the axes depth, height and width. */
export type Box = readonly [depth: number, height: number, width: number]

/** An image copied into a box of zeros. */
export interface Border {
  readonly batch: number
  readonly channels: number
  /** The image, and the box that it is copied into; what does not fit in it is left out. */
  readonly image: Box
  readonly box: Box
  /** Where in the box the first element of the image lies; may be negative. */
  readonly first: Box
  /** Steps in the box from one element of the image to the next: more than 1 where a stride is undone. */
  readonly spread: Box
}

/** Some taps of the filter along an axis, in the order in which they are walked. */
export interface Taps {
  readonly first: number
  readonly step: number
  readonly count: number
}

/** Windows that slide over a box, and make some or all elements of the answer. */
export interface Sliding {
  readonly border: Border
  /** Where in the box the first window begins. */
  readonly origin: Box
  /** Elements of a window; none where nothing is seen. */
  readonly kernel: Box
  readonly stride: Box
  readonly dilation: Box
  readonly output: Box
  /** Sizes of the answer, where in it the first window's result stands, and steps from one to the next. */
  readonly answer: Box
  readonly place: Box
  readonly step: Box
  /** Sizes of the filter, and which of its taps a window sees. */
  readonly filter: Box
  readonly taps: readonly [depth: Taps, height: Taps, width: Taps]
  readonly groups: number
  /** Channels of one group: those that a window sees, and those that it makes. */
  readonly seen: number
  readonly made: number
  readonly element: 'f32' | 'f64'
  readonly bytes: number
}

/** Numbers for one to three axes as a box; leading axes that are missing have `fill`. */
export const box = (values: Size, fill: number): Box =>
  [...Array<number>(3 - values.length).fill(fill), ...values] as unknown as Box
/** Something for each of the axes. */
export const each = <T>(f: (axis: number) => T): [depth: T, height: T, width: T] => [f(0), f(1), f(2)]
/** Elements of a box. */
export const volume = ([depth, height, width]: Box): number => depth * height * width

/** What windows reach along each axis, from the first element of the first to the last element of the last. */
export const reachOf = ({
  output,
  kernel,
  strides,
  dilations,
}: Pick<Axes, 'output' | 'kernel' | 'strides' | 'dilations'>): Box =>
  each((a) => (output[a]! - 1) * strides[a]! + (kernel[a]! - 1) * dilations[a]! + 1)

/** The axes of a convolution, whichever of the three ops it is: of x, of the filter and of y. */
export interface Axes {
  readonly input: Box
  readonly kernel: Box
  readonly output: Box
  readonly strides: Box
  readonly dilations: Box
  readonly before: Box
  readonly batch: number
  readonly groups: number
  readonly seen: number
  readonly made: number
}

/** What a signature says: x and the filter are known by their shapes. */
export function convolutionOf(op: ConvOp, signature: Signature): Axes {
  const [x, filter] = shapesOf(op, signature)
  const { groups } = signature.attrs as unknown as ConvAttrs
  const window = slidingWindow(op, signature)
  return {
    input: box(window.input, 1),
    kernel: box(window.kernel, 1),
    output: box(window.output, 1),
    strides: box(window.strides, 1),
    dilations: box(window.dilations, 1),
    before: box(window.before, 0),
    batch: x[0]!,
    groups,
    seen: filter.at(-2)!,
    made: filter.at(-1)! / groups,
  }
}

/** The window that slides over x, with as many axes as x has. */
export function slidingWindow(op: ConvOp, signature: Signature): Window {
  const [x, filter] = shapesOf(op, signature)
  return windowOf(x.slice(1, -1), filter.slice(0, -2), signature.attrs as unknown as ConvAttrs)
}

/** Positions among the parameters of a kernel, where inputs that only lend their shape are not: of the image that windows see, of the other operand, and of the answer. */
export interface Operands {
  readonly image: number
  readonly other: number
  readonly answer: number
}

/** Where operands stand. The image and the other operand are the first and last inputs: x and the filter, x and dy, or dy and the filter before it. */
export function operandsOf(op: ConvOp, signature: Signature): Operands {
  const answer = boundInputs(signature).length
  if (op === 'ConvBackpropInput') return { image: answer - 1, other: answer - 2, answer }
  return { image: 0, other: op === 'Conv' ? 1 : answer - 1, answer }
}

/** How its elements are computed. */
export const elementOf = (dtype: DType) =>
  ({ element: dtype === 'float64' ? 'f64' : 'f32', bytes: dtypes[dtype].bytes }) as const

/** Shapes of x and the filter in a signature: by Conv they are the inputs, by its gradients one of them is the output. */
export function shapesOf(op: ConvOp, { inputs, outputs }: Signature): readonly [x: Size, filter: Size] {
  if (op === 'ConvBackpropInput') return [outputs[0]!.shape, inputs[1]!.shape]
  return [inputs[0]!.shape, op === 'Conv' ? inputs[1]!.shape : outputs[0]!.shape]
}

/** The ops of this family. */
export type ConvOp = 'Conv' | 'ConvBackpropInput' | 'ConvBackpropFilter'

/** Windows over x: what Conv computes, and what the gradient by the filter walks through. */
export function forwardSliding(op: ConvOp, signature: Signature): Sliding {
  const axes = convolutionOf(op, signature)
  const { input, kernel, output, strides, dilations, before, groups, seen, made } = axes
  return {
    border: {
      batch: axes.batch,
      channels: groups * seen,
      image: input,
      box: reachOf(axes),
      first: before,
      spread: [1, 1, 1],
    },
    origin: [0, 0, 0],
    kernel,
    stride: strides,
    dilation: dilations,
    output,
    answer: output,
    place: [0, 0, 0],
    step: [1, 1, 1],
    filter: kernel,
    taps: each((a) => ({ first: 0, step: 1, count: kernel[a]! })),
    groups,
    seen,
    made,
    ...elementOf(signature.outputs[0]!.dtype),
  }
}

/** Is the image the box as it is, so that nothing needs to be copied? */
export const isBorderless = ({ image, box, first, spread }: Border): boolean =>
  image.every((size, a) => size === box[a] && first[a] === 0 && spread[a] === 1)

/** Products that all windows sum. */
export const multiplyAdds = ({ border, output, kernel, groups, seen, made }: Sliding): number =>
  border.batch * volume(output) * volume(kernel) * groups * seen * made

/** Bytes of all images in their boxes. */
export const borderBytes = ({ border, bytes }: Sliding): number =>
  border.batch * volume(border.box) * border.channels * bytes
