// The order of a kernel's work at one point of its kept axes: passes over the reduced axes, then what is stored once.
import type { Expr, FusedKernel, KernelReduction, KernelStore } from '@shoal/core'
import { dtypes, E, mapExpr, mapKernel, storesEverywhere, subexpressions } from '@shoal/core'

/** A store, and the number of its output. */
export interface NumberedStore extends KernelStore {
  readonly output: number
}

/** A reduction, and its number. */
export interface NumberedReduction extends KernelReduction {
  readonly number: number
}

/** One run over the reduced axes. */
export interface Pass {
  readonly reductions: readonly NumberedReduction[]
  readonly stores: readonly NumberedStore[]
}

/** A kernel cut into passes. */
export interface Passes {
  readonly kernel: FusedKernel
  readonly passes: readonly Pass[]
  /** What is stored once for each point of the kept axes, when all passes are over. */
  readonly once: readonly NumberedStore[]
}

/**
 * Reductions that do not need each other share a pass. Stores go with the last pass of reductions, or all have one of their own behind it
 * where one needs what that pass computes: never earlier, as an output may be the memory of an input that later passes read again.
 */
export function passesOf(given: FusedKernel): Passes {
  const kernel = widenProducts(given)
  const levels: number[] = []
  const levelOf = (e: Expr): number => {
    let level = 0
    for (const part of subexpressions(e))
      if (part.op === 'acc') level = Math.max(level, levels[part.reduction]! + 1)
    return level
  }
  kernel.reductions.forEach(({ term }) => levels.push(levelOf(term)))
  const last = Math.max(-1, ...levels)
  const passes = Array.from({ length: last + 1 }, (_, level) => ({
    reductions: kernel.reductions.flatMap((r, number) =>
      levels[number] === level ? [{ ...r, number }] : [],
    ),
    stores: [] as NumberedStore[],
  }))
  const numbered = kernel.stores.map((store, output) => ({ ...store, output }))
  const everywhere = numbered.filter((store) => kernel.reduced === 0 || storesEverywhere(kernel, store))
  const early = last >= 0 && everywhere.every(({ value }) => levelOf(value) <= last)
  if (early) passes[last]!.stores.push(...everywhere)
  else if (everywhere.length > 0) passes.push({ reductions: [], stores: everywhere })
  return { kernel, passes, once: numbered.filter((store) => !everywhere.includes(store)) }
}

/** Products of float32 are accumulated in float64, like sums: they would otherwise depend on which of them overflows on the way. */
function widenProducts(kernel: FusedKernel): FusedKernel {
  const widened = kernel.reductions.map(
    ({ combine, dtype }) => combine === 'prod' && dtypes[dtype].compute === 'float32',
  )
  if (!widened.includes(true)) return kernel
  const narrowed = (root: Expr): Expr =>
    mapExpr(root, (e) =>
      e.op === 'acc' && widened[e.reduction] ? E.cast(E.acc(e.reduction, 'float64'), 'float32') : e,
    )
  const read = mapKernel(kernel, narrowed, (index) => index)
  return {
    ...read,
    reductions: read.reductions.map((r, i) =>
      widened[i] ? { combine: r.combine, dtype: 'float64' as const, term: E.cast(r.term, 'float64') } : r,
    ),
  }
}
