// What follows from what members say of themselves: who is in the next generation, who needs a state, and which exchanges were decided.
import { encodeHead, Head } from './heads.ts'

/** What a member says when it has promised to take part in no older generation. It exchanges nothing until the next one begins. */
export interface Standing {
  readonly id: string
  /** The last generation that it entered; 0 for none. */
  readonly generation: number
  /** The members of that. */
  readonly members: readonly string[]
  /** The members of each generation before it, back to the last one in which an exchange was decided; none where one was decided in it. */
  readonly earlier: readonly (readonly string[])[]
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
  /**
   * The members of the newest generation that there was, and of those before it in which something may go on: not all may have entered the newer one.
   */
  readonly rosters: readonly (readonly string[])[]
}

/**
 * May these go on without the rest? More than half of a generation may, and half of it with its first member: of two parts of a divided
 * group no more than one. A member that has come back as a new process is in no other part. (Jajodia and Mutchler, Dynamic voting algorithms for
 * maintaining the consistency of a replicated database, 1990.)
 */
export const isQuorum = ({ members, rosters }: Agreement): boolean =>
  rosters.every((roster) => {
    const twice = 2 * roster.filter((id) => members.includes(id)).length
    return twice > roster.length || (twice === roster.length && members.includes(roster[0]!))
  })

/**
 * Draws the conclusion. An exchange counts as decided if any member was handed its results: then every other has confirmed it, and holds them.
 * The members of the newest generation go on; whoever was not in it, or has come elsewhere, starts with their state.
 * @param leader stays in, whoever does not reach it.
 */
export function agree(standings: readonly Standing[], leader: string): Agreement {
  const generation = Math.max(...standings.map((standing) => standing.generation))
  const newest = standings.filter((standing) => standing.generation === generation)
  const roster = newest.find(({ members }) => members.length > 0)?.members ?? []
  const earlier = newest.map((standing) => standing.earlier).reduce((a, b) => (b.length < a.length ? b : a))
  const rosters = [...earlier, roster].filter(
    (one, i, all) => !all.slice(0, i).some((other) => sameIds(other, one)),
  )
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
  return { members: [...veterans.filter((id) => kept.includes(id)), ...newcomers], newcomers, next, rosters }
}

const sameIds = (a: readonly string[], b: readonly string[]): boolean => encodeRoster(a) === encodeRoster(b)

/** A list of members as one text, and read back. */
export const encodeRoster = (members: readonly string[]): string => JSON.stringify(members)
/** @throws ProtocolError. */
export function decodeRoster(text: string): readonly string[] {
  return new Head(new TextEncoder().encode(`{"members":${text}}`)).texts('members')
}

/** A standing as the head of a message. */
export const encodeStanding = ({ id: _, earlier, ...standing }: Standing): Uint8Array =>
  encodeHead({ ...standing, earlier: earlier.map(encodeRoster) })

/** @throws ProtocolError. */
export function decodeStanding(bytes: Uint8Array, id: string): Standing {
  const head = new Head(bytes)
  return {
    id,
    generation: head.whole('generation'),
    members: head.texts('members'),
    earlier: head.texts('earlier').map(decodeRoster),
    next: head.whole('next'),
    doubts: head.flag('doubts'),
    lacksState: head.flag('lacksState'),
    unreached: head.texts('unreached'),
  }
}
