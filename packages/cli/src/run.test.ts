// The command as a whole: what it loads before it knows what it is to do, and who its commands are.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { shoalProgram } from './program.ts'
import { testShell } from './testing/shells.ts'

it('loads nothing for --help but itself and commander', () => {
  const hook = `import { registerHooks } from 'node:module'
    const told = (url, context, next) => (url.startsWith('node:') || console.log('loads ' + url), next(url, context))
    registerHooks({ load: told })`
  const flags = ['--conditions=@shoal/source', '--import', `data:text/javascript,${encodeURIComponent(hook)}`]
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const out = execFileSync(process.execPath, [...flags, main, '--help'], { encoding: 'utf8' })
  const loaded = [...out.matchAll(/^loads (.*)$/gm)].map(([, url]) => url!)
  expect(loaded.length).toBeGreaterThan(20)
  const own = new URL('.', import.meta.url).href
  expect(loaded.filter((url) => !url.startsWith(own) && !url.includes('/commander/'))).toEqual([])
})

it('has a description for every command and every flag', () => {
  const { commands } = shoalProgram(testShell().shell)
  const all = commands.flatMap((command) => [command, ...command.commands])
  const silent = all.filter((command) => command.description() === '').map((command) => command.name())
  expect(silent).toEqual([])
  const flags = all.flatMap(({ options }) => options)
  expect(flags.filter(({ description }) => description === '').map(({ long }) => long)).toEqual([])
})
