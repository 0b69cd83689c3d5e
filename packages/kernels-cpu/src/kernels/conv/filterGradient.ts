// The gradient by the filter: for every tap, the transposed product of the lines that it sees with the lines of dy.
import { chooseTile, microKernel, type MicroKernelSpec } from '../../gemm/index.ts'
import { elements } from '../../gemm/microKernel.ts'
import { overBox, overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import { call, i32, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'
import { type Sliding, volume } from './geometry.ts'
import { planPositions, type PositionPanels } from './positions.ts'

type Address = Value<'i32'>

/** Positions that are summed together, so that what they touch stays in the first cache. */
const cachedPositions = 112

/** How the gradient is cut into blocks. */
export interface FilterPlan {
  /** Do the taps of a line lie side by side in the box, so that they share a block? */
  readonly side: boolean
  /** Rows of the gradient that lie side by side, and rows of a block. */
  readonly length: number
  readonly rows: number
  readonly panels: PositionPanels
}

/** Cuts the gradient into register blocks. */
export function planFilter(sliding: Sliding, relaxed: boolean): FilterPlan {
  const { kernel, dilation, groups, seen, made } = sliding
  const element = elements[sliding.element]
  const side = groups === 1 && dilation[2] === 1
  const length = side ? kernel[2] * seen : seen
  const tile = chooseTile({ m: length, n: made, lanes: element.lanes, relaxed, registers: 15 })
  const columns = Math.min(tile.vectors * element.lanes, made)
  return { side, length, rows: tile.rows, panels: planPositions(sliding, columns, element) }
}

/**
 * A stage of one unit per block of rows of the gradient. Rows are seen channels; taps that lie side by side in the box share a block.
 * `addresses` picks the box, packed dy and the gradient out of the parameters.
 */
export function filterStage(
  module: ModuleBuilder,
  sliding: Sliding,
  { side, length, rows: tall, panels }: FilterPlan,
  relaxed: boolean,
  parameters: number,
  addresses: (parameters: readonly Local<'i32'>[]) => readonly [box: Address, dy: Address, gradient: Address],
): Stage {
  const { border, kernel, stride, dilation, output, groups, seen, made, bytes, element } = sliding
  const pixel = border.channels * bytes
  const line = border.box[2] * pixel
  const made1 = groups * made * bytes
  // The box of block rows: depth, height, width and group.
  const around = [kernel[0], kernel[1], side ? 1 : kernel[2], groups]
  const blocks = Math.ceil(length / tall)
  const linesTogether = Math.max(1, Math.floor(cachedPositions / Math.max(1, output[2])))

  const product = (rows: number, wide: number, lines: number) => {
    const spec: MicroKernelSpec = {
      element, relaxed, rows, columns: wide, k: output[2], segments: lines, aSegment: stride[1] * line,
      aRow: bytes, aK: stride[2] * pixel, bK: panels.step, bPadded: true, cRow: made1,
    }
    return microKernel(module, spec)
  }
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('filterGradient', types, 'none', (f, ...locals) => {
    const [box, dy, gradient] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    overUnits(f, [...around, blocks], begin, end, ([depth, height, width, group, block]) => {
      const tapOffset = [
        i32.mul(depth!, dilation[0] * border.box[1] * line),
        i32.mul(height!, dilation[1] * line),
        i32.mul(width!, dilation[2] * pixel),
        i32.mul(group!, seen * bytes),
        i32.mul(block!, tall * bytes),
      ].reduce<Address>((sum, term) => i32.add(sum, term), box)
      const first = f.let(tapOffset)
      const tap = i32.add(i32.mul(i32.add(i32.mul(depth!, kernel[1]), height!), kernel[2]), width!)
      const row = i32.add(i32.mul(tap, seen), i32.mul(block!, tall))
      const target = f.let(i32.add(gradient, i32.add(i32.mul(row, made1), i32.mul(group!, made * bytes))))
      const dyStart = f.let(i32.add(dy, i32.mul(group!, panels.count * panels.panel)))
      const add = f.let(i32.const(0))

      const someLines = (rows: number, a: Address, b: Address, lines: number) => {
        const [from, other] = [f.let(a), f.let(b)]
        for (let p = 0; p < panels.count; p++) {
          const column = p * panels.columns
          const kernelHere = product(rows, Math.min(panels.columns, made - column), lines)
          f.do(call(kernelHere, from, i32.add(other, p * panels.panel), i32.add(target, column * bytes), add))
        }
        f.set(add, 1)
      }
      const allOf = (rows: number) =>
        overBox(f, [border.batch, output[0]], ([b, d]) => {
          const plane = i32.add(i32.mul(b!, border.box[0]), i32.mul(d!, stride[0]))
          const a = f.let(i32.add(first, i32.mul(plane, border.box[1] * line)))
          const lines = i32.mul(i32.add(i32.mul(b!, output[0]), d!), output[1])
          const g = f.let(i32.add(dyStart, i32.mul(lines, output[2] * panels.step)))
          const at = (i: Address): [Address, Address] => [
            i32.add(a, i32.mul(i, stride[1] * line)),
            i32.add(g, i32.mul(i, output[2] * panels.step)),
          ]
          const whole = output[1] - (output[1] % linesTogether)
          f.forRange(0, whole, linesTogether, (i) => someLines(rows, ...at(i), linesTogether))
          if (whole < output[1]) someLines(rows, ...at(f.let(i32.const(whole))), output[1] - whole)
        })
      const last = length - (blocks - 1) * tall
      if (last === tall) allOf(last)
      else f.if(i32.eq(block!, blocks - 1), () => allOf(last), () => allOf(tall))
    })
  })
  const units = around.reduce((p, size) => p * size, blocks)
  return { func, units, work: (border.batch * volume(output) * tall * made) / 8 }
}
