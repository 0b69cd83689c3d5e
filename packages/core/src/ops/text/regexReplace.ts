// Replacement by pattern, where no pattern can make a search take more than text times pattern.
import { AttrError } from '../../errors.ts'
import { attr } from '../../op.ts'
import { firstMatch } from './regexMatch.ts'
import type { Instruction } from './regularExpression.ts'
import { compilePattern } from './regularExpression.ts'
import { stringOp } from './stringOp.ts'

/**
 * Each string with what matches a pattern rewritten. Patterns have literals, `.`, sets, `\d \w \s`, `^ $`, groups, `|` and repetitions; no
 * back-references and no look-around, so that every search takes time proportional to the text.
 * @param attrs.rewrite the text put in place of a match; `\0` stands for the match, `\1` to `\9` for its groups, `\\` for a backslash.
 * @param attrs.all every match (default), or only the first.
 */
export const regexReplace = stringOp({
  name: 'RegexReplace',
  doc: 'Each string with what matches a pattern rewritten; each search takes time proportional to the text.',
  attrs: {
    pattern: attr.text('what to look for'),
    rewrite: attr.text('what to put in its place; \\0 to \\9 stand for the match and its groups'),
    all: attr.bool('replace every match, not only the first', true),
  },
  result: 'string',
  check: ({ pattern, rewrite }) => {
    compilePattern(pattern)
    const stray = /^(?:[^\\]|\\[0-9\\])*/.exec(rewrite)![0].length
    if (stray < rewrite.length)
      throw new AttrError(
        `rewrite ${JSON.stringify(rewrite)}: a backslash stands before a digit or another backslash`,
      )
  },
  each: ({ pattern, rewrite, all }) => {
    const program = compilePattern(pattern)
    return (text) => replace(program, text as string, rewrite, all)
  },
})

function replace(program: readonly Instruction[], text: string, rewrite: string, all: boolean): string {
  const codes = Array.from(text, (character) => character.codePointAt(0)!)
  const part = (begin: number, end: number): string =>
    codes
      .slice(begin, end)
      .map((code) => String.fromCodePoint(code))
      .join('')
  const result: string[] = []
  let done = 0
  for (let from = 0; from <= codes.length; ) {
    const match = firstMatch(program, codes, from)
    if (!match) break
    const [begin, end] = match as readonly [number, number]
    // As RE2 has it: nothing is no match right after a match.
    if (begin === end && begin === done && from > 0 && from === done) {
      from++
      continue
    }
    result.push(part(done, begin))
    result.push(
      rewrite.replace(/\\(.)/gs, (_, c: string) =>
        c === '\\' ? c : part(match[2 * Number(c)] ?? 0, match[2 * Number(c) + 1] ?? 0),
      ),
    )
    done = end
    from = end
    if (begin === end) {
      // The character after an empty match is kept, and the search goes on behind it.
      if (end < codes.length) result.push(part(end, end + 1))
      done = end + 1
      from = end + 1
    }
    if (!all) break
  }
  result.push(part(done, codes.length))
  return result.join('')
}
