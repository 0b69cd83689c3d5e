import { describe, expect, it } from 'vitest'
import { Refusals } from './refusals.ts'

describe('refusals', () => {
  /** Refusals, the lines that came of them, and what lets ten seconds pass. */
  function quiet() {
    const lines: string[] = []
    let elapsed = (): void => {}
    const clock = {
      now: () => 0,
      after: (_: number, action: () => void) => {
        elapsed = action
        return () => void (elapsed = () => {})
      },
    }
    return { lines, refusals: new Refusals((line) => lines.push(line), clock), pass: () => elapsed() }
  }

  it('are told once for each reason, and counted after that', () => {
    const { lines, refusals, pass } = quiet()
    for (const why of ['no certificate', 'too late', 'no certificate', 'no certificate'])
      refusals.add(new Error(why))
    expect(lines).toEqual(['refused a connection: no certificate', 'refused a connection: too late'])
    pass()
    expect(lines.slice(2)).toEqual(['refused 2 more: no certificate'])
    pass()
    refusals.add(new Error('too late'))
    expect(lines.slice(3)).toEqual(['refused a connection: too late'])
  })

  it('have few reasons at a time, and are told of in the end', () => {
    const { lines, refusals } = quiet()
    for (let i = 0; i < 100; i++) refusals.add(new Error(`reason ${i}`))
    expect(lines).toHaveLength(8)
    refusals.close()
    expect(lines.slice(8)).toEqual(['refused 92 more, for other reasons'])
  })
})
