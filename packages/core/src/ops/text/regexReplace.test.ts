// Patterns against JavaScript's own engine, and where ours must be quick or refuse.
import { describe, expect, it } from 'vitest'
import { AttrError } from '../../errors.ts'
import { Session } from '../../run/session.ts'
import { constant } from '../constant.ts'
import { firstMatch } from './regexMatch.ts'
import { regexReplace } from './regexReplace.ts'
import { compilePattern } from './regularExpression.ts'

const replaced = async (text: string, pattern: string, rewrite: string, all = true): Promise<unknown> =>
  (await new Session().run(regexReplace(constant(text), { pattern, rewrite, all }))).item()

describe('patterns', () => {
  const patterns = [
    'a',
    'a|ab',
    '(a|ab)(c|bcd)',
    'a*',
    'a+?b',
    '(a*)(b?)',
    '^ab',
    'b$',
    '[a-b]+',
    '[^a]',
    '(a|b)*c',
    'a{2,3}',
    '(?:ab){1,2}',
    '(a*)*b',
    '(|a)+',
    'a.c',
    '\\w+',
    '[\\d-]',
    '(a)|(b)',
    '((a)b?)+',
  ]
  const texts = [
    '',
    'a',
    'b',
    'ab',
    'abc',
    'aab',
    'abcd',
    'aaab',
    'ababab',
    'ba',
    'cab',
    'a\nc',
    'b-1',
    'bbaac',
  ]
  it.each(patterns)('%s matches what JavaScript matches', (pattern) => {
    for (const text of texts) {
      const match = firstMatch(
        compilePattern(pattern),
        Array.from(text, (c) => c.codePointAt(0)!),
        0,
      )
      const expected = new RegExp(pattern).exec(text)
      expect(match && [match[0], match[1]], `${pattern} in ${text}`).toEqual(
        expected ? [expected.index, expected.index + expected[0].length] : undefined,
      )
    }
  })

  it.each([
    '(',
    ')',
    'a**',
    '*',
    '[a',
    'a{3,2}',
    '(?=a)',
    '\\1',
    '[b-a]',
    'a\\',
    '(a{1000}){1000}',
    `${'('.repeat(100)}${')'.repeat(100)}`,
  ])('%s is refused', (pattern) => expect(() => compilePattern(pattern)).toThrow(AttrError))

  it('take time in proportion where backtracking would never end', () => {
    const codes = new Array<number>(2000).fill(0x61)
    expect(firstMatch(compilePattern('(a*)*(a*)*b'), codes, 0)).toBeUndefined()
  })
})

describe('regexReplace', () => {
  it('rewrites every match, or the first', async () => {
    expect(await replaced('one two', '(\\w)(\\w*)', '\\2\\1')).toBe('neo wot')
    expect(await replaced('a-b-c', '-', '\\\\', false)).toBe('a\\b-c')
  })
  it('passes over an empty match right after a match, as RE2 does', async () => {
    expect(await replaced('baac', 'a*', '-')).toBe('-b-c-')
    expect(await replaced('', 'x*', '-')).toBe('-')
  })
  it('refuses rewrites with stray backslashes', () => {
    expect(() => regexReplace(constant('a'), { pattern: 'a', rewrite: '\\n' })).toThrow(AttrError)
  })
})
