// Walks every window over every spatial position: the loop that convolutions and poolings share.
import type { Size } from '../../shape.ts'
import { sizeOf, stridesOf } from '../../shape.ts'
import type { Window } from '../../ops/nn/window.ts'

/** Calls `visit` for every output position and every tap of its window that lies within the input; positions are flat over the spatial axes. */
export function slide(window: Window, visit: (output: number, input: number, tap: number) => void): void {
  const { input, kernel, output, strides, dilations, before } = window
  const steps = stridesOf(input)
  const outputs = indices(output)
  const taps = indices(kernel)
  outputs.forEach((at, o) =>
    taps.forEach((offset, tap) => {
      const where = at.map((i, axis) => i * strides[axis]! + offset[axis]! * dilations[axis]! - before[axis]!)
      if (where.every((i, axis) => i >= 0 && i < input[axis]!))
        visit(
          o,
          where.reduce((sum, i, axis) => sum + i * steps[axis]!, 0),
          tap,
        )
    }),
  )
}

/** Every index into an array of this shape, in row-major order. */
function indices(shape: Size): Size[] {
  const strides = stridesOf(shape)
  return Array.from({ length: sizeOf(shape) }, (_, flat) =>
    shape.map((size, axis) => Math.floor(flat / strides[axis]!) % size),
  )
}
