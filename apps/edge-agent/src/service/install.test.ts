import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TemporaryFolder } from '../testing/machineTrees.ts'
import type { Ended, RunCommand } from './command.ts'
import { type InstallOptions, installService, removeService } from './install.ts'
import { serviceUnit } from './unit.ts'

const done: Ended = { code: 0, output: '', missing: false }

/** A system that keeps what it was asked, and refuses what the test wants. */
function systemThat(refuse: (line: string) => Partial<Ended> | undefined = () => undefined) {
  const asked: string[] = []
  const run: RunCommand = async (command, args) => {
    const line = [command, ...args].join(' ')
    asked.push(line)
    return { ...done, ...refuse(line) }
  }
  return { asked, run }
}

function stage(refuse?: (line: string) => Partial<Ended> | undefined) {
  const folder = new TemporaryFolder()
  const { asked, run } = systemThat(refuse)
  const lines: string[] = []
  const state = join(folder.path, 'state')
  const what = { node: process.execPath, program: ['/opt/main.js', 'up'], folder: state }
  const place = { manager: 'user' as const, run, units: join(folder.path, 'units') }
  const options: InstallOptions = { ...what, ...place, log: (line) => void lines.push(line) }
  const file = join(folder.path, 'units/shoal.service')
  return {
    folder,
    asked,
    lines,
    what,
    place,
    options,
    file,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}

describe('a service of a user', () => {
  it('is installed, started, and stays when the user logs out', async () => {
    using test = stage()
    expect(await installService(test.options)).toBe(test.file)
    expect(readFileSync(test.file, 'utf8')).toBe(serviceUnit({ ...test.what, manager: 'user' }))
    expect(test.asked).toEqual([
      'systemctl --user --version',
      'systemctl --user daemon-reload',
      'systemctl --user enable shoal.service',
      'systemctl --user restart shoal.service',
      'loginctl enable-linger',
    ])
    expect(test.lines).toEqual([])
  })

  it('says where it will not stay', async () => {
    using test = stage((line) =>
      line.startsWith('loginctl') ? { code: 1, output: 'not allowed' } : undefined,
    )
    await installService(test.options)
    expect(test.lines).toEqual([
      "the service ends when you log out, for 'loginctl enable-linger' failed: not allowed",
    ])
  })

  it('is removed, once', async () => {
    using test = stage()
    await installService(test.options)
    test.asked.length = 0
    expect(await removeService(test.place)).toBe(true)
    expect(existsSync(test.file)).toBe(false)
    expect(test.asked).toEqual([
      'systemctl --user disable --now shoal.service',
      'systemctl --user daemon-reload',
    ])
    expect(await removeService(test.place)).toBe(false)
  })

  it('leaves nothing behind where systemd refuses, and what was there where it does', async () => {
    let refusing = true
    using test = stage((line) =>
      refusing && line.includes('enable') ? { code: 1, output: 'no bus' } : undefined,
    )
    const refused = { name: 'ServiceError', message: 'systemctl --user enable shoal.service failed: no bus' }
    await expect(installService(test.options)).rejects.toMatchObject(refused)
    expect(existsSync(test.file)).toBe(false)
    refusing = false
    await installService(test.options)
    refusing = true
    await expect(installService(test.options)).rejects.toMatchObject(refused)
    expect(existsSync(test.file)).toBe(true)
  })

  it('is refused where there is no systemd, before anything is written', async () => {
    using test = stage(() => ({ code: undefined, missing: true }))
    await expect(installService(test.options)).rejects.toThrow('this system has no systemd')
    expect(existsSync(test.file)).toBe(false)
  })

  it('is run by nobody else, and is of the system that runs', async () => {
    using test = stage()
    await expect(installService({ ...test.options, user: 'pi' })).rejects.toThrow("leave out 'user'")
    await expect(installService({ ...test.options, root: '/mnt' })).rejects.toThrow('leave out root')
  })
})

describe('a service of the system', () => {
  it('runs as whoever the state folder belongs to, and the folder is made where it is not there', async () => {
    using test = stage()
    await installService({ ...test.options, manager: 'system' })
    const { uid, gid, mode } = statSync(test.what.folder)
    expect(mode & 0o777).toBe(0o700)
    expect(readFileSync(test.file, 'utf8')).toBe(serviceUnit({ ...test.what, user: { uid, gid } }))
    expect(test.asked).toEqual([
      'systemctl --version',
      'systemctl daemon-reload',
      'systemctl enable shoal.service',
      'systemctl restart shoal.service',
    ])
  })
})

const probe = spawnSync('systemctl', ['--version'], { encoding: 'utf8' })
const missing =
  probe.status === 0 ? undefined : `systemctl does not run here: ${probe.error?.message ?? probe.stderr}`

describe.skipIf(missing)(`a service of a system that does not run${missing ? ` (${missing})` : ''}`, () => {
  it('is enabled by systemd itself, and disabled again', async () => {
    using folder = new TemporaryFolder()
    const place = { manager: 'system', root: folder.path } as const
    const what = { node: process.execPath, program: ['/opt/main.js', 'up'], folder: '/var/lib/shoal' }
    const file = await installService({ ...what, ...place, user: 'pi', log() {} })
    expect(file).toBe(join(folder.path, 'etc/systemd/system/shoal.service'))
    expect(readFileSync(file, 'utf8')).toBe(serviceUnit({ ...what, user: 'pi' }))
    expect(statSync(file).mode & 0o777).toBe(0o644)
    const wanted = join(folder.path, 'etc/systemd/system/multi-user.target.wants/shoal.service')
    expect(readlinkSync(wanted)).toBe('/etc/systemd/system/shoal.service')
    expect(await removeService(place)).toBe(true)
    expect([existsSync(file), existsSync(wanted)]).toEqual([false, false])
    expect(await removeService(place)).toBe(false)
  })
})
