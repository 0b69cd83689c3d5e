// Faults that are staged on two machines of their own, as far as the kernel can tell, and named by the command as people call it.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NamespaceNetwork, whyNoNamespaces } from '@shoal/edge-agent/namespaces'
import type { NodeView } from '@shoal/edge-agent/client'
import type { Finding } from '@shoal/edge-agent/doctor'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startShoal } from '../testing/shells.ts'

const missing = whyNoNamespaces()
/** Of both agents: each machine is its own. */
const port = 7070

/** Two minutes behind: loaded into Node before everything else. Certificates bear that. */
const behind = `data:text/javascript,${encodeURIComponent(`
  const now = Date.now
  globalThis.Date = class extends Date {
    constructor(...given) { if (given.length > 0) super(...given); else super(now() - 120_000) }
    static now() { return now() - 120_000 }
  }`)}`

describe.skipIf(missing)(`shoal doctor on two machines${missing ? ` (${missing})` : ''}`, () => {
  const root = mkdtempSync(join(tmpdir(), 'shoal-doctor-'))
  const folder = (machine: number): string => join(root, `m${machine}`)
  const agents: ReturnType<typeof startShoal>[] = []
  let network: NamespaceNetwork
  let second = ''

  /** The command on a machine; the clock of the second one is behind. */
  const start = (machine: number, ...args: readonly string[]) =>
    startShoal(args, {
      env: { SHOAL_HOME: folder(machine), ...(machine === 2 && { NODE_OPTIONS: `--import=${behind}` }) },
      elsewhere: (...command) => network.on(machine, ...command),
    })
  async function asked<T>(machine: number, ...args: readonly string[]): Promise<T> {
    const { out, err } = await start(machine, ...args, '--json').ended
    if (out === '') throw new Error(`shoal ${args.join(' ')} said nothing but: ${err}`)
    return JSON.parse(out) as T
  }
  /** What the doctor says on a machine: of some verdict, a line each. */
  async function found(machine: number, ...verdicts: readonly string[]): Promise<readonly string[]> {
    const { findings } = await asked<{ readonly findings: readonly Finding[] }>(machine, 'doctor')
    return findings
      .filter(({ verdict }) => verdicts.includes(verdict))
      .map(({ subject, what, remedy }) => `${subject}: ${what} → ${remedy}`)
  }
  const matching = (...patterns: readonly RegExp[]): unknown =>
    patterns.map((pattern) => expect.stringMatching(pattern) as unknown)

  beforeAll(async () => {
    network = new NamespaceNetwork(2)
    for (const machine of [1, 2])
      agents.push(start(machine, 'up', '--name', `pi${machine}`, '--port', String(port)))
    await Promise.all(agents.map((agent) => agent.wrote('listens at')))
    // What comes back from there is dropped, as by a firewall; connections that the second machine opens are from other ports.
    for (const family of ['-4', '-6'])
      network.set(2, `${family} rule add ipproto tcp sport ${port} blackhole`)
    const { code } = await asked<{ readonly code: string }>(1, 'invite', '--role', 'worker')
    second = (await asked<{ readonly nodeId: string }>(2, 'join', code)).nodeId
    const isConnected = async (): Promise<void> => {
      const { nodes } = await asked<{ readonly nodes: readonly NodeView[] }>(1, 'nodes')
      expect(nodes.find(({ nodeId }) => nodeId === second)?.state).toBe('trusted')
    }
    await vi.waitFor(isConnected, { timeout: 30_000, interval: 200 })
  }, 60_000)
  afterAll(async () => {
    for (const agent of agents) agent.signal('SIGTERM')
    await Promise.all(agents.map(({ ended }) => ended))
    network[Symbol.dispose]()
    rmSync(root, { recursive: true })
  }, 30_000)

  it('names a clock that is off, and is content with the rest', async () => {
    expect(await found(1, 'fault', 'good')).toEqual(
      matching(
        /^node: /,
        /^folder: /,
        /^agent: it runs as process \d+ at .*:7070 for/,
        /^certificate: manager 'pi1-\w{4}'/,
        /^clock: .* '(pi2-\w{4})' are apart: '\1' is 2 minutes behind → .*timedatectl/,
        new RegExp(`^multicast: eth0 passes multicast; heard there: .*${second}`),
        /^port: others get in at port 7070: 'pi2-\w{4}' → $/,
        /^neighbours: 'pi2-\w{4}' is connected/,
        /^gpu: /,
      ),
    )
  })

  it('names multicast that is off, a port that lets nobody in, and a folder that others can read', async () => {
    network.set(2, 'link set eth0 multicast off')
    chmodSync(folder(2), 0o755)
    const faults = await found(2, 'fault')
    network.set(2, 'link set eth0 multicast on')
    expect(faults).toEqual(
      expect.arrayContaining(
        matching(
          /^folder: .* was open to other users .*\(mode 755\) → chmod 700/,
          /^multicast: eth0 is up without multicast.* → sudo ip link set eth0 multicast on/,
          /^port: no other node gets in at port 7070.*'pi1-\w{4}' tried .*timed out.* → .*firewall/,
        ) as unknown[],
      ),
    )
  })

  it('names a certificate that nobody lets in any more, and fails', async () => {
    await asked(1, 'remove', second)
    const { code, out, err } = await start(2, 'doctor').ended
    expect(code).toBe(1)
    expect(err).toContain('wrong')
    expect(out).toMatch(
      /✗ certificate 'pi1-\w{4}' does not let this node in: .* was removed .*\n +→ .*shoal invite/,
    )
  })
})
