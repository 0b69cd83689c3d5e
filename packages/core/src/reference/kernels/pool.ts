// Pooling: every window of every channel, with its elements in order. A dilated window may lie between all elements: the maximum of none is -Infinity, the mean 0.
import type { PoolAttrs } from '../../ops/nn/pool.ts'
import { windowOf } from '../../ops/nn/window.ts'
import type { Size } from '../../shape.ts'
import { sizeOf } from '../../shape.ts'
import type { ReferenceKernels } from '../kernel.ts'
import { onNumbers } from '../kernel.ts'
import { slide } from './window.ts'

/** MaxPool, AvgPool and their gradients. */
export const poolKernels: ReferenceKernels = {
  MaxPool: onNumbers(([x], [y], { inputs, attrs }) =>
    windows(inputs[0]!.shape, attrs as unknown as PoolAttrs, (o, members) => {
      y![o] = members.length === 0 ? -Infinity : x![greatest(x!, members)]!
    }),
  ),
  MaxPoolGrad: onNumbers(([x, dy], [dx], { inputs, attrs }) =>
    windows(inputs[0]!.shape, attrs as unknown as PoolAttrs, (o, members) => {
      if (members.length > 0) dx![greatest(x!, members)]! += dy![o]!
    }),
  ),
  MaxPoolGradGrad: onNumbers(([x, g], [y], { inputs, attrs }) =>
    windows(inputs[0]!.shape, attrs as unknown as PoolAttrs, (o, members) => {
      y![o] = members.length === 0 ? 0 : g![greatest(x!, members)]!
    }),
  ),
  AvgPool: onNumbers(([x], [y], { inputs, attrs }) =>
    windows(inputs[0]!.shape, attrs as unknown as PoolAttrs, (o, members) => {
      y![o] = members.reduce((sum, i) => sum + x![i]!, 0) / Math.max(1, members.length)
    }),
  ),
  AvgPoolGrad: onNumbers(([dy], [dx], { inputs, attrs }) =>
    windows(inputs[0]!.shape, attrs as unknown as PoolAttrs, (o, members) => {
      for (const i of members) dx![i]! += dy![o]! / members.length
    }),
  ),
}

/** The first greatest member; a NaN is greater than any number. */
function greatest(x: Float64Array, members: readonly number[]): number {
  return members.reduce((best, i) =>
    x[i]! > x[best]! || (Number.isNaN(x[i]) && !Number.isNaN(x[best])) ? i : best,
  )
}

/** Calls `visit` for every window of every channel with the flat positions of its members, padding left out. */
function windows(
  shape: Size,
  attrs: PoolAttrs,
  visit: (output: number, members: readonly number[]) => void,
): void {
  const window = windowOf(shape.slice(1, -1), attrs.size, attrs)
  const [batch, channels] = [shape[0]!, shape.at(-1)!]
  const [inputSize, outputSize] = [sizeOf(window.input), sizeOf(window.output)]
  const members: number[][] = Array.from({ length: outputSize }, () => [])
  slide(window, (o, i) => members[o]!.push(i))
  for (let n = 0; n < batch; n++)
    members.forEach((inside, o) => {
      for (let c = 0; c < channels; c++)
        visit(
          (n * outputSize + o) * channels + c,
          inside.map((i) => (n * inputSize + i) * channels + c),
        )
    })
}
