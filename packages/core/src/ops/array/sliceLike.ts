// The part of a joined tensor that one of its parts became, and the way back.
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxis } from '../../shape.ts'
import { pad } from './pad.ts'
import { slice } from './slice.ts'

const attributes = { axis: attr.int('the axis of the concatenation'), part: attr.int('which part') }
type Context = GradContext<readonly ['...xs'], typeof attributes>

/** Of a concatenation (the first input) of the other inputs, which lend only their shapes, the piece that part `part` is. */
export const sliceLike = defineOp({
  name: 'SliceLike',
  doc: 'Of a concatenation of the other inputs, which lend only their shapes, the piece that one part is.',
  inputs: ['...xs'],
  attrs: attributes,
  traits: { shapeOnly: (i) => i >= 1 },
  infer: ([whole, ...parts], { part }) => [{ dtype: whole!.dtype, shape: parts[part]!.shape }],
  grad: ({ dy, inputs: [, ...parts], attrs }: Context): (Tensor | null)[] => [
    partLike([dy, ...parts], attrs),
    ...parts.map(() => null),
  ],
  body: {
    kind: 'composite',
    build: ([whole, ...parts], { axis, part }): Tensor => {
      const { at, begin, sizes } = place(parts, axis, part)
      return slice(whole!, {
        begin: whole!.shape.map((_, i) => (i === at ? begin : 0)),
        size: whole!.shape.map((_, i) => (i === at ? sizes[part]! : -1)),
      })
    },
  },
})

/** The concatenation of the other inputs, which lend only their shapes, if part `part` were the first input and all others zeros. */
export const partLike = defineOp({
  name: 'PartLike',
  doc: 'The concatenation of the other inputs, which lend only their shapes, if one part were the first input and all others zeros.',
  inputs: ['...xs'],
  attrs: attributes,
  traits: { shapeOnly: (i) => i >= 1 },
  infer: ([piece, ...parts], { axis }) => {
    const at = normalizeAxis(axis, piece!.shape.length)
    const sizes = parts.map((t) => t.shape[at]!)
    const total = sizes.every((d) => typeof d === 'number')
      ? sizes.reduce((a, b) => a + b, 0)
      : sizes.length === 1
        ? sizes[0]!
        : '?'
    return [{ dtype: piece!.dtype, shape: piece!.shape.map((d, i) => (i === at ? total : d)) }]
  },
  grad: ({ dy, inputs: [, ...parts], attrs }: Context): (Tensor | null)[] => [
    sliceLike([dy, ...parts], attrs),
    ...parts.map(() => null),
  ],
  body: {
    kind: 'composite',
    build: ([piece, ...parts], { axis, part }): Tensor => {
      const { at, begin, sizes } = place(parts, axis, part)
      const rest = sizes.slice(part + 1).reduce((a, b) => a + b, 0)
      return pad(piece!, {
        before: piece!.shape.map((_, i) => (i === at ? begin : 0)),
        after: piece!.shape.map((_, i) => (i === at ? rest : 0)),
      })
    },
  },
})

function place(
  parts: readonly Tensor[],
  axis: number,
  part: number,
): { at: number; begin: number; sizes: number[] } {
  const at = normalizeAxis(axis, parts[part]!.rank)
  const sizes = parts.map((t) => t.shape[at] as number)
  return { at, begin: sizes.slice(0, part).reduce((a, b) => a + b, 0), sizes }
}
