// How pages become programs.
import { describe, expect, it } from 'vitest'
import { assemble } from './codeblocks/assemble.ts'
import { splitCommands } from './codeblocks/commands.ts'
import { extractBlocks } from './codeblocks/extract.ts'

describe('extractBlocks', () => {
  it('reads language, words and the line where the code begins', () => {
    const page = '# Title\n\n```ts alone\nlet a = 1\nlet b = 2\n```\n\ntext\n~~~\nplain\n~~~\n'
    expect(extractBlocks(page)).toEqual([
      { language: 'ts', words: ['alone'], line: 4, code: 'let a = 1\nlet b = 2' },
      { language: '', words: [], line: 10, code: 'plain' },
    ])
  })

  it('leaves a shorter fence inside a longer one to it', () => {
    const [block, ...others] = extractBlocks('````md\n```ts\nx\n```\n````\n')
    expect(block?.code).toBe('```ts\nx\n```')
    expect(others).toEqual([])
  })

  it('takes the indentation of a list from its code', () => {
    expect(extractBlocks('- item\n\n  ```ts\n  f({\n    a,\n  })\n  ```\n')[0]?.code).toBe('f({\n  a,\n})')
  })
})

describe('assemble', () => {
  const module = (page: string) => assemble(extractBlocks(page), 'page.ts')

  it('keeps every line at its number', () => {
    const page = 'one\n```ts\nlet a = 1\n```\nfive\n```ts\na + 1\n```\n'
    expect(
      module(page)
        .split('\n')
        .map((line, index) => line && `${index + 1} ${line}`)
        .filter(Boolean),
    ).toEqual(['3 let a = 1', '7 a + 1'])
  })

  it('leaves out what is imported again, and keeps the rest of the import', () => {
    const first = "```ts\nimport { a, b } from 'x'\n```\n"
    const second = "```ts\nimport {\n  b,\n  type C,\n} from 'x'\nimport * as n from 'y'\nuse(n)\n```\n"
    const third = "```ts\nimport * as n from 'y'\nimport 'effect'\n```\n"
    expect(
      module(first + second + third)
        .split('\n')
        .filter(Boolean),
    ).toEqual([
      "import { a, b } from 'x'",
      "import { type C as C } from 'x'",
      "import * as n from 'y'",
      'use(n)',
      "import 'effect'",
    ])
  })
})

describe('splitCommands', () => {
  it('knows the commands by which a reader sets up', () => {
    expect(splitCommands('git clone https://example.org/shoal\ncd shoal\nnpm start  # trains\n')).toEqual({
      known: ['git clone https://example.org/shoal', 'cd shoal', 'npm start  # trains'],
      script: '',
    })
  })

  it('leaves every other command to be run', () => {
    expect(splitCommands('npm test\n# next\nnode a.ts')).toEqual({
      known: ['npm test'],
      script: '# next\nnode a.ts',
    })
  })
})
