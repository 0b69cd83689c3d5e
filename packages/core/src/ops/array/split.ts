// Cutting a tensor into pieces along an axis.
import { AttrError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { formatShape, normalizeAxis } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { slice } from './slice.ts'

/**
 * The pieces of x along an axis (default the first): as many equal ones as a number says, or of the given sizes, one of which may be -1 for the rest.
 * @throws ShapeError when the sizes do not add up, or equal pieces are asked for and the size is unknown or no multiple.
 */
export function split(
  x: TensorLike,
  pieces: number | readonly number[],
  { axis = 0 }: { readonly axis?: number } = {},
): Tensor[] {
  const whole = toTensor(x)
  const at = normalizeAxis(axis, whole.rank)
  const sizes = typeof pieces === 'number' ? equalSizes(whole, at, pieces) : allSizes(whole, at, pieces)
  let begin = 0
  return sizes.map((size) => {
    const piece = slice(whole, {
      begin: whole.shape.map((_, i) => (i === at ? begin : 0)),
      size: whole.shape.map((_, i) => (i === at ? size : -1)),
    })
    begin += size
    return piece
  })
}

function equalSizes(x: Tensor, axis: number, count: number): number[] {
  const size = x.shape[axis]!
  if (!Number.isInteger(count) || count < 1) throw new AttrError(`split: ${count} is no number of pieces`)
  if (typeof size === 'string')
    throw new ShapeError(`split: size '${size}' of axis ${axis} is not known: give the sizes of the pieces`)
  if (size % count !== 0)
    throw new ShapeError(
      `split: axis ${axis} of ${formatShape(x.shape)} cannot be cut into ${count} equal pieces`,
    )
  return new Array<number>(count).fill(size / count)
}

function allSizes(x: Tensor, axis: number, sizes: readonly number[]): readonly number[] {
  const size = x.shape[axis]!
  const rest = sizes.indexOf(-1)
  const sum = sizes.reduce((a, b) => (b === -1 ? a : a + b), 0)
  // Of an axis of unknown size only the last piece may be the rest.
  if (typeof size === 'string') {
    if (rest >= 0 && rest !== sizes.length - 1)
      throw new ShapeError(
        `split: size '${size}' of axis ${axis} is not known: only the last piece may be -1`,
      )
    return sizes
  }
  if (sizes.some((s) => s < -1) || sizes.lastIndexOf(-1) !== rest || (rest < 0 ? sum !== size : sum > size))
    throw new ShapeError(
      `split: sizes [${sizes}] do not add up to ${size}, axis ${axis} of ${formatShape(x.shape)}`,
    )
  return sizes.map((s) => (s === -1 ? size - sum : s))
}
