// How the work of a kernel with reductions is shared out: what keeps a GPU busy, and has neighbouring lanes read neighbours in memory.
import type { Expr, FusedKernel } from '@shoal/core'
import { affine, sizeOf, subexpressions } from '@shoal/core'
import type { Target } from '../stage.ts'

/** How the points of the kept axes, and the terms of each, are shared out. */
export interface Sharing {
  /** Lanes that share the terms of a point; a power of two. */
  readonly across: number
  /** Points of a workgroup. */
  readonly points: number
  /** Do neighbouring lanes read neighbouring terms, rather than neighbouring points? */
  readonly along: boolean
  /** Workgroups that share the terms of a point; what they find meets in scratch memory. */
  readonly splits: number
}

/** Lanes that keep a large GPU busy while most of them wait for memory: 1024 on each of 128 multiprocessors. */
const enough = 131072
/** Lanes of a workgroup at most. */
const most = 256
/** Points whose neighbours fill a line of the cache: 128 bytes of float32. */
const line = 32
/** Lanes of a workgroup where more are no use: two subgroups of the GPUs with small ones, one of the others. */
const few = 64

/** Chooses the sharing of a kernel. */
export function share(kernel: FusedKernel, target: Target): Sharing {
  const [kept, terms] = [keptOf(kernel), termsOf(kernel)]
  const along = readsAlong(kernel)
  // Lanes that share a point meet in workgroup memory, where every reduction has a word of each.
  const words = target.workgroupBytes / 4 / Math.max(1, kernel.reductions.length)
  const room = 2 ** Math.floor(Math.log2(Math.min(most, target.lanes, words)))
  // Where neighbours are points, a workgroup has a line of them, or all that lie side by side.
  const width = along ? 1 : Math.min(line, kernel.axes.at(-kernel.reduced - 1) ?? 1)
  const busy = enough / Math.max(1, kept)
  const wanted = along ? Math.max(busy, Math.min(few, terms / 8)) : busy
  const across = Math.min(
    atLeast(Math.max(1, Math.min(room, wanted, terms / 4))),
    2 ** Math.floor(Math.log2(room / width)),
  )
  const points = Math.min(Math.max(1, kept), Math.max(width, Math.floor(Math.min(few, room) / across)))
  const lanes = across * points * Math.ceil(kept / points)
  const each = terms / across
  // Parts that meet in scratch memory cost a dispatch, and a binding. All workgroups that need the whole read all parts: these must stay few beside the terms.
  const bound = kernel.inputs.length + kernel.stores.length
  const whole = bound >= target.maxBuffers || 2 * lanes > enough || each < 64
  const splits = whole ? 1 : Math.floor(Math.min(each / 16, enough / lanes, Math.sqrt(terms) / 2))
  return { across, points, along, splits }
}

/** Points of a kernel: where its kept axes are. */
export const keptOf = ({ axes, reduced }: FusedKernel): number => sizeOf(axes.slice(0, axes.length - reduced))

/** Terms of each point. */
export const termsOf = ({ axes, reduced }: FusedKernel): number => sizeOf(axes.slice(axes.length - reduced))

/** Does a step along the terms go to the neighbour in memory, for most of what is read? Ties count as terms. */
function readsAlong({ axes, reduced, reductions }: FusedKernel): boolean {
  const [lastTerm, lastKept] = [axes.length - 1, axes.length - reduced - 1]
  let balance = 0
  for (const e of subexpressions(...reductions.map(({ term }) => term))) {
    if (e.op !== 'load') continue
    balance += Number(stride(e.index, lastTerm) === 1) - Number(stride(e.index, lastKept) === 1)
  }
  return balance >= 0
}

function stride(index: Expr, axis: number): number {
  for (const [atom, coefficient] of affine(index).terms)
    if (atom.op === 'axis' && atom.axis === axis) return coefficient
  return 0
}

const atLeast = (value: number): number => 2 ** Math.ceil(Math.log2(value))
