// Sums and means over all members: what is asked for, checked, and put into the hands of a ring, a tree, or of the largest elements alone.
import type { NDArray } from '@shoal/core'
import { checkOptions, formatType, ValueError } from '@shoal/core'
import type { OptionRules } from '@shoal/core'
import type { Link } from '../placement/machine.ts'
import type { WireType } from '../transport/contract.ts'
import type { Arena } from './arena.ts'
import { pack } from './arena.ts'
import { divide, roundTo, scale } from './arithmetic.ts'
import type { PartPlan } from './exchange.ts'
import { ringSum } from './ring.ts'
import type { Finish } from './sum.ts'
import { mostTreeBytes } from './topology.ts'
import type { Compression } from './topK.ts'
import { sumOfLargest } from './topK.ts'
import { treeSum } from './tree.ts'

/** What is made of the arrays of all members. */
export interface ReduceOptions {
  /** Default 'mean'. Integers have sums only; they wrap. */
  readonly op?: 'sum' | 'mean'
  /**
   * What this member counts in a mean: the number of its examples. From 0; at 0 its arrays are not looked at. The mean is
   * Σ weight · array / Σ weight. Default 1.
   */
  readonly weight?: number
  /**
   * What float32 travels in, rounded to nearest. Sums are kept in float32 where they are added up, and rounded each time they are sent; the result is
   * rounded too, so that all have the same. In float16 sums above 65504 are infinite. Default: float32.
   */
  readonly wire?: WireType | undefined
  /** Sends the largest elements of float32 arrays alone, and keeps the others for the next time. Default: all are sent. */
  readonly compress?: Compression | undefined
}

const rules: OptionRules<ReduceOptions> = {
  op: { wanted: "'sum' or 'mean'", accepts: (value) => value === 'sum' || value === 'mean' },
  weight: {
    wanted: 'a finite number from 0',
    accepts: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  },
  wire: {
    wanted: "'bfloat16' or 'float16'",
    accepts: (value) => value === 'bfloat16' || value === 'float16',
  },
  compress: {
    wanted: 'an object with topK, above 0 and at most 1, and residuals',
    accepts: (value) => {
      const { topK } = value as Compression
      return topK > 0 && topK <= 1
    },
  },
}

/**
 * Adds arrays up. Order of the additions, for member r of n with values x(r): in a ring, elements are cut into n segments, and segment c is
 * ((x(c) + x(c+1)) + x(c+2)) + …, ranks modulo n; in the tree, sum(r) = (x(r) + sum(2r+1)) + sum(2r+2). The tree is taken for as few bytes as
 * `mostTreeBytes` says. A mean multiplies each x by its weight before and divides after.
 * @throws ValueError, DTypeError.
 */
export function allReduce(
  arrays: readonly NDArray[],
  options: ReduceOptions,
  { link, size }: { readonly link: Link; readonly size: number },
): PartPlan<readonly NDArray[]> {
  checkOptions('allReduce', options, rules)
  const { op = 'mean', weight = 1, wire, compress } = options
  if (op === 'sum' && weight !== 1) throw new ValueError('a weight is for a mean, not for a sum')
  const signature = `${op}${wire ? ` in ${wire}` : ''}${compress ? ` of the largest ${compress.topK}` : ''} of ${arrays.map(formatType).join(', ')}`
  if (compress)
    return { signature: short(signature), ...sumOfLargest(arrays, compress, { op, weight, wire }) }
  const { arenas, unpack } = pack(arrays, { wire, blank: weight === 0, floats: op === 'mean' })
  for (const { data } of arenas) scale(data, weight)
  const mostBytes = mostTreeBytes(size, link)
  return {
    signature: short(signature),
    async work(channel) {
      await Promise.all(
        arenas.map((arena) => {
          const sum = arena.data.byteLength <= mostBytes ? treeSum : ringSum
          return sum(arena, weight, finisher(op, arena), channel)
        }),
      )
      return unpack()
    },
  }
}

/** What is done with a sum, once, by the member that completes it. */
function finisher(op: 'sum' | 'mean', { wire }: Arena): Finish {
  return (values, total) => {
    if (op === 'mean') divide(values, meanOf(total))
    if (wire) roundTo(values as Float32Array, wire)
  }
}

/** The divisor of a mean. @throws ValueError where nobody has any examples. */
export function meanOf(total: number): number {
  if (total > 0) return total
  throw new ValueError('there is no mean: the weights of all members are 0')
}

/** A text that stays small, with its beginning and a hash of the whole (FNV-1a), for thousands of tensors. */
function short(text: string): string {
  if (text.length <= 200) return text
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return `${text.slice(0, 180)}… (${(hash >>> 0).toString(16)})`
}
