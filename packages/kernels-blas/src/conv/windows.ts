// A convolution as windows that slide over images in a border: three spatial axes always, and no window leaves its image.
import type { ConvAttrs, Signature, Size } from '@shoal/core'
import { windowOf } from '@shoal/core'

/** One number for each of the axes depth, height and width. */
export type Box = readonly [depth: number, height: number, width: number]

/** Elements of a box. */
export const volume = ([depth, height, width]: Box): number => depth * height * width

/** The convolutions: of x by the filter, and its gradients. */
export type ConvOp = 'Conv' | 'ConvBackpropInput' | 'ConvBackpropFilter'

/** The windows of one of the three; sizes are in elements. */
export interface Windows {
  readonly batch: number
  /** Channels of the image, and those that a window makes of them. */
  readonly seen: number
  readonly made: number
  readonly groups: number
  readonly image: Box
  /** The image with its border; `before` is where in it the image begins. */
  readonly box: Box
  readonly before: Box
  readonly kernel: Box
  readonly strides: Box
  readonly dilations: Box
  /** How many windows there are along each axis. */
  readonly output: Box
}

const padded = (sizes: Size, fill: number): Box =>
  [...Array<number>(3 - sizes.length).fill(fill), ...sizes] as unknown as Box

/** The windows of a signature: x and the filter are known by their shapes, which are inputs or outputs by the op. */
export function windowsOf(op: ConvOp, { inputs, outputs, attrs }: Signature): Windows {
  const x = (op === 'ConvBackpropInput' ? outputs[0]! : inputs[0]!).shape
  const filter = (op === 'ConvBackpropFilter' ? outputs[0]! : inputs[1]!).shape
  const window = windowOf(x.slice(1, -1), filter.slice(0, -2), attrs as unknown as ConvAttrs)
  const [image, kernel, output] = [window.input, window.kernel, window.output].map((sizes) =>
    padded(sizes, 1),
  ) as [Box, Box, Box]
  const strides = padded(window.strides, 1)
  const dilations = padded(window.dilations, 1)
  const before = padded(window.before, 0)
  const along = (axis: 0 | 1 | 2): number => {
    const reach = (output[axis] - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1
    return Math.max(reach, before[axis] + image[axis])
  }
  return {
    batch: x[0]!,
    seen: x.at(-1)!,
    made: filter.at(-1)!,
    groups: (attrs as unknown as ConvAttrs).groups,
    image,
    box: [along(0), along(1), along(2)],
    before,
    kernel,
    strides,
    dilations,
    output,
  }
}

/** Is the image its own box, so that it needs no copy? */
export const isBorderless = ({ image, box }: Windows): boolean => volume(image) === volume(box)

/** Is every window one pixel, and every pixel a window? Then a convolution is a product of matrices as they lie. */
export const isPointwise = (windows: Windows): boolean =>
  isBorderless(windows) && volume(windows.kernel) === 1 && volume(windows.output) === volume(windows.image)

/** Windows of all images. */
export const positions = ({ batch, output }: Windows): number => batch * volume(output)

/** Elements that one window sees. */
export const elementsSeen = ({ kernel, seen }: Windows): number => volume(kernel) * seen
