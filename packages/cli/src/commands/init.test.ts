// The project that a person begins with: it is written once, compiles, and is the one that is held to its types here.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleProgram } from '@shoal/edge-agent/submit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import config from '../../templates/shoal.config.ts'
import program from '../../templates/train.ts'
import { configSchema } from '../config/schema.ts'
import { testShell } from '../testing/shells.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-init-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('writes a project once, whose program can be bundled where nothing is installed', async () => {
  const { code, out } = await testShell({ cwd: folder }).run('init', 'mine')
  expect(code).toBe(0)
  expect(out).toContain('cd mine && shoal train')
  expect(existsSync(join(folder, 'mine', 'shoal.config.ts'))).toBe(true)
  const bundle = await bundleProgram(join(folder, 'mine', 'train.ts'), { beside: import.meta.dirname })
  expect(bundle.byteLength).toBeGreaterThan(10_000)

  const again = await testShell({ cwd: folder }).run('init', 'mine')
  expect(again.code).toBe(1)
  expect(again.err).toContain('is there already')
  expect((await testShell({ cwd: folder }).run('init', 'mine', '--force')).code).toBe(0)
  expect(readFileSync(join(folder, 'mine', 'train.ts'), 'utf8')).toContain('defineProgram')
})

it('has a config and a program that are what they are to be', () => {
  expect(configSchema.parse(config)).toEqual(config)
  expect(Object.keys(program)).toEqual(['train', 'search', 'ensemble'])
})
