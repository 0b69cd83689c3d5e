// Every command stands in docs/edge.md: in its table, and run by its script.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { placesOf } from '../completion/tree.ts'
import { shoalProgram } from '../program.ts'
import { testShell } from '../testing/shells.ts'

const page = readFileSync(new URL('../../../../docs/edge.md', import.meta.url), 'utf8')
/** Commands that do something: `jobs`, `jobs show`, `service install`, and not `service`. */
const commands = placesOf(shoalProgram(testShell().shell))
  .map(({ path }) => path)
  .filter((path) => path !== '' && path !== 'service')
  // `shoal jobs attach` is `shoal attach`.
  .filter((path) => !/^jobs (?!show)/.test(path))

describe('docs/edge.md', () => {
  it('has every command in its table', () => {
    const cells = [...page.matchAll(/^\| (`.+?`) \| .+ \| `.+` \|$/gm)].map(([, cell]) => cell)
    const told = cells.flatMap((cell) => [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name))
    expect(new Set(told)).toEqual(new Set(commands))
    expect(told).toHaveLength(commands.length)
  })

  it.each(commands)('runs shoal %s', (command) => {
    const script = [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, code]) => code).join('')
    // The nodes of the page are functions: pi1, pi2, pi3.
    expect(script).toMatch(new RegExp(`\\bpi\\d ${command}\\b`))
  })
})
