// The gradient by the filter: for every tap, the transposed product of the lines that it sees with the lines of dy.
import { chooseTile, microKernel, type MicroKernelSpec } from '../../gemm/index.ts'
import { elements } from '../../gemm/microKernel.ts'
import { tilesFor } from '../../gemm/tuning.ts'
import { overBox, overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import { call, i32, type Local, type ModuleBuilder, select, type Value } from '../../wasm/index.ts'
import type { KernelOptions } from '../kernelDef.ts'
import { multiplyAdds, type Sliding, volume } from './geometry.ts'
import { planPositions, type PositionPanels } from './positions.ts'

type Address = Value<'i32'>

/** Positions that are summed together, so that what they touch stays in the first cache. */
const cachedPositions = 112

/** Rows of the gradient that are computed as one unit of work. */
const stripRows = 32

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
export function planFilter(sliding: Sliding, options: KernelOptions): FilterPlan {
  const { kernel, dilation, groups, seen, made } = sliding
  const element = elements[sliding.element]
  const side = groups === 1 && dilation[2] === 1
  const length = side ? kernel[2] * seen : seen
  const measured = tilesFor(sliding.element, multiplyAdds(sliding), options)
  const { relaxed } = options
  const tile = chooseTile({ m: length, n: made, lanes: element.lanes, relaxed, measured })
  const columns = Math.min(tile.vectors * element.lanes, made)
  return { side, length, rows: tile.rows, panels: planPositions(sliding, columns, element) }
}

/**
 * A stage of one unit per strip of rows of the gradient. Rows are seen channels; taps that lie side by side in the box share a block.
 * `addresses` picks the box, the panels of dy and the gradient out of the parameters.
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
  const strips = Math.ceil(blocks / Math.max(1, Math.floor(stripRows / tall)))
  const blocksTogether = Math.ceil(blocks / strips)
  const linesTogether = Math.max(1, Math.floor(cachedPositions / Math.max(1, output[2])))

  const product = (rows: number, wide: number, lines: number) => {
    const spec: MicroKernelSpec = {
      element,
      relaxed,
      rows,
      columns: wide,
      k: output[2],
      segments: lines,
      aSegment: stride[1] * line,
      aRow: bytes,
      aK: stride[2] * pixel,
      bK: panels.step,
      bPadded: panels.packed,
      cRow: made1,
      // Rows of few channels meet the same elements at different steps. Steps that are written out would make the engine keep those, in too few registers.
      ...(stride[2] * border.channels < rows && { unroll: 1 }),
    }
    return microKernel(module, spec)
  }
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('filterGradient', types, 'none', (f, ...locals) => {
    const [box, dy, gradient] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    overUnits(f, [...around, strips], begin, end, ([depth, height, width, group, strip]) => {
      const tapOffset = [
        i32.mul(depth!, dilation[0] * border.box[1] * line),
        i32.mul(height!, dilation[1] * line),
        i32.mul(width!, dilation[2] * pixel),
        i32.mul(group!, seen * bytes),
      ].reduce<Address>((sum, term) => i32.add(sum, term), box)
      const first = f.let(tapOffset)
      const tap = i32.add(i32.mul(i32.add(i32.mul(depth!, kernel[1]), height!), kernel[2]), width!)
      const target = f.let(
        i32.add(gradient, i32.add(i32.mul(tap, seen * made1), i32.mul(group!, made * bytes))),
      )
      const firstBlock = f.let(i32.mul(strip!, blocksTogether))
      const beyond = f.let(i32.add(firstBlock, blocksTogether))
      const lastBlock = f.let(select(i32.lt_u(beyond, blocks), beyond, i32.const(blocks)))
      const dyStart = f.let(i32.add(dy, i32.mul(group!, panels.group)))
      const add = f.let(i32.const(0))

      // Lines of positions meet all rows of the strip before the next ones come: they stay in the cache meanwhile.
      const someLines = (a: Address, b: Address, lines: number) => {
        const [from, other] = [f.let(a), f.let(b)]
        const block = (index: Address, rows: number) => {
          const x = f.let(i32.add(from, i32.mul(index, tall * bytes)))
          const to = f.let(i32.add(target, i32.mul(index, tall * made1)))
          for (let p = 0; p < panels.count; p++) {
            const column = p * panels.columns
            const kernelHere = product(rows, Math.min(panels.columns, made - column), lines)
            f.do(call(kernelHere, x, i32.add(other, p * panels.panel), i32.add(to, column * bytes), add))
          }
        }
        const last = length - (blocks - 1) * tall
        f.forRange(firstBlock, lastBlock, 1, (index) => {
          if (last === tall) block(index, tall)
          else
            f.if(
              i32.eq(index, blocks - 1),
              () => block(index, last),
              () => block(index, tall),
            )
        })
        f.set(add, 1)
      }
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
        f.forRange(0, whole, linesTogether, (i) => someLines(...at(i), linesTogether))
        if (whole < output[1]) someLines(...at(f.let(i32.const(whole))), output[1] - whole)
      })
    })
  })
  const units = around.reduce((p, size) => p * size, strips)
  const strip = Math.min(length, tall * blocksTogether)
  return {
    func,
    units,
    work: (border.batch * volume(output) * strip * made) / 8,
    // Strips follow each other without a gap where there is one group, and only the very last one may be shorter.
    ...(groups === 1 && (length % strip === 0 || units === strips) && { finishes: strip * made }),
  }
}
