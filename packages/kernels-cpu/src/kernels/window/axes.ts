// Windows over one to three spatial axes, always told as three: what is missing has one element and one window.
import type { Window } from '@shoal/core'
import type { Axis } from './axis.ts'

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
