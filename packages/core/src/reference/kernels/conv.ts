// Convolution and its gradients: one walk over the products of the sum, each adding to another of its three factors.
import type { ConvAttrs } from '../../ops/nn/conv.ts'
import { windowOf } from '../../ops/nn/window.ts'
import type { ConcreteType } from '../../shape.ts'
import { sizeOf } from '../../shape.ts'
import type { ReferenceKernels } from '../kernel.ts'
import { onNumbers } from '../kernel.ts'
import { slide } from './window.ts'

/** Conv, ConvBackpropInput, ConvBackpropFilter: sums in float64. */
export const convKernels: ReferenceKernels = {
  Conv: onNumbers(([x, filter], [y], { inputs, attrs }) =>
    products(inputs[0]!, inputs[1]!, attrs as unknown as ConvAttrs, (i, f, o) => {
      y![o]! += x![i]! * filter![f]!
    }),
  ),
  ConvBackpropInput: onNumbers(([filter, dy], [dx], { inputs, attrs }) =>
    products(inputs[0]!, inputs[1]!, attrs as unknown as ConvAttrs, (i, f, o) => {
      dx![i]! += dy![o]! * filter![f]!
    }),
  ),
  ConvBackpropFilter: onNumbers(([x, dy], [dw], { inputs, attrs }) =>
    products(inputs[0]!, inputs[1]!, attrs as unknown as ConvAttrs, (i, f, o) => {
      dw![f]! += x![i]! * dy![o]!
    }),
  ),
}

/** Calls `visit` with the flat positions of every product x[input] · filter[tap] that y[output] is a sum of. */
function products(
  x: ConcreteType,
  filter: ConcreteType,
  attrs: ConvAttrs,
  visit: (input: number, tap: number, output: number) => void,
): void {
  const window = windowOf(x.shape.slice(1, -1), filter.shape.slice(0, -2), attrs)
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!]
  const [seen, out] = [filter.shape.at(-2)!, filter.shape.at(-1)!]
  const perGroup = out / attrs.groups
  const [inputSize, outputSize] = [sizeOf(window.input), sizeOf(window.output)]
  slide(window, (o, i, tap) => {
    for (let n = 0; n < batch; n++)
      for (let to = 0; to < out; to++) {
        const first = Math.floor(to / perGroup) * seen
        for (let c = 0; c < seen; c++)
          visit(
            (n * inputSize + i) * channels + first + c,
            (tap * seen + c) * out + to,
            (n * outputSize + o) * out + to,
          )
      }
  })
}
