// What follows from what members say of themselves: who is in the next generation, who needs a state, and which exchanges were decided.
import type { HeadValue } from './heads.ts'
import { encodeHead, Head } from './heads.ts'

/** What a member says when it has promised to take part in no older generation. It exchanges nothing until the next one begins. */
export interface Standing {
  readonly id: string
  /** The last generation that it entered; 0 for none. */
  readonly generation: number
  /** The members of that. */
  readonly members: readonly string[]
  /** The number of its next exchange. */
  readonly next: number
  /** Has it confirmed that exchange, so that the others may have been handed its results? */
  readonly doubts: boolean
  /** Does it still need a state from the others? */
  readonly lacksState: boolean
  /** Which of the members asked for it does not reach. */
  readonly unreached: readonly string[]
}

/** What is agreed on. */
export interface Agreement {
  /** In the order of their ranks: those that go on, as they were ordered, and then those that are new. */
  readonly members: readonly string[]
  readonly newcomers: readonly string[]
  /** Exchanges before this one were decided. */
  readonly next: number
  /** The members of the newest generation that there was. */
  readonly roster: readonly string[]
}

/**
 * May these go on without the rest? More than half of the last generation may, and half of it with its first member: of two parts of a divided
 * group no more than one. A member that has come back as a new process is in no other part.
 */
export function isQuorum({ members, roster }: Agreement): boolean {
  const there = roster.filter((id) => members.includes(id))
  const twice = 2 * there.length
  return twice > roster.length || (twice === roster.length && there.includes(roster[0]!))
}

/**
 * Draws the conclusion. An exchange counts as decided if any member was handed its results: then every other has confirmed it, and holds them.
 * The members of the newest generation go on; whoever was not in it, or has come elsewhere, starts with their state.
 * @param leader stays in, whoever does not reach it.
 */
export function agree(standings: readonly Standing[], leader: string): Agreement {
  const generation = Math.max(...standings.map((standing) => standing.generation))
  const newest = standings.filter((standing) => standing.generation === generation)
  const roster = newest.find(({ members }) => members.length > 0)?.members ?? []
  const next = Math.max(...newest.map((standing) => standing.next))
  const goesOn = ({ id, lacksState, doubts, ...standing }: Standing): boolean =>
    roster.includes(id) && !lacksState && (standing.next === next || (standing.next === next - 1 && doubts))
  const going = standings.filter(goesOn).map(({ id }) => id)
  const veterans = roster.filter((id) => going.includes(id))
  const others = standings.map(({ id }) => id).filter((id) => !veterans.includes(id))
  const reach = new Map(
    standings.map(({ id, unreached }) => [id, (other: string) => !unreached.includes(other)]),
  )
  const kept: string[] = []
  for (const id of [leader, ...veterans, ...others.toSorted()])
    if (!kept.includes(id) && kept.every((other) => reach.get(id)!(other) && reach.get(other)!(id)))
      kept.push(id)
  const newcomers = others.toSorted().filter((id) => kept.includes(id))
  return { members: [...veterans.filter((id) => kept.includes(id)), ...newcomers], newcomers, next, roster }
}

/** A standing as the head of a message. */
export const encodeStanding = (standing: Standing): Uint8Array =>
  encodeHead(standing as unknown as Readonly<Record<string, HeadValue>>)

/** @throws ProtocolError. */
export function decodeStanding(bytes: Uint8Array, id: string): Standing {
  const head = new Head(bytes)
  return {
    id,
    generation: head.whole('generation'),
    members: head.texts('members'),
    next: head.whole('next'),
    doubts: head.flag('doubts'),
    lacksState: head.flag('lacksState'),
    unreached: head.texts('unreached'),
  }
}
