// Ops on strings differ in what they do to one element; these makers state the rest once. Strings live on the host, so that is where they run.
import type { AttrSpecs, AttrsOf } from '../../attr.ts'
import type { DType, Scalar } from '../../dtype.ts'
import { allocate } from '../../dtype.ts'
import { DTypeError } from '../../errors.ts'
import { NDArray, getElement, setElement } from '../../ndarray.ts'
import type { Op } from '../../op.ts'
import { defineOp } from '../../op.ts'
import type { Size } from '../../shape.ts'
import { broadcastShapes, stridesOf } from '../../shape.ts'

/** An array computed element by element. */
export function mapElements(
  x: NDArray,
  dtype: DType,
  each: (value: Scalar, index: number) => Scalar,
): NDArray {
  const data = allocate(dtype, x.size)
  for (let i = 0; i < x.size; i++) setElement(dtype, data, i, each(getElement(x.dtype, x.data, i), i))
  return new NDArray(dtype, x.shape, data)
}

/** Where element `flat` of the broadcast shape is read in an array. */
export function broadcastPosition(from: Size, to: Size): (flat: number) => number {
  const own = stridesOf(from)
  const outer = stridesOf(to)
  const lead = to.length - from.length
  return (flat) =>
    from.reduce(
      (at, size, axis) =>
        size === 1 ? at : at + (Math.floor(flat / outer[axis + lead]!) % size) * own[axis]!,
      0,
    )
}

interface StringOpSpec<A extends AttrSpecs> {
  readonly name: string
  readonly doc: string
  readonly attrs: A
  /** Default: strings. */
  readonly dtypes?: readonly DType[]
  /** The dtype of the result, which may be in the attributes. */
  readonly result: DType | ((attrs: AttrsOf<A>) => DType)
  /** Checks the attributes once, when the node is made. @throws AttrError */
  readonly check?: (attrs: AttrsOf<A>) => void
  /** What becomes of one element; prepared once a run. */
  readonly each: (attrs: AttrsOf<A>) => (value: Scalar) => Scalar
}

/** An op of one input whose result has the same shape. */
export function stringOp<const A extends AttrSpecs>({
  name,
  doc,
  attrs,
  dtypes = ['string'],
  result,
  check,
  each,
}: StringOpSpec<A>): Op<readonly ['x'], A, readonly ['y']> {
  const dtypeOf = (given: AttrsOf<A>): DType => (typeof result === 'function' ? result(given) : result)
  return defineOp({
    name,
    doc,
    inputs: ['x'],
    dtypes: [dtypes],
    attrs,
    infer: ([x], given) => {
      check?.(given)
      return [{ dtype: dtypeOf(given), shape: x.shape }]
    },
    body: {
      kind: 'runtime',
      role: 'host',
      run: ([x], given) => [mapElements(x!, dtypeOf(given), each(given))],
    },
  })
}

/** Arrays of strings as one: `join` gets the elements that meet by broadcasting. @throws DTypeError when one is not of strings. */
export function joinStrings(
  xs: readonly NDArray[],
  dtype: DType,
  join: (texts: readonly string[]) => Scalar,
): NDArray {
  if (xs.some((x) => x.dtype !== 'string')) throw new DTypeError('needs strings: use asString')
  const shape = xs.map((x) => x.shape).reduce((a, b) => broadcastShapes(a, b) as Size, [])
  const at = xs.map((x) => broadcastPosition(x.shape, shape))
  const data = allocate(
    dtype,
    shape.reduce((a, b) => a * b, 1),
  )
  for (let i = 0; i < data.length; i++)
    setElement(dtype, data, i, join(xs.map((x, k) => (x.data as string[])[at[k]!(i)]!)))
  return new NDArray(dtype, shape, data)
}
