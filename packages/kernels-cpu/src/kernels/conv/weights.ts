// Filters packed into panels: for each group and panel of made channels, for each tap and seen channel, the weights of the panel side by side.
import { chooseTile, type Tile } from '../../gemm/index.ts'
import { elements } from '../../gemm/microKernel.ts'
import { tilesFor } from '../../gemm/tuning.ts'
import { flatten, overBox, overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import { f32, f64, i32, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'
import type { KernelOptions } from '../kernelDef.ts'
import { each, multiplyAdds, type Sliding, volume } from './geometry.ts'

/** How packed weights lie in memory. */
export interface Panels {
  readonly tile: Tile
  /** Channels of a panel, and of the last one. */
  readonly columns: number
  readonly lastColumns: number
  readonly count: number
  /** Bytes of one step of the sum, of a panel, and of all panels of a group. */
  readonly step: number
  readonly panel: number
  readonly group: number
  /** Where the first one lies, in bytes from where all phases have their panels; and the end of the last group's. */
  readonly start: number
  readonly end: number
}

/** The panels of a convolution or one of its phases; every panel takes as much room as a whole one. */
function planPanels(sliding: Sliding, start: number, options: KernelOptions): Panels {
  const { lanes } = elements[sliding.element]
  const measured = tilesFor(sliding.element, multiplyAdds(sliding), options)
  const { relaxed } = options
  const tile = chooseTile({ m: sliding.output[2], n: sliding.made, lanes, relaxed, measured })
  const columns = Math.min(tile.vectors * lanes, Math.max(1, sliding.made))
  const count = Math.ceil(sliding.made / columns)
  const step = tile.vectors * 16
  const panel = step * volume(sliding.kernel) * sliding.seen
  return {
    tile,
    columns,
    lastColumns: sliding.made - (count - 1) * columns,
    count,
    step,
    panel,
    group: count * panel,
    start,
    end: start + sliding.groups * count * panel,
  }
}

/** The panels of all phases, one after the other. */
export function planPhases(phases: readonly Sliding[], options: KernelOptions): Panels[] {
  let end = 0
  return phases.map((sliding) => {
    const panels = planPanels(sliding, end, options)
    end = Math.ceil(panels.end / 64) * 64
    return panels
  })
}

/**
 * A stage of one unit per panel. Forward, the filter [taps, seen, made of all groups] is taken as it is;
 * backward, `seen` are its last channels and `made` the ones before.
 */
export function weightStage(
  module: ModuleBuilder,
  sliding: Sliding,
  panels: Panels,
  backward: boolean,
  parameters: number,
  addresses: (parameters: readonly Local<'i32'>[]) => readonly [filter: Value<'i32'>, packed: Value<'i32'>],
): Stage {
  const { groups, seen, made, bytes, kernel, filter, taps } = sliding
  const across = groups * (backward ? seen : made) * bytes
  const [tapBytes, seenBytes, columnBytes] = backward
    ? [made * across, bytes, across]
    : [seen * across, across, bytes]
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('weights', types, 'none', (f, ...locals) => {
    const [weights, packed] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    overUnits(f, [groups, panels.count], begin, end, ([group, panel], unit) => {
      const groupStart = i32.mul(group!, (backward ? seen : made) * bytes)
      const panelStart = i32.mul(panel!, panels.columns * columnBytes)
      const from = f.let(i32.add(i32.add(weights, groupStart), panelStart))
      const to = f.let(i32.add(i32.add(packed, panels.start), i32.mul(unit, panels.panel)))
      const copy = (columns: number) =>
        overBox(f, kernel, (counters) => {
          const tapOf = (axis: number) =>
            i32.add(i32.mul(counters[axis]!, taps[axis]!.step), taps[axis]!.first)
          const tap = flatten(each(tapOf), filter)
          const tapStart = f.let(i32.add(from, i32.mul(tap, tapBytes)))
          f.forRange(0, seen, 1, (channel) => {
            const source = f.let(i32.add(tapStart, i32.mul(channel, seenBytes)))
            for (let column = 0; column < columns; column++) {
              const [offset, place] = [column * columnBytes, column * bytes]
              f.do(
                bytes === 8
                  ? f64.store(to, f64.load(source, offset), place)
                  : f32.store(to, f32.load(source, offset), place),
              )
            }
            f.set(to, i32.add(to, panels.step))
          })
        })
      if (panels.lastColumns === panels.columns) copy(panels.columns)
      else
        f.if(
          i32.eq(panel!, panels.count - 1),
          () => copy(panels.lastColumns),
          () => copy(panels.columns),
        )
    })
  })
  return { func, units: groups * panels.count, work: volume(kernel) * seen * panels.columns }
}
