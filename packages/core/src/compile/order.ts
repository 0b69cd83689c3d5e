// Puts work in an order that dependencies allow: a topological sort that prefers what comes first, over any kind of item.
import { Heap } from './heap.ts'

/**
 * Items in an order that `before` allows, as near to the given one as it can be.
 * @param late items that are held back while anything else can go on.
 * @param mayGo where several are held back: may this one go while what is not `done` has yet to come? The first goes where none may.
 * @param soft wishes: edges [first, then] that are given up, and reported to `dropped`, where they contradict the rest.
 */
export function orderBy<T>(
  items: readonly T[],
  before: (item: T) => Iterable<T>,
  options: {
    readonly late?: (item: T) => boolean
    readonly mayGo?: (item: T, done: (other: T) => boolean) => boolean
    readonly soft?: readonly (readonly [T, T])[]
    readonly dropped?: (first: T, then: T) => void
  } = {},
): T[] {
  const position = new Map(items.map((item, i) => [item, i]))
  const waitsFor = new Int32Array(items.length)
  const softFor = new Int32Array(items.length)
  const next: number[][] = items.map(() => [])
  const softNext: number[][] = items.map(() => [])
  items.forEach((item, i) => {
    for (const other of new Set(before(item))) {
      const j = position.get(other)
      if (j === undefined || j === i) continue
      waitsFor[i]!++
      next[j]!.push(i)
    }
  })
  const softInto: number[][] = items.map(() => [])
  for (const [first, then] of options.soft ?? []) {
    const [i, j] = [position.get(first)!, position.get(then)!]
    if (i === j) continue
    softFor[j]!++
    softNext[i]!.push(j)
    softInto[j]!.push(i)
  }
  const late = options.late ?? (() => false)
  const ready = new Heap()
  const held = new Heap()
  const onlySoft = new Heap()
  const order: T[] = []
  const done = new Uint8Array(items.length)
  const offer = (i: number): void => {
    if (waitsFor[i]! > 0) return
    if (softFor[i]! > 0) onlySoft.push(i)
    else if (late(items[i]!)) held.push(i)
    else ready.push(i)
  }
  const isDone = (item: T): boolean => done[position.get(item)!] === 1
  const release = (): number | undefined => {
    const { mayGo } = options
    if (!mayGo || held.size < 2) return held.pop()
    const passed: number[] = []
    let i = held.pop()
    while (i !== undefined && !mayGo(items[i]!, isDone)) {
      passed.push(i)
      i = held.pop()
    }
    i ??= passed.shift()
    passed.forEach((j) => held.push(j))
    return i
  }
  items.forEach((_, i) => offer(i))
  while (order.length < items.length) {
    let i = ready.pop() ?? release()
    if (i === undefined) {
      // Everything left waits, at least one only because of wishes: those are given up.
      do i = onlySoft.pop()
      while (i !== undefined && done[i])
      if (i === undefined) throw new RangeError('the dependencies form a cycle')
      for (const first of softInto[i]!) if (!done[first]) options.dropped?.(items[first]!, items[i]!)
    }
    if (done[i]) continue
    done[i] = 1
    order.push(items[i]!)
    for (const j of next[i]!) if (--waitsFor[j]! === 0) offer(j)
    for (const j of softNext[i]!) if (--softFor[j]! === 0 && waitsFor[j] === 0 && !done[j]) offer(j)
  }
  return order
}
