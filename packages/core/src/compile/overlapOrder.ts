// An order of units for programs that deal with the outside: what they send is ready early, what they wait for is taken up late, and kernels run in between.
import { effectsOf } from '../graph/effects.ts'
import { Heap } from './heap.ts'
import type { Unit } from './units.ts'
import { awaitedBy } from './unitGraph.ts'

/** Is there anything that goes on beside kernels? */
export const hasOverlap = (units: readonly Unit[]): boolean => units.some(({ kind }) => kind === 'start')

/**
 * Units in order, always the first of those that may run, by this rule: what begins something; what leads to something that is to begin, that
 * with the fewest units on the longest way to it first; what leads to nothing of the kind; what takes up something that was begun, first
 * where others need it. So a backward pass goes to each gradient that is sent as directly as it can, and nothing is waited for while
 * anything else can be done. Takes n log n steps.
 * @param units in an order that `before` allows.
 * @param before what must come before a unit.
 */
export function orderForOverlap(units: readonly Unit[], before: (unit: Unit) => Iterable<Unit>): Unit[] {
  const position = new Map(units.map((unit, i) => [unit, i]))
  const previous = previousActs(units, before)
  const earlier = units.map((unit) => [
    ...new Set([...before(unit), ...(previous.get(unit) ?? [])].map((other) => position.get(other)!)),
  ])
  const waitsFor = Int32Array.from(earlier, ({ length }) => length)
  const next = units.map((): number[] => [])
  earlier.forEach((all, i) => all.forEach((j) => next[j]!.push(i)))
  const places = placesOf(units, earlier, next)
  const byPlace = units.map((_, i) => i).sort((a, b) => compare(places[a]!, places[b]!))
  const rank = new Int32Array(units.length)
  byPlace.forEach((i, place) => (rank[i] = place))
  const ready = new Heap()
  waitsFor.forEach((count, i) => count === 0 && ready.push(rank[i]!))
  const order: Unit[] = []
  for (let place = ready.pop(); place !== undefined; place = ready.pop()) {
    const i = byPlace[place]!
    order.push(units[i]!)
    for (const j of next[i]!) if (--waitsFor[j]! === 0) ready.push(rank[j]!)
  }
  return order
}

type Place = readonly [kind: number, urgency: number, position: number]
const compare = (a: Place, b: Place): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]

/** Where each unit stands among those that may run at one time. */
function placesOf(
  units: readonly Unit[],
  earlier: readonly (readonly number[])[],
  next: readonly (readonly number[])[],
): readonly Place[] {
  const urgency = urgencies(units, earlier)
  return units.map(({ kind }, i): Place => {
    if (kind === 'start') return [0, 0, i]
    if (kind !== 'finish') return [1, urgency[i]!, i]
    return [next[i]!.length > 0 ? 2 : 3, 0, i]
  })
}

/** For each unit the rank of the first beginning that it leads to, by depth; more than all of them where there is none. */
function urgencies(units: readonly Unit[], earlier: readonly (readonly number[])[]): Int32Array {
  const depth = new Int32Array(units.length)
  earlier.forEach((all, i) => all.forEach((j) => (depth[i] = Math.max(depth[i]!, depth[j]! + 1))))
  const starts = units.flatMap(({ kind }, i) => (kind === 'start' ? [i] : []))
  const urgency = new Int32Array(units.length).fill(starts.length)
  starts
    .sort((a, b) => depth[a]! - depth[b]! || a - b)
    .forEach((start, place) => {
      const stack = [start]
      for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
        if (urgency[i]! < starts.length) continue
        urgency[i] = place
        stack.push(...earlier[i]!)
      }
    })
  return urgency
}

/** Acts of the executor on the world keep their order where they wait for the same: random keys are drawn in the order in which they always are. */
function previousActs(
  units: readonly Unit[],
  before: (unit: Unit) => Iterable<Unit>,
): Map<Unit, readonly Unit[]> {
  const edges = units.flatMap((unit) => [...before(unit)].map((other) => [other, unit] as const))
  const awaited = awaitedBy(units, edges)
  const last = new Map<Unit | undefined, Unit>()
  const previous = new Map<Unit, readonly Unit[]>()
  for (const unit of units) {
    if (unit.kind === 'start' || unit.kind === 'finish' || !effectsOf(unit.node).external) continue
    const known = last.get(awaited.get(unit))
    if (known) previous.set(unit, [known])
    last.set(awaited.get(unit), unit)
  }
  return previous
}
