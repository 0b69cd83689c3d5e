import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lightCommand } from './lightCommand.ts'

let folder = ''
let main = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-light-'))
  main = join(folder, 'own', 'main.ts')
  mkdirSync(dirname(main))
  writeFileSync(
    main,
    `const { says }: { says: string } = await import('./part.ts')\nconsole.log(says, import.meta.url)`,
  )
  writeFileSync(join(folder, 'own', 'part.ts'), `export const says = 'one'`)
})
afterAll(() => rmSync(folder, { recursive: true }))

const cache = () => join(folder, 'cache')
const run = (file: string) => execFileSync(process.execPath, [file], { encoding: 'utf8' }).trim()

describe('the light command', () => {
  it('does the same, and its modules still know where they were written', async () => {
    const light = await lightCommand(main, cache())
    expect(light).not.toBe(main)
    expect(run(light)).toBe(`one file://${main}`)
  })

  it('is made of an installed package too, with packages by others as they are', async () => {
    const packages = join(folder, 'node_modules')
    const [own, beside, other] = ['shoal', '@shoal/part', 'other'].map((name) =>
      join(packages, name, 'main.js'),
    )
    for (const file of [own!, beside!, other!]) mkdirSync(dirname(file), { recursive: true })
    writeFileSync(own!, `import '@shoal/part/main.js'\nimport 'other/main.js'\nconsole.log(import.meta.url)`)
    writeFileSync(beside!, 'console.log(import.meta.url)')
    writeFileSync(other!, "console.log('import.meta.url')")
    const said = run(await lightCommand(own!, cache())).split('\n')
    expect(said).toEqual([`file://${beside}`, 'import.meta.url', `file://${own}`])
  })

  it('is made again only where a file of it has changed', async () => {
    const light = await lightCommand(main, cache())
    const note = join(dirname(light), '..', 'made.json')
    const before = readFileSync(note, 'utf8')
    utimesSync(note, 0, 0)
    expect(await lightCommand(main, cache())).toBe(light)
    // It was not written again.
    expect(statSync(note).mtimeMs).toBe(0)
    writeFileSync(join(folder, 'own', 'part.ts'), `export const says: string = 'another'`)
    const changed = await lightCommand(main, cache())
    expect(changed).not.toBe(light)
    expect(run(changed)).toBe(`another file://${main}`)
    // Whoever runs the other one can still load all of it.
    expect(run(light)).toBe(`one file://${main}`)
    expect(readFileSync(note, 'utf8')).not.toBe(before)
  })

  it('is made again where what is there is damaged', async () => {
    const light = await lightCommand(main, cache())
    writeFileSync(join(dirname(light), '..', 'made.json'), '{"main":')
    expect(await lightCommand(main, cache())).toBe(light)
  })

  it('says what keeps it from being made', async () => {
    writeFileSync(join(folder, 'own', 'part.ts'), `export const says = `)
    await expect(lightCommand(main, cache())).rejects.toThrow('part.ts:1:20: ERROR: Unexpected end of file')
  })
})
