// Which changes of an inventory the others should hear of: what decides where work goes, and no flicker.
import { isDeepStrictEqual } from 'node:util'
import type { Heat, Inventory } from './inventory.ts'

/** Parts of all memory or disk, of all cores, and degrees, by which a reading has to differ to be told. */
const memoryPart = 0.05
const loadPart = 0.1
const degrees = 2

/**
 * Is what is now different enough from what was told last? Free memory and disk by more than a twentieth, load by more than a tenth of the
 * cores, heat by 2 degrees, the allowed clock by more than a twentieth; anything else by being another.
 */
export function isWorthTelling(told: Inventory, now: Inventory): boolean {
  return (
    differs(told.freeMemoryBytes, now.freeMemoryBytes, memoryPart) ||
    differs(told.freeDiskBytes, now.freeDiskBytes, memoryPart) ||
    Math.abs(told.load - now.load) > loadPart ||
    isHeatWorthTelling(told.heat, now.heat) ||
    !isDeepStrictEqual(steady(told), steady(now))
  )
}

const differs = (told: number, now: number, part: number): boolean => Math.abs(told - now) > part * told

function isHeatWorthTelling(told: Heat | undefined, now: Heat | undefined): boolean {
  if (!told || !now) return told !== now
  return (
    told.throttled !== now.throttled ||
    Math.abs(told.celsius - now.celsius) >= degrees ||
    differs(told.clock ?? 1, now.clock ?? 1, memoryPart)
  )
}

/** What does not change by itself. */
const steady = (inventory: Inventory): unknown => ({
  ...inventory,
  freeMemoryBytes: 0,
  freeDiskBytes: 0,
  load: 0,
  heat: undefined,
})
