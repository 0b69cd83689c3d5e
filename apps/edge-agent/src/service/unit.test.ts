import { execFileSync, spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TemporaryFolder } from '../testing/machineTrees.ts'
import { serviceUnit, type UnitOptions } from './unit.ts'

const usual = { node: process.execPath, program: ['/opt/shoal/main.js', 'up'], folder: '/var/lib/shoal' }
/** Names that mean something to systemd, to shells or to Node. */
const awkward = String.raw`a b "c" 'd' \e %h $HOME ${'$'}{HOME} ;#[x]`

describe('the unit of the agent', () => {
  it('starts the agent with its folder, and again after a failure', () => {
    const lines = serviceUnit(usual).split('\n')
    expect(lines).toContain(`ExecStart="${process.execPath}" "/opt/shoal/main.js" "up"`)
    expect(lines).toContain('Environment="SHOAL_HOME=/var/lib/shoal"')
    expect(lines).toContain('ReadWritePaths="/var/lib/shoal"')
    expect(lines).toContain('Restart=on-failure')
    expect(lines).toContain('WantedBy=multi-user.target')
    expect(lines.some((line) => line.startsWith('User='))).toBe(false)
  })

  it('lets Node compile, sees the network interfaces, and hides neither GPUs nor the readings of the kernel', () => {
    const text = serviceUnit(usual)
    expect(text).not.toMatch(
      /MemoryDenyWriteExecute|PrivateDevices|DeviceAllow|ProtectClock|ProcSubset|PrivateNetwork/,
    )
    expect(text).toMatch(/^RestrictAddressFamilies=.*AF_INET6 AF_NETLINK$/m)
  })

  it('runs as whom it is told', () => {
    expect(serviceUnit({ ...usual, user: 'pi' })).toMatch(/^User=pi$/m)
    expect(serviceUnit({ ...usual, user: { uid: 1000, gid: 1001 } })).toMatch(/^User=1000\nGroup=1001$/m)
  })

  it('asks a manager of a user for nothing that it has no right to', () => {
    const text = serviceUnit({ ...usual, manager: 'user' })
    expect(text).not.toMatch(/^(User|CapabilityBoundingSet|Protect\w+|PrivateTmp|ReadWritePaths|After)=/m)
    expect(text).toMatch(/^NoNewPrivileges=yes$/m)
    expect(text).toMatch(/^WantedBy=default.target$/m)
  })

  it.each<readonly [string, Partial<UnitOptions>]>([
    ["a service needs absolute paths, got 'node'", { node: 'node' }],
    ["a service needs absolute paths, got './state'", { folder: './state' }],
    ['systemd starts no program whose path has quotes', { node: '/opt/"node"' }],
    ['it has a control character', { program: ['/opt/main.js\nExecStartPre=/bin/rm'] }],
    ["'pi\nGroup=root' is no name of a user", { user: 'pi\nGroup=root' }],
    ['runs services as that user alone', { manager: 'user', user: 'pi' }],
  ])('is refused where %s', (message, options) => {
    expect(() => serviceUnit({ ...usual, ...options })).toThrow(message)
  })
})

const probe = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' })
const missing =
  probe.status === 0
    ? undefined
    : `systemd-analyze does not run here: ${probe.error?.message ?? probe.stderr}`

describe.skipIf(missing)(`systemd itself${missing ? ` (${missing})` : ''}`, () => {
  /** What systemd has to say against a unit. */
  function complaints(folder: TemporaryFolder, options: UnitOptions): string {
    const { manager = 'system' } = options
    folder.write({ 'shoal.service': serviceUnit(options), 'run/empty': '' })
    const args = ['verify', `--${manager}`, '--man=no', join(folder.path, 'shoal.service')]
    const env = { ...process.env, XDG_RUNTIME_DIR: join(folder.path, 'run') }
    const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8', env })
    return status === 0 ? `${stdout}${stderr}` : `${status} ${stdout}${stderr}`
  }

  it.each<readonly [string, Partial<UnitOptions>]>([
    ['of the system', {}],
    ['of the system, run by a user', { user: { uid: 1000, gid: 1000 } }],
    ['of a user', { manager: 'user' }],
    ['with awkward names', { program: [`/opt/${awkward}`, awkward], folder: `/var/lib/${awkward}` }],
  ])('finds nothing wrong with a unit %s', (_, more) => {
    using folder = new TemporaryFolder()
    expect(complaints(folder, { ...usual, ...more })).toBe('')
  })

  it('finds a Node of an awkward name', () => {
    using folder = new TemporaryFolder()
    const node = join(folder.path, awkward.replaceAll(/["'\\]/g, ''))
    symlinkSync(process.execPath, node)
    expect(complaints(folder, { ...usual, node })).toBe('')
  })

  it('finds what is wrong: a Node that is not there', () => {
    using folder = new TemporaryFolder()
    expect(complaints(folder, { ...usual, node: join(folder.path, 'node') })).toMatch(
      /^1 .*is not executable/s,
    )
  })

  it('rates it as well confined', () => {
    using folder = new TemporaryFolder({
      'shoal.service': serviceUnit({ ...usual, user: { uid: 1000, gid: 1000 } }),
    })
    const file = join(folder.path, 'shoal.service')
    const args = ['security', '--offline=true', '--no-pager', file]
    const output = execFileSync('systemd-analyze', args, { encoding: 'utf8', cwd: dirname(file) })
    const exposure = Number(/Overall exposure level for shoal\.service: ([\d.]+)/.exec(output)?.[1])
    expect(exposure).toBeLessThan(3)
  })
})
