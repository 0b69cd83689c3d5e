// Blocks of space (NHWC) moved into channels or batches, and back.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Dim } from '../../shape.ts'
import { formatShape } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { pad } from './pad.ts'
import { reshape } from './reshape.ts'
import { slice } from './slice.ts'
import { transpose } from './transpose.ts'

/** [n, h, w, c] → [n, h/block, w/block, block·block·c]. @throws ShapeError when height or width is unknown or no multiple of the block. */
export function spaceToDepth(x: TensorLike, block: number): Tensor {
  const image = toTensor(x)
  const [n, h, w, c] = imageSizes(image, 'spaceToDepth')
  const split = reshape(image, { shape: [n, quotient(h, block), block, quotient(w, block), block, c] })
  return reshape(transpose(split, { order: [0, 1, 3, 2, 4, 5] }), {
    shape: [n, h / block, w / block, block * block * c],
  })
}

/** [n, h, w, block·block·c] → [n, h·block, w·block, c]: undoes `spaceToDepth`. @throws ShapeError when the channels are no multiple of block². */
export function depthToSpace(x: TensorLike, block: number): Tensor {
  const image = toTensor(x)
  const [n, h, w, c] = imageSizes(image, 'depthToSpace')
  const split = reshape(image, { shape: [n, h, w, block, block, quotient(c, block * block)] })
  return reshape(transpose(split, { order: [0, 1, 3, 2, 4, 5] }), {
    shape: [n, h * block, w * block, c / (block * block)],
  })
}

/**
 * Pads the axes after the first with zeros and moves blocks of them into the batch: [n, ...space, ...rest] → [n·Πblock, ...space/block, ...rest].
 * @param options.block the size of a block along each axis of space
 * @param options.paddings zeros before and after each axis of space; default none
 */
export function spaceToBatch(
  x: TensorLike,
  {
    block,
    paddings = block.map(() => [0, 0] as const),
  }: { readonly block: readonly number[]; readonly paddings?: readonly (readonly [number, number])[] },
): Tensor {
  const whole = toTensor(x)
  const rest = whole.shape.slice(1 + block.length)
  const around = (side: 0 | 1): number[] => [0, ...paddings.map((p) => p[side]), ...rest.map(() => 0)]
  const padded = pad(whole, { before: around(0), after: around(1) })
  const space = padded.shape
    .slice(1, 1 + block.length)
    .map((d, i) => quotient(known(d, whole, 'spaceToBatch'), block[i]!))
  const split = reshape(padded, {
    shape: [whole.shape[0]!, ...space.flatMap((d, i) => [d, block[i]!]), ...rest],
  })
  const order = [
    ...block.map((_, i) => 2 * i + 2),
    0,
    ...block.map((_, i) => 2 * i + 1),
    ...rest.map((_, i) => 1 + 2 * block.length + i),
  ]
  return reshape(transpose(split, { order }), { shape: [-1, ...space, ...rest] })
}

/**
 * Moves the batch back into blocks of space and crops: undoes `spaceToBatch`.
 * @param options.crops elements to take away before and after each axis of space; default none
 */
export function batchToSpace(
  x: TensorLike,
  {
    block,
    crops = block.map(() => [0, 0] as const),
  }: { readonly block: readonly number[]; readonly crops?: readonly (readonly [number, number])[] },
): Tensor {
  const whole = toTensor(x)
  const rank = block.length
  const rest = whole.shape.slice(1 + rank)
  const space = whole.shape.slice(1, 1 + rank).map((d) => known(d, whole, 'batchToSpace'))
  const split = reshape(whole, { shape: [...block, -1, ...space, ...rest] })
  const order = [rank, ...block.flatMap((_, i) => [rank + 1 + i, i]), ...rest.map((_, i) => 1 + 2 * rank + i)]
  const joined = reshape(transpose(split, { order }), {
    shape: [-1, ...space.map((d, i) => d * block[i]!), ...rest],
  })
  return slice(joined, {
    begin: [0, ...crops.map(([before]) => before), ...rest.map(() => 0)],
    size: [-1, ...space.map((d, i) => d * block[i]! - crops[i]![0] - crops[i]![1]), ...rest.map(() => -1)],
  })
}

function imageSizes(image: Tensor, what: string): [Dim, number, number, number] {
  if (image.rank !== 4)
    throw new ShapeError(`${what}: needs images [n, h, w, c], got ${formatShape(image.shape)}`)
  const [n, h, w, c] = image.shape
  return [n!, known(h!, image, what), known(w!, image, what), known(c!, image, what)]
}

function known(d: Dim, x: Tensor, what: string): number {
  if (typeof d === 'string')
    throw new ShapeError(`${what}: sizes after the batch must be known, got ${formatShape(x.shape)}`)
  return d
}

function quotient(size: number, block: number): number {
  if (size % block !== 0)
    throw new ShapeError(`size ${size} is no multiple of the block ${block}: pad it first`)
  return size / block
}
