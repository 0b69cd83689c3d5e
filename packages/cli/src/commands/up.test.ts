// Agents as the command starts and ends them: real ones, in folders of their own.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Agent } from '../agent/agent.ts'
import { startShoal, testShell } from '../testing/shells.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-up-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const shoal = (...args: readonly string[]) => testShell().run(...args, '--folder', folder)
const alone = ['--host', '127.0.0.1', '--no-mdns', '--name', 'pi']

describe('shoal up', () => {
  it('runs until Ctrl-C in less than 100 MiB, and answers meanwhile', async () => {
    const agent = startShoal(['up', ...alone, '--folder', folder, '--json'])
    await agent.wrote('"nodeId"')
    const { nodes } = JSON.parse((await shoal('nodes', '--json')).out) as { nodes: { nodeId: string }[] }
    expect(nodes.map(({ nodeId }) => nodeId)).toEqual([expect.stringMatching(/^pi-/)])
    await using connected = await Agent.connect(folder)
    expect((await connected.status()).residentBytes).toBeLessThan(100 * 2 ** 20)
    agent.signal('SIGINT')
    expect((await agent.ended).code).toBe(0)
    expect((await shoal('nodes')).code).toBe(3)
  })

  it('goes on by itself, once in a folder, until shoal down', async () => {
    const started = await startShoal(['up', '--detach', ...alone, '--folder', folder, '--json']).ended
    expect({ code: started.code, err: started.err }).toEqual({ code: 0, err: '' })
    const { nodeId, log } = JSON.parse(started.out) as { nodeId: string; log: string }
    expect(readFileSync(log, 'utf8')).toContain(nodeId)
    const twice = await shoal('up', ...alone)
    expect(twice.code).toBe(1)
    expect(twice.err).toMatch(/another agent|in use|is using/)
    const down = await shoal('down', '--json')
    expect(JSON.parse(down.out)).toEqual({ stopped: nodeId })
    expect((await shoal('down')).code).toBe(3)
  })

  it('says so when it cannot listen', async () => {
    const { code, err } = await startShoal([
      'up',
      '-d',
      '--host',
      '192.0.2.1',
      '--no-mdns',
      '--folder',
      folder,
    ]).ended
    expect(code).toBe(1)
    expect(err).toContain('the agent did not start')
    expect(err).toContain('192.0.2.1')
  })
})

const hasSystemd = spawnSync('systemctl', ['--version']).status === 0

describe.runIf(hasSystemd)('shoal service', () => {
  it('writes a unit that starts this very command, and takes it away', async () => {
    const installed = await shoal('service', 'install', '--root', folder, '--user', 'nobody', '--json')
    expect(installed.err).toBe('')
    const { unit } = JSON.parse(installed.out) as { unit: string }
    expect(readFileSync(unit, 'utf8')).toMatch(/^ExecStart=.*main\.ts.*up/m)
    expect((await shoal('service', 'remove', '--root', folder)).out).toBe('The service is removed.\n')
    expect(existsSync(unit)).toBe(false)
    expect((await shoal('service', 'remove', '--root', folder)).out).toBe('There was no service.\n')
  })
})
