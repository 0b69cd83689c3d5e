// The commands about nodes, against an agent whose answers are written down.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NotFoundError } from '@shoal/core'
import { SecurityError } from '@shoal/distributed/peers'
import { agentMethods } from '@shoal/edge-agent/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { styleText } from 'node:util'
import { widthOf } from '../drawing/width.ts'
import { Terminal } from '../terminal/terminal.ts'
import { screen, startShoal, testShell } from '../testing/shells.ts'
import { answering, TestAgent } from '../testing/testAgent.ts'

const inventory = {
  platform: 'linux',
  arch: 'arm64',
  nodeVersion: '26.10.0',
  cores: 4,
  memoryBytes: 2 ** 32,
  freeMemoryBytes: 3 * 2 ** 30,
  freeDiskBytes: 2 ** 34,
  devices: [{ type: 'cpu' as const, model: 'Cortex-A72' }],
  speed: { gflops: 6.25, gigabytesPerSecond: 3 },
  heat: { celsius: 81.4, throttled: true },
  load: 0.25,
  links: {},
}
const node = { clusterId: 'ab'.repeat(32), role: 'manager', version: '0.1.0', problem: '' }
const nodes = [
  { ...node, nodeId: 'pi-1', state: 'self' as const, addresses: ['192.168.1.4:7070'], inventory, ageMs: 0 },
  {
    ...node,
    nodeId: 'desk',
    state: 'seen' as const,
    addresses: ['192.168.1.9:7070'],
    problem: '192.168.1.9:7070: no route to host',
  },
]

let agent: TestAgent
const asked: unknown[] = []
beforeAll(async () => {
  agent = await TestAgent.start(
    answering(agentMethods.nodes, () => ({ nodes })),
    answering(agentMethods.invite, (request) => {
      asked.push(request)
      return { code: 'shoal1-abc', expiresAt: Date.UTC(2026, 10, 20) + request.minutes * 60_000 }
    }),
    answering(agentMethods.join, ({ code }) => {
      if (code !== 'shoal1-abc') throw new SecurityError('the code is not good any more')
      return { clusterId: 'cd'.repeat(32), nodeId: 'pi-1', role: 'worker' }
    }),
    answering(agentMethods.remove, ({ nodeId }) => {
      if (nodeId !== 'desk') throw new NotFoundError(`there is no node '${nodeId}'`)
      return {}
    }),
  )
})
afterAll(() => agent[Symbol.asyncDispose]())
const shoal = (...args: readonly string[]) => testShell().run(...args, '--folder', agent.folder)

describe('shoal nodes', () => {
  it('shows what each node has, and why one is not reached', async () => {
    const { code, out, err } = await shoal('nodes')
    expect(out.trimEnd().split('\n')).toEqual([
      'node  state  role     address           cores  GFLOP/s  free memory  load  heat           devices  why',
      'pi-1  self   manager  192.168.1.4:7070      4       25        3 GiB  25 %  81 °C, slowed  cpu',
      `desk  seen   manager  192.168.1.9:7070  ${' '.repeat(59)}192.168.1.9:7070: no route to host`,
    ])
    expect({ code, err }).toEqual({ code: 0, err: '' })
  })

  it('answers in JSON or without colours in a pipe', async () => {
    const { code, out } = await startShoal(['nodes', '--json'], { env: { SHOAL_HOME: agent.folder } }).ended
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ nodes })
    const plain = await startShoal(['--folder', agent.folder, 'nodes']).ended
    expect(plain.out).toContain('81 °C, slowed')
    expect(plain.out).not.toContain('\u001B')
  })

  it('has colours on a terminal', async () => {
    const out = screen({ isTTY: true, columns: 60 })
    await testShell({ out: new Terminal(out) }).run('nodes', '--folder', agent.folder)
    expect(out.text()).toContain(styleText('green', 'self', { validateStream: false }))
    expect(
      out
        .text()
        .split('\n')
        .map(widthOf)
        .every((width) => width <= 60),
    ).toBe(true)
  })
})

describe('joining', () => {
  it('begins with a code, whose role and time are as asked for', async () => {
    const { out, err } = await shoal('invite', '--role', 'worker', '--minutes', '5')
    expect(asked).toEqual([{ role: 'worker', minutes: 5 }])
    expect(out).toBe('shoal join shoal1-abc\n')
    expect(err).toMatch(/^Good for one node and 5 m, as worker/)
  })

  it('takes a good code', async () => {
    const { code, out } = await shoal('join', 'shoal1-abc')
    expect(code).toBe(0)
    expect(out).toBe('pi-1 is of cluster cdcdcdcdcdcd now, as worker. Who else is: shoal nodes\n')
  })

  it('is refused with a code of its own', async () => {
    const { code, err } = await shoal('join', 'shoal1-old')
    expect(code).toBe(4)
    expect(err).toContain('error: the code is not good any more')
  })
})

describe('what goes wrong', () => {
  it('is not found', async () => {
    expect(await shoal('remove', 'ghost')).toEqual({
      code: 5,
      out: '',
      err: "error: there is no node 'ghost'\n",
    })
    expect((await shoal('remove', 'desk')).code).toBe(0)
  })

  it('is no agent at all', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-none-'))
    const { code, err } = await testShell().run('nodes', '--folder', folder, '--json')
    rmSync(folder, { recursive: true })
    expect(code).toBe(3)
    expect(JSON.parse(err)).toEqual({
      error: { kind: 'noAgent', message: expect.stringContaining(folder), remedy: 'start one: shoal up' },
    })
  })

  it('is a wrong command line', async () => {
    const { code, err } = await shoal('invite', '--role', 'king')
    expect(code).toBe(2)
    expect(err).toContain('Allowed choices are manager, worker, client')
    expect((await shoal('nodse')).err).toContain('Did you mean nodes?')
    expect((await shoal()).code).toBe(2)
    expect((await shoal('invite', '--minutes', 'ten')).err).toContain(
      "minutes is a whole number from 1 on, not 'ten'",
    )
  })

  it('is nothing where help is asked for', async () => {
    const { code, out } = await shoal('help', 'invite')
    expect(code).toBe(0)
    expect(out).toContain('Usage: shoal invite [options]')
    expect((await shoal('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
