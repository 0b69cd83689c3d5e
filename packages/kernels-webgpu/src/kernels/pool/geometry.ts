// Windows over channels-last tensors in WGSL: the members of a window, and the windows that an element is a member of.
import type { PoolAttrs, Size, Window } from '@shoal/core'
import { sizeOf, windowOf } from '@shoal/core'
import { counters } from '../../lower/map.ts'
import type { Shader } from '../../wgsl/shader.ts'

/** How a pooling's windows lie over its input. */
export interface Pooling {
  readonly window: Window
  readonly batch: number
  readonly channels: number
}

/** A position: the sample, one counter for each spatial axis, the channel. */
export interface Position {
  readonly sample: string
  readonly at: readonly string[]
  readonly channel: string
}

/** The pooling of an input of this shape. */
export const poolingOf = (shape: Size, attrs: PoolAttrs): Pooling => ({
  window: windowOf(shape.slice(1, -1), attrs.size, attrs),
  batch: shape[0]!,
  channels: shape.at(-1)!,
})

/** Elements of the input, and of the output. */
export const sizes = ({
  window,
  batch,
  channels,
}: Pooling): { readonly input: number; readonly output: number } => ({
  input: batch * sizeOf(window.input) * channels,
  output: batch * sizeOf(window.output) * channels,
})

/** The position of element `index` of the input, or of the output. */
export function positionOf(
  shader: Shader,
  { window, batch, channels }: Pooling,
  of: 'input' | 'output',
  index: string,
): Position {
  const found = counters(shader, index, [batch, ...window[of], channels])
  return { sample: found[0]!, at: found.slice(1, -1), channel: found.at(-1)! }
}

/** The flat index of a position. */
const flatten = (sizes: Size, channels: number, { sample, at, channel }: Position): string =>
  `${at.reduce((flat, i, axis) => `(${flat} * ${sizes[axis]} + ${i})`, sample)} * ${channels} + ${channel}`

/** Are all windows within the input along this axis? */
function isInside({ input, kernel, output, strides, dilations, before }: Window, axis: number): boolean {
  const last = (output[axis]! - 1) * strides[axis]! + (kernel[axis]! - 1) * dilations[axis]!
  return before[axis] === 0 && last < input[axis]!
}

/** Runs over the members of the window at a position of the output, in order; `body` gets their flat indices. */
export function eachMember(
  shader: Shader,
  { window, channels }: Pooling,
  position: Position,
  body: (index: string) => void,
): void {
  const { input, kernel, strides, dilations, before } = window
  const along = (at: readonly string[]): void => {
    const axis = at.length
    if (axis === input.length) return body(shader.let(flatten(input, channels, { ...position, at })))
    const first = shader.let(`${position.at[axis]} * ${strides[axis]} - ${before[axis]}`)
    shader.loop('0', `${kernel[axis]}`, '1', (tap) => {
      const where = shader.let(`${first} + ${tap} * ${dilations[axis]}`)
      if (isInside(window, axis)) along([...at, where])
      else shader.block(`if (${where} >= 0 && ${where} < ${input[axis]})`, () => along([...at, where]))
    })
  }
  along([])
}

/** Runs over the windows that the element at a position of the input is a member of; `body` gets their positions and flat indices. */
export function eachWindow(
  shader: Shader,
  { window, channels }: Pooling,
  position: Position,
  body: (window: Position, index: string) => void,
): void {
  const { kernel, output, strides, dilations, before } = window
  const along = (at: readonly string[]): void => {
    const axis = at.length
    if (axis === output.length) {
      const found = { ...position, at }
      return body(found, shader.let(flatten(output, channels, found)))
    }
    const [stride, dilation] = [strides[axis]!, dilations[axis]!]
    const padded = shader.let(`${position.at[axis]} + ${before[axis]}`)
    const reach = (kernel[axis]! - 1) * dilation
    const first = shader.let(`(max(${padded} - ${reach}, 0) + ${stride - 1}) / ${stride}`)
    const end = shader.let(`min(${padded} / ${stride} + 1, ${output[axis]})`)
    shader.loop(first, end, '1', (i) => {
      if (dilation === 1) along([...at, i])
      else shader.block(`if ((${padded} - ${i} * ${stride}) % ${dilation} == 0)`, () => along([...at, i]))
    })
  }
  along([])
}

/** How many members the window at a position of the output has, as f32. */
export function membersOf(shader: Shader, { window }: Pooling, { at }: Position): string {
  const { input, kernel, strides, dilations, before } = window
  const counts = input.map((size, axis) => {
    if (isInside(window, axis)) return `${kernel[axis]}`
    const [dilation, taps] = [dilations[axis]!, kernel[axis]!]
    const first = shader.let(`${at[axis]} * ${strides[axis]} - ${before[axis]}`)
    const skipped = `(max(-${first}, 0) + ${dilation - 1}) / ${dilation}`
    const end = `min(${taps}, (max(${size} - ${first}, 0) + ${dilation - 1}) / ${dilation})`
    return shader.let(`max(${end} - ${skipped}, 0)`)
  })
  return `f32(${counts.join(' * ')})`
}
