// What is swept over: images of channels, with windows over one to three spatial axes that are always told as three.
import type { Window } from '@shoal/core'
import type { Axis } from './axis.ts'

/** Sources [batch, depth, height, width, channels] and targets of the same form. */
export interface Sweep {
  readonly batch: number
  readonly channels: number
  readonly element: 'f32' | 'f64'
  readonly axes: readonly [depth: Axis, height: Axis, width: Axis]
  /** Have sources channels for every tap, [..., taps, channels], of which a target meets those of the tap by which it meets the source? Default false. */
  readonly fanned?: boolean
}

/** Elements from one source to the next. */
export const sourcePixel = ({ channels, axes, fanned }: Sweep): number =>
  fanned ? axes.reduce((taps, { kernel }) => taps * kernel, channels) : channels

/** The axes of windows, the leading ones trivial where there are fewer than three. */
export function axesOf(window: Window, targets: Axis['targets']): readonly [Axis, Axis, Axis] {
  const missing = 3 - window.input.length
  const axis = (at: number): Axis => {
    const own = at - missing
    const of = (values: readonly number[], otherwise: number) => (own < 0 ? otherwise : values[own]!)
    return {
      elements: of(window.input, 1),
      windows: of(window.output, 1),
      kernel: of(window.kernel, 1),
      stride: of(window.strides, 1),
      dilation: of(window.dilations, 1),
      before: of(window.before, 0),
      targets,
    }
  }
  return [axis(0), axis(1), axis(2)]
}
