// Copies images into boxes of zeros, line by line.
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import {
  type FunctionBuilder,
  i32,
  type Local,
  memory,
  type ModuleBuilder,
  type Value,
} from '../../wasm/index.ts'
import type { Sliding } from './geometry.ts'

type Address = Value<'i32'>

/** A stage of one unit per line of all boxes. `addresses` picks the image and the box out of the parameters. */
export function borderStage(
  module: ModuleBuilder,
  sliding: Sliding,
  parameters: number,
  addresses: (parameters: readonly Local<'i32'>[]) => readonly [image: Address, box: Address],
): Stage {
  const { batch, channels, image, box, first, spread } = sliding.border
  const pixel = channels * sliding.bytes
  const line = box[2] * pixel
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('border', types, 'none', (f, ...locals) => {
    const [from, to] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    overUnits(f, [batch, box[0], box[1]], begin, end, ([b, depth, height], unit) => {
      const target = f.let(i32.add(to, i32.mul(unit, line)))
      f.do(memory.fill(target, 0, line))
      const [d, inDepth] = positionIn(f, depth!, first[0], spread[0], image[0])
      const [h, inHeight] = positionIn(f, height!, first[1], spread[1], image[1])
      f.if(i32.and(inDepth, inHeight), () => {
        const row = i32.add(i32.mul(i32.add(i32.mul(b!, image[0]), d), image[1]), h)
        const source = f.let(i32.add(from, i32.mul(row, image[2] * pixel)))
        copyLine(f, source, target, pixel, {
          length: image[2],
          room: box[2],
          first: first[2],
          spread: spread[2],
        })
      })
    })
  })
  return { func, units: batch * box[0] * box[1], work: (box[2] * channels) / 4 }
}

/** Which line of the image stands at a position of the box, and whether one does. */
function positionIn(
  f: FunctionBuilder<'none'>,
  position: Address,
  first: number,
  spread: number,
  length: number,
): [index: Address, inside: Value<'i32'>] {
  const distance = f.let(i32.sub(position, first))
  const within = i32.lt_u(distance, Math.max(0, (length - 1) * spread + 1))
  return [f.let(i32.div_u(distance, spread)), f.let(i32.and(within, i32.eqz(i32.rem_u(distance, spread))))]
}

interface Line {
  readonly length: number
  readonly room: number
  readonly first: number
  readonly spread: number
}

/** Copies those pixels of a line that have room in the box. */
function copyLine(
  f: FunctionBuilder<'none'>,
  source: Address,
  target: Address,
  pixel: number,
  { length, room, first, spread }: Line,
): void {
  const from = first < 0 ? Math.ceil(-first / spread) : 0
  const to = Math.min(length, Math.floor((room - 1 - first) / spread) + 1)
  if (to <= from) return
  const start = (i: number) => i32.add(target, (first + i * spread) * pixel)
  if (spread === 1) return f.do(memory.copy(start(from), i32.add(source, from * pixel), (to - from) * pixel))
  f.forRange(from, to, 1, (i) => {
    const place = i32.add(i32.add(target, first * pixel), i32.mul(i, spread * pixel))
    f.do(memory.copy(place, i32.add(source, i32.mul(i, pixel)), pixel))
  })
}
