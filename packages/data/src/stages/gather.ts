// Stages that make one element of several: batches, windows, and the way back.
import type { Tensors } from '../structure.ts'
import { lengthOf, slice, stack } from '../structure.ts'
import type { Stage } from './stage.ts'
import { sequential } from './stage.ts'

/** `size` elements stacked into one; the last may be smaller, or is left out. */
export const batchStage = (
  upstream: Stage<unknown>,
  size: number,
  dropRemainder: boolean,
): Stage<unknown> => ({
  size:
    upstream.size === undefined ? undefined : (dropRemainder ? Math.floor : Math.ceil)(upstream.size / size),
  async *open(run) {
    let group: unknown[] = []
    for await (const element of upstream.open({ ...run, from: run.from * size })) {
      group.push(element)
      if (group.length < size) continue
      yield stack(group)
      group = []
    }
    if (group.length > 0 && !dropRemainder) yield stack(group)
  },
})

/** The rows of every element, one by one. */
export const unbatchStage = (upstream: Stage<unknown>): Stage<unknown> =>
  sequential(upstream.size === 0 ? 0 : undefined, async function* (run) {
    for await (const element of upstream.open(run)) {
      const batch = element as Tensors
      const length = lengthOf(batch)
      for (let i = 0; i < length; i++) yield slice(batch, i)
    }
  })

/** How windows lie on the elements. */
export interface WindowOptions {
  /** Elements from the start of one window to the start of the next; the size of the window when left out. */
  readonly shift?: number
  /** Elements from one member of a window to the next; 1 when left out. */
  readonly stride?: number
  /** Leave out windows that the end cuts short? No, when left out. */
  readonly dropRemainder?: boolean
}

/** Arrays of `size` elements that lie `stride` apart; a new one begins every `shift` elements. */
export function windowStage<T>(upstream: Stage<T>, size: number, options: WindowOptions): Stage<T[]> {
  const { shift = size, stride = 1, dropRemainder = false } = options
  const span = (size - 1) * stride + 1
  const whole = (n: number) => Math.max(0, Math.floor((n - span) / shift) + 1)
  return {
    size:
      upstream.size === undefined
        ? undefined
        : dropRemainder
          ? whole(upstream.size)
          : Math.ceil(upstream.size / shift),
    async *open(run) {
      const seen: T[] = []
      let gap = 0
      for await (const element of upstream.open({ ...run, from: run.from * shift })) {
        if (gap > 0) {
          gap--
          continue
        }
        seen.push(element)
        if (seen.length < span) continue
        yield members(seen, stride)
        gap = Math.max(0, shift - seen.length)
        seen.splice(0, shift)
      }
      for (; seen.length > 0 && !dropRemainder; seen.splice(0, shift)) yield members(seen, stride)
    },
  }
}

const members = <T>(span: readonly T[], stride: number): T[] => span.filter((_, i) => i % stride === 0)
