import { describe, expect, it } from 'vitest'
import type { Standing } from './agreement.ts'
import { agree, decodeStanding, encodeStanding, isQuorum } from './agreement.ts'

const five = ['a', 'b', 'c', 'd', 'e']
/** A member of the first generation that has done seven exchanges. */
const standing = (id: string, change: Partial<Standing> = {}): Standing => ({
  id,
  generation: 1,
  members: five,
  earlier: [],
  next: 7,
  doubts: false,
  lacksState: false,
  unreached: [],
  ...change,
})

describe('what members agree on', () => {
  it('is that an exchange was decided when one of them was handed its results', () => {
    const doubting = standing('b', { doubts: true })
    expect(agree([standing('a', { next: 8 }), doubting], 'a')).toMatchObject({ members: ['a', 'b'], next: 8 })
    expect(agree([standing('a'), doubting], 'a')).toMatchObject({ members: ['a', 'b'], next: 7 })
  })

  it('is that whoever comes from elsewhere starts anew, behind the others', () => {
    const late = standing('a', { generation: 1, next: 8 })
    const there = ['b', 'c'].map((id) => standing(id, { generation: 3, members: ['b', 'c', 'd'], next: 7 }))
    const newcomer = standing('A', { generation: 0, members: [], next: 0, lacksState: true })
    expect(agree([...there, late, newcomer], 'b')).toEqual({
      members: ['b', 'c', 'A', 'a'],
      newcomers: ['A', 'a'],
      next: 7,
      rosters: [['b', 'c', 'd']],
    })
    // One that has entered a generation and not got its state is still new.
    const waiting = standing('c', { generation: 3, members: ['b', 'c', 'd'], lacksState: true })
    expect(agree([there[0]!, waiting], 'b').newcomers).toEqual(['c'])
  })

  it('is to leave out the later one of two that do not reach each other', () => {
    const all = [
      standing('a'),
      standing('b', { unreached: ['c'] }),
      standing('c'),
      standing('d', { unreached: ['e'] }),
      standing('e'),
    ]
    expect(agree(all, 'a').members).toEqual(['a', 'b', 'd'])
    expect(agree(all, 'c').members).toEqual(['a', 'c', 'd'])
  })

  it('is told and understood', () => {
    const one = standing('a', { earlier: [['a', 'b"'], []], unreached: ['e'], doubts: true })
    expect(decodeStanding(encodeStanding(one), 'a')).toEqual(one)
    expect(() => decodeStanding(new TextEncoder().encode('{"generation":-1}'), 'a')).toThrow(
      "has no 'generation' that is a whole number",
    )
    expect(() => decodeStanding(Uint8Array.of(1, 2), 'a')).toThrow('not readable')
  })
})

describe('a quorum', () => {
  const goOn = (...standings: readonly Standing[]): boolean => isQuorum(agree(standings, standings[0]!.id))

  it('is more than half, or half with the first', () => {
    const four = { members: five.slice(0, 4) }
    const of = (...ids: string[]): boolean => goOn(...ids.map((id) => standing(id, four)))
    expect([of('a', 'b'), of('c', 'd'), of('b', 'c', 'd'), of('a')]).toEqual([true, false, true, false])
  })

  it('is one part at most when a network divides while a generation begins', () => {
    const second = { generation: 2, members: ['a', 'b', 'c'], earlier: [five] }
    const [d, e] = [standing('d'), standing('e')]
    // Two of three have entered it; the third went over to those who know nothing of it.
    expect([goOn(standing('a', second), standing('b', second)), goOn(standing('c'), d, e)]).toEqual([
      false,
      true,
    ])
    // The third has entered it too, and may be handed results there.
    expect([goOn(standing('a', second), standing('b', second)), goOn(standing('c', second), d, e)]).toEqual([
      false,
      false,
    ])
    // An exchange was decided in it, and one of those who go on was told so.
    const decided = standing('a', { ...second, next: 8, earlier: [] })
    const doubts = standing('b', { ...second, doubts: true })
    expect([goOn(decided, doubts), goOn(standing('c', { ...second, doubts: true }), d, e)]).toEqual([
      true,
      false,
    ])
  })
})
