// Loops over windows in memory, for code that moves elements: run by run of neighbours, each run in vectors.
import type { FunctionBuilder, Local, Operand, Value } from '@shoal/kernels-cpu/wasm'
import { f32, f32x4, f64, f64x2, i32, v128 } from '@shoal/kernels-cpu/wasm'
import type { Windows } from './windows.ts'

type Code = FunctionBuilder<'none'>
type Address = Local<'i32'>

/** An instruction that changes what lies at `to` by what lies at `from`, both at a constant offset. */
type Move = (to: Address, from: Address, offset: number) => Value<'none'>

/** Copying and adding 16 bytes, and a single element. */
interface Element {
  readonly bytes: number
  readonly copy: Move
  readonly add: Move
  readonly addVector: Move
}

const copyVector: Move = (to, from, at) => v128.store(to, v128.load(from, at), at)

/** How elements of a dtype are moved. */
export const elements = {
  float32: {
    bytes: 4,
    copy: (to, from, at) => f32.store(to, f32.load(from, at), at),
    add: (to, from, at) => f32.store(to, f32.add(f32.load(to, at), f32.load(from, at)), at),
    addVector: (to, from, at) => v128.store(to, f32x4.add(v128.load(to, at), v128.load(from, at)), at),
  },
  float64: {
    bytes: 8,
    copy: (to, from, at) => f64.store(to, f64.load(from, at), at),
    add: (to, from, at) => f64.store(to, f64.add(f64.load(to, at), f64.load(from, at)), at),
    addVector: (to, from, at) => v128.store(to, f64x2.add(v128.load(to, at), v128.load(from, at)), at),
  },
} as const satisfies Record<string, Element>

/** Copies `bytes` bytes of elements. */
export const copyRun = (f: Code, element: Element, bytes: number, to: Address, from: Address): void =>
  overRun(f, element, bytes, to, from, copyVector, element.copy)

/** Adds `bytes` bytes of elements to those at `to`. */
export const addRun = (f: Code, element: Element, bytes: number, to: Address, from: Address): void =>
  overRun(f, element, bytes, to, from, element.addVector, element.add)

/** Vectors that are written out one after the other; longer runs are loops of four. */
const unrolled = 16

function overRun(
  f: Code,
  element: Element,
  bytes: number,
  to: Address,
  from: Address,
  vector: Move,
  single: Move,
): void {
  const vectors = Math.floor(bytes / 16)
  const looped = vectors > unrolled ? vectors - (vectors % 4) : 0
  f.forRange(0, looped * 16, 64, (offset) => {
    const [here, there] = [f.let(i32.add(to, offset)), f.let(i32.add(from, offset))]
    for (let i = 0; i < 4; i++) f.do(vector(here, there, i * 16))
  })
  for (let i = looped; i < vectors; i++) f.do(vector(to, from, i * 16))
  for (let at = vectors * 16; at < bytes; at += element.bytes) f.do(single(to, from, at))
}

/** Calls `body` with the addresses of every line of all images and of its place in its box. */
export function overLines(
  f: Code,
  { batch, seen, image, box, before }: Windows,
  elementBytes: number,
  images: Address,
  boxes: Address,
  body: (inImage: Address, inBox: Address) => void,
): void {
  const pixel = seen * elementBytes
  f.forRange(0, batch * image[0] * image[1], 1, (line) => {
    const [height, plane] = divide(f, line, image[1])
    const [depth, one] = divide(f, plane, image[0])
    const inBox = flatten([one, i32.add(depth, before[0]), i32.add(height, before[1])], [box[0], box[1]])
    body(
      f.let(i32.add(images, i32.mul(line, image[2] * pixel))),
      f.let(i32.add(boxes, i32.add(i32.mul(inBox, box[2] * pixel), before[2] * pixel))),
    )
  })
}

/**
 * Calls `body` with the addresses of every run of windows [begin, end): where its elements lie in a box, and in the rows, which
 * begin at `rows`. A run is all of a window that lies side by side: a line of its pixels, or one pixel where they lie apart.
 */
export function overRuns(
  f: Code,
  { seen, box, kernel, strides, dilations, output }: Windows,
  elementBytes: number,
  boxes: Address,
  rows: Address,
  begin: Address,
  end: Address,
  body: (inBox: Address, inRow: Address, bytes: number) => void,
): void {
  const pixel = seen * elementBytes
  const steps = [box[1] * box[2] * pixel, box[2] * pixel, pixel] as const
  const together = dilations[2] === 1 ? kernel[2] : 1
  const inRow = f.let(rows)
  f.forRange(begin, end, 1, (position) => {
    const [width, line] = divide(f, position, output[2])
    const [height, plane] = divide(f, line, output[1])
    const [depth, one] = divide(f, plane, output[0])
    const first = f.let(
      i32.add(
        i32.add(boxes, i32.mul(one, box[0] * steps[0])),
        i32.add(
          i32.mul(depth, strides[0] * steps[0]),
          i32.add(i32.mul(height, strides[1] * steps[1]), i32.mul(width, strides[2] * steps[2])),
        ),
      ),
    )
    f.forRange(0, kernel[0], 1, (d) => {
      const inPlane = f.let(i32.add(first, i32.mul(d, dilations[0] * steps[0])))
      f.forRange(0, kernel[1], 1, (h) => {
        const inLine = f.let(i32.add(inPlane, i32.mul(h, dilations[1] * steps[1])))
        f.forRange(0, kernel[2], together, (w) => {
          body(f.let(i32.add(inLine, i32.mul(w, dilations[2] * steps[2]))), inRow, together * pixel)
          f.set(inRow, i32.add(inRow, together * pixel))
        })
      })
    })
  })
}

/** Remainder and quotient. */
function divide(f: Code, value: Address, by: number): [remainder: Address, quotient: Address] {
  return [f.let(i32.rem_u(value, by)), f.let(i32.div_u(value, by))]
}

/** The flat position of counters in a row-major box, whose outermost size does not matter. */
function flatten([first, ...rest]: readonly [Operand<'i32'>, ...Operand<'i32'>[]], sizes: readonly number[]) {
  return rest.reduce<Operand<'i32'>>((flat, counter, i) => i32.add(i32.mul(flat, sizes[i]!), counter), first)
}
