// Completion, asked of the shells themselves.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testShell } from '../testing/shells.ts'

const isThere = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0

let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-completion-'))
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await testShell().run('completion', shell)
    writeFileSync(join(folder, shell), out)
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

const ask = (shell: string, ...args: readonly string[]): readonly string[] =>
  execFileSync(shell, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder },
  })
    .split('\n')
    .filter((line) => line !== '')

/** What bash offers after these words, of which the last is not finished. */
function bashOffers(...words: readonly string[]): readonly string[] {
  const line = words.map((word) => `'${word}'`).join(' ')
  return ask(
    'bash',
    '-c',
    `source ./bash; COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _shoal; printf '%s\\n' "\${COMPREPLY[@]}"`,
  )
}

describe.runIf(isThere('bash'))('bash', () => {
  it('knows the function', () => {
    expect(ask('bash', '-c', 'source ./bash; complete -p shoal')).toEqual([
      'complete -o default -F _shoal shoal',
    ])
  })

  it('offers commands, their flags, and what flags take', () => {
    expect(bashOffers('shoal', 'jo')).toEqual(['join', 'jobs'])
    expect(bashOffers('shoal', 'jobs', 's')).toEqual(['show', 'stop'])
    expect(bashOffers('shoal', '--json', 'invite', '--')).toEqual(
      expect.arrayContaining(['--role', '--minutes', '--json', '--help']),
    )
    expect(bashOffers('shoal', 'invite', '--role', '')).toEqual(['manager', 'worker', 'client'])
    expect(bashOffers('shoal', 'nodes', '--folder', 'ba')).toEqual(['bash'])
    expect(bashOffers('shoal', 'nothing')).toEqual([])
  })
})

describe.runIf(isThere('fish'))('fish', () => {
  const offers = (line: string): readonly string[] =>
    ask('fish', '--no-config', '-c', `source ./fish; complete -C '${line}'`).map(
      (text) => text.split('\t')[0]!,
    )

  it('offers commands, their flags, and what flags take', () => {
    expect(offers('shoal jo')).toEqual(['jobs', 'join'])
    expect(offers('shoal jobs s')).toEqual(['show', 'stop'])
    expect(offers('shoal invite --role ')).toEqual(['client', 'manager', 'worker'])
    expect(offers('shoal invite --m')).toEqual(['--minutes'])
  })
})

describe.runIf(isThere('zsh'))('zsh', () => {
  it('offers commands, their flags, and what flags take', () => {
    // Completion runs inside of its line editor only: what it would be offered is caught from its own functions.
    const offers = (...words: readonly string[]): readonly string[] =>
      ask(
        'zsh',
        '-f',
        '-c',
        `compdef() { :; }; _files() { echo FILES; }; compadd() { shift; print -l -- "$@"; }
         _describe() { print -l -- "\${(@)\${(P)4}%%:*}"; }
         source ./zsh; words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=$#words; PREFIX=$words[-1]; _shoal`,
      )
    expect(offers('shoal', '')).toEqual(expect.arrayContaining(['nodes', 'jobs', 'completion']))
    expect(offers('shoal', 'jobs', 'x')).toEqual(expect.arrayContaining(['show', 'stop']))
    expect(offers('shoal', 'invite', '--')).toEqual(expect.arrayContaining(['--role', '--json']))
    expect(offers('shoal', 'invite', '--role', '')).toEqual(['manager', 'worker', 'client'])
    expect(offers('shoal', 'attach', '')).toEqual(['FILES'])
  })
})
