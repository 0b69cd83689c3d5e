// The op reference says what the ops say.
import { expect, it } from 'vitest'
import { referencePages, stalePages } from './generateReference.ts'

it('has a section for an op with its inputs, attributes and body', async () => {
  const pages = await referencePages()
  expect(pages.get('docs/ops/linalg.md')).toContain(
    '| `transposeA` | true or false | `false` | use a transposed in its last two axes |',
  )
})

it('is up to date', async () => {
  expect(await stalePages()).toEqual([])
})
