import { describe, expect, it } from 'vitest'
import { examineCertificate } from './certificate.ts'
import { begin, node, patient, report } from './testing/patients.ts'

const hour = 3_600_000
const alone = report({ nodes: [node('pi1', { state: 'self' })] })
const says = (...found: Parameters<typeof patient>) =>
  examineCertificate(patient(...found)).map(({ verdict, what, remedy }) => `${verdict}: ${what} → ${remedy}`)

describe('the examination of the certificate', () => {
  it('names whose it is, and until when', () => {
    expect(says()[0]).toMatch(/^good: worker 'pi1' of cluster [\da-f]{12}, valid until 2026-11-21T00:00:00Z/)
  })

  it('finds that it has ended, and knows who can renew it', () => {
    expect(says({}, begin + 26 * hour)[0]).toMatch(
      /^fault: it has ended 2 hours ago.* → the log of the agent/,
    )
    expect(says({ report: alone }, begin + 26 * hour)[0]).toMatch(/→ no manager is connected: start one/)
    expect(says({ report: undefined }, begin + 26 * hour)[0]).toMatch(/→ start the agent, which renews it/)
  })

  it('finds that it was not renewed when it was due', () => {
    expect(says({}, begin + 17 * hour)[0]).toMatch(/^good/)
    expect(says({}, begin + 19 * hour)[0]).toMatch(
      /^fault: it ends in 5 hours, and was not renewed when it was due, at 2026-11-20T16:00:00Z/,
    )
  })

  it('finds that it has not begun, by a clock that is in 1970', () => {
    expect(says({}, 0)[0]).toMatch(/^fault: it is valid from 2026-11-20.* it is 1970-01-01.* → set the clock/)
  })

  it('says that nobody is there who could renew it, while it is good', () => {
    expect(says({ report: alone })[0]).toMatch(/^unknown: it ends in 23 hours, and no manager is connected/)
  })

  it('says who does not let it in, once', () => {
    const answer = { nodeId: 'pi2', aheadMs: 0, refused: "'pi1' was removed from this cluster" }
    const knocks = ['a:1', 'b:1'].map((address) => ({ address, answer, problem: '', isUntimely: false }))
    expect(says({ knocks })).toEqual([
      expect.stringMatching(/^fault: 'pi2' does not let this node in: 'pi1' was removed .*shoal invite/),
    ])
  })

  it('says that it is damaged, or not there yet', () => {
    expect(says({ identity: undefined, damage: 'identity.json is damaged' })[0]).toMatch(
      /^fault: identity\.json/,
    )
    expect(says({ identity: undefined })[0]).toMatch(/^unknown: .* first start → shoal up/)
    expect(says({ damage: 'removed.json is damaged' })[0]).toMatch(/^fault: removed\.json/)
  })
})
