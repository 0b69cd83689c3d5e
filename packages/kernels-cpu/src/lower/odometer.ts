// Loop counters that advance like the digits of an odometer: divided out once at the beginning, then only added to.
import { i32, type Local, type Operand } from '../wasm/index.ts'
import type { Code } from './representation.ts'

/** Runs `body` for units [begin, end) of a row-major box; the counters say where in the box a unit is. */
export function overUnits(
  f: Code,
  sizes: readonly number[],
  begin: Local<'i32'>,
  end: Local<'i32'>,
  body: (counters: readonly Local<'i32'>[], unit: Local<'i32'>) => void,
): void {
  let stride = 1
  const strides = sizes.map(() => 1)
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= sizes[axis]!
  }
  const counters = sizes.map((size, axis) =>
    f.let(i32.rem_u(i32.div_u(begin, Math.max(1, strides[axis]!)), Math.max(1, size))),
  )
  const advance = (axis: number): void => {
    const counter = counters[axis]
    if (!counter) return
    f.set(counter, i32.add(counter, 1))
    if (axis === 0) return
    f.if(i32.eq(counter, sizes[axis]!), () => {
      f.set(counter, 0)
      advance(axis - 1)
    })
  }
  f.forRange(begin, end, 1, (unit) => {
    body(counters, unit)
    advance(sizes.length - 1)
  })
}

/** Runs `body` for all positions of a box, outermost loop first. */
export function overBox(
  f: Code,
  sizes: readonly number[],
  body: (counters: readonly Local<'i32'>[]) => void,
  counters: readonly Local<'i32'>[] = [],
): void {
  const size = sizes[counters.length]
  if (size === undefined) body(counters)
  else f.forRange(0, size, 1, (counter) => overBox(f, sizes, body, [...counters, counter]))
}

/** a · b + …: the flat position of counters in a row-major box. */
export function flatten(counters: readonly Operand<'i32'>[], sizes: readonly number[]): Operand<'i32'> {
  return counters.reduce<Operand<'i32'>>(
    (flat, counter, axis) => (axis === 0 ? counter : i32.add(i32.mul(flat, sizes[axis]!), counter)),
    0,
  )
}
