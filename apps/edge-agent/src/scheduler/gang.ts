// A gang runs whole or not at all: its tasks are packed in the order that suits them best, and where that fails in the order that is easiest to pack.
import type { JobSpec } from '../jobs/spec.ts'
import { exchangeSeconds } from './estimate.ts'
import { type Offer, type Room, roomOf } from './offer.ts'
import { type Assigned, Packing, type Preference } from './packing.ts'
import { groupOf, isChief } from './task.ts'

/** Some tasks that are alike. */
interface Group {
  readonly name: string
  /** Undefined for as many as there are nodes that fit one, at least one. */
  readonly count: number | undefined
  readonly serving: boolean
  readonly room: Room
}

/**
 * Packs all tasks of a gang into what is free now.
 * @returns undefined where they do not fit, as far as is known: packing is hard, and four ways are tried. Tasks that are alike always fit if they can.
 */
export function packGang(spec: JobSpec, offers: readonly Offer[]): readonly Assigned[] | undefined {
  const groups = groupsOf(spec)
  const preferences: readonly Preference[] = ['fast', 'tight']
  for (const order of [suited(groups), easiest(groups)]) {
    for (const preference of preferences) {
      const packing = new Packing(spec, offers)
      if (order.every((group) => packGroup(packing, group, offers.length, preference)))
        return withGoodChief(packing.assigned, offers)
    }
  }
  return undefined
}

function packGroup(packing: Packing, { name, count }: Group, nodes: number, preference: Preference): boolean {
  const most = count ?? nodes
  for (let index = 0; index < most; index++) {
    if (!packing.add(`${name}:${index}`, preference)) return count === undefined && index > 0
  }
  return most > 0
}

const groupsOf = ({ tasks, serving }: JobSpec): readonly Group[] =>
  Object.entries(tasks).map(([name, { count, need }]) => ({
    name,
    count: count === 'all' ? undefined : count,
    serving: serving.includes(name),
    room: roomOf(need),
  }))

/** Who serves comes last, when it is known whom. */
const suited = (groups: readonly Group[]): readonly Group[] =>
  groups.toSorted(
    (a, b) => Number(a.serving) - Number(b.serving) || Number(isAll(a)) - Number(isAll(b)) || byDemand(a, b),
  )

/** Whoever is content with what is left comes last, and before it whoever asks for little. */
const easiest = (groups: readonly Group[]): readonly Group[] =>
  groups.toSorted((a, b) => Number(isAll(a)) - Number(isAll(b)) || byDemand(a, b))

const isAll = ({ count }: Group): boolean => count === undefined

const byDemand = (a: Group, b: Group): number =>
  b.room.adapters - a.room.adapters ||
  b.room.memoryBytes - a.room.memoryBytes ||
  b.room.cores - a.room.cores ||
  (a.name < b.name ? -1 : 1)

/** Where no job is named for it, worker 0 is chief: of all workers it gets the place that is linked best to the others'. */
function withGoodChief(assigned: readonly Assigned[], offers: readonly Offer[]): readonly Assigned[] {
  const workers = assigned.filter(({ task }) => groupOf(task) === 'worker')
  const first = workers[0]
  if (!first || assigned.some(({ task }) => isChief(groupOf(task)))) return assigned
  const offerOf = new Map(offers.map((offer) => [offer.nodeId, offer]))
  const distance = ({ node }: Assigned) =>
    assigned.reduce((sum, other) => sum + exchangeSeconds(offerOf.get(node)!, offerOf.get(other.node)!), 0)
  const best = workers.reduce((least, next) => (distance(next) < distance(least) ? next : least), first)
  const swapped = new Map([
    [first.task, best.task],
    [best.task, first.task],
  ])
  return assigned.map((one) => ({ ...one, task: swapped.get(one.task) ?? one.task }))
}
