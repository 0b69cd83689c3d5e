// dy as panels of channels: where it has few it lies so already, otherwise each panel is copied, as channels of a power of two would fall on each other in the cache.
import type { Element } from '../../gemm/element.ts'
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import { i32, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'
import { type Sliding, volume } from './geometry.ts'

type Address = Value<'i32'>

/** How the channels of dy are cut, and where panels lie, in bytes. */
export interface PositionPanels {
  readonly columns: number
  readonly count: number
  /** Are panels copies, which have whole vectors? Otherwise dy itself is read. */
  readonly packed: boolean
  /** From one position to the next, from one panel of a group to the next, and from one group to the next. */
  readonly step: number
  readonly panel: number
  readonly group: number
  /** Bytes of all copies. */
  readonly bytes: number
}

/** Bytes of a position of dy that is read where it lies. */
const narrow = 128

/** Cuts the channels of a group into panels of `columns`. */
export function planPositions(
  { border, output, groups, made, bytes }: Sliding,
  columns: number,
  element: Element,
): PositionPanels {
  const count = Math.ceil(made / columns)
  const pixel = groups * made * bytes
  if (pixel <= narrow)
    return {
      columns,
      count,
      packed: false,
      step: pixel,
      panel: columns * bytes,
      group: made * bytes,
      bytes: 0,
    }
  const step = Math.ceil(columns / element.lanes) * 16
  const panel = border.batch * volume(output) * step
  const group = count * panel
  return { columns, count, packed: true, step, panel, group, bytes: groups * group }
}

/** Positions that are copied as one unit. */
const together = 64

/** A stage that packs all positions, a few dozen a unit. */
export function positionStage(
  module: ModuleBuilder,
  { border, output, groups, made, bytes }: Sliding,
  { columns, count, step, panel, group: groupBytes }: PositionPanels,
  element: Element,
  parameters: number,
  addresses: (parameters: readonly Local<'i32'>[]) => readonly [dy: Address, packed: Address],
): Stage {
  const positions = border.batch * volume(output)
  const pixel = groups * made * bytes
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('positions', types, 'none', (f, ...locals) => {
    const [dy, packed] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    const vector = f.local('v128')
    overUnits(f, [Math.ceil(positions / together)], begin, end, (_, unit) => {
      const first = f.let(i32.mul(unit, together))
      const last = f.let(i32.add(first, together))
      f.if(i32.gt_u(last, positions), () => f.set(last, positions))
      f.forRange(0, groups, 1, (group) => {
        for (let p = 0; p < count; p++) {
          const width = Math.min(columns, made - p * columns)
          const from = f.let(
            i32.add(
              dy,
              i32.add(i32.mul(first, pixel), i32.mul(i32.add(i32.mul(group, made), p * columns), bytes)),
            ),
          )
          const to = f.let(
            i32.add(packed, i32.add(i32.add(i32.mul(group, groupBytes), p * panel), i32.mul(first, step))),
          )
          f.forRange(first, last, 1, () => {
            for (let done = 0; done < width; done += element.lanes) {
              const lanes = Math.min(element.lanes, width - done)
              f.set(vector, element.load(from, lanes, done * bytes))
              f.do(...element.store(to, vector, element.lanes, done * bytes))
            }
            f.set(from, i32.add(from, pixel))
            f.set(to, i32.add(to, step))
          })
        }
      })
    })
  })
  return { func, units: Math.ceil(positions / together), work: (together * groups * made) / 4 }
}
