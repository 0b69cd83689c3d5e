import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** The command lines in which a text stands: agents and tasks have their folders in theirs. */
const commandLinesWith = (text: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
      } catch {
        // It has ended meanwhile.
        return []
      }
    })
    .filter((line) => line.includes(text))

/** Starts the main job, and asks it to end once a line says this. */
async function interruptedAt(moment: RegExp) {
  const folder = mkdtempSync(join(tmpdir(), 'main-job-'))
  folders.push(folder)
  const child = spawn(process.execPath, ['--conditions=@shoal/source', main, '--short'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  })
  const closed = once(child, 'close')
  const lines: string[] = []
  let running: readonly string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => {
      lines.push(line)
      if (running.length > 0 || !moment.test(line)) return
      running = commandLinesWith(folder)
      child.kill('SIGINT')
    })
  const [code] = (await closed) as [number | null]
  return { code, text: lines.join('\n'), running, left: commandLinesWith(folder), files: readdirSync(folder) }
}

describe('the main job', () => {
  it.skipIf(process.platform !== 'linux').each([
    ['agents begin', /^Three agents/, 0],
    ['agents join', /shoal join/, 3],
    ['tasks train', /step \d/, 6],
  ])(
    'leaves nothing behind when it is interrupted while %s',
    { timeout: 90_000 },
    async (_, moment, least) => {
      const { code, text, running, left, files } = await interruptedAt(moment)
      expect({ code, left, files }, text).toEqual({ code: 130, left: [], files: [] })
      expect(running.length, running.join('\n')).toBeGreaterThanOrEqual(least)
    },
  )
})
