// The op reference says what the ops say.
import { expect, it } from 'vitest'
import { referencePages, stalePages } from './generateReference.ts'

it('has a section for an op with its inputs, attributes and body', async () => {
  const pages = await referencePages()
  expect(pages.get('docs/ops/linalg.md')).toContain(
    '| `transposeA` | true or false | `false` | use a transposed in its last two axes |',
  )
})

it('lists an op under the name of its definition, and says its other names', async () => {
  const math = (await referencePages()).get('docs/ops/math.md')!
  for (const [name, alias] of Object.entries({
    truncMod: 'fmod',
    floorMod: 'mod',
    neg: 'negative',
    round: 'rint',
  })) {
    const section = math.slice(math.indexOf(`## ${name}\n`)).split('\n## ')[0]
    expect(section).toContain(`Also \`${alias}\`.`)
    expect(math).not.toContain(`## ${alias}\n`)
  }
})

it('keeps what users do not call out of the overview', async () => {
  const pages = await referencePages()
  expect(pages.get('docs/ops/README.md')).not.toMatch(/gatherBack|GatherBack|`Case`/)
  expect(pages.get('docs/ops/array.md')).toContain('## GatherBack\n')
})

it('is up to date', async () => {
  expect(await stalePages()).toEqual([])
})
