// Programs that mean harm, in real processes: they get nowhere, and their agent lives.
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { bundleProgram } from './bundle.ts'
import { boundToThisProcess } from './command.ts'
import { gpuGrant } from './gpu.ts'
import { beginningOf } from './processes.ts'
import type { Assignment } from './services.ts'
import { endStrays, recordProcess } from './strays.ts'
import { findsGpu } from './testing/gpuHere.ts'
import { LaunchPad, RecordedServices, someAssignment } from './testing/launching.ts'

const pad = new LaunchPad()
afterAll(() => pad[Symbol.asyncDispose]())

/** The addon of this machine. */
const addonIn = (folder: string): string => {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const { platform, arch } = process
  const name = names.find((each) => new RegExp(`${platform}-(${arch}|universal).*\\.node$`).test(each))
  return join(folder, name!)
}

const path = (name: string): string => fileURLToPath(new URL(`testing/${name}.ts`, import.meta.url))

describe('a hostile program', () => {
  const grants: Readonly<Record<string, Assignment['devices']>> = {
    'reaches nothing outside its process': [],
    'reaches no more with a GPU, and loads no native code of its own': ['webgpu'],
  }
  it.for(Object.entries(grants))('%s', { timeout: 60_000 }, async ([, devices], { skip }) => {
    if (devices.length > 0 && !(await findsGpu(pad))) skip('there is no GPU here, nor one in software')
    const visits: string[] = []
    const outside = join(pad.folder, `outside${devices.join('')}`)
    mkdirSync(outside)
    const file = join(outside, 'secret')
    writeFileSync(file, 'secret')
    const tcp = createServer(() => visits.push('tcp')).listen(0, '127.0.0.1')
    const unixPath = join(outside, 'socket')
    const unix = createServer(() => visits.push('unix')).listen(unixPath)
    const udp = createSocket('udp4', () => visits.push('udp')).bind(0, '127.0.0.1')
    await Promise.all([tcp, unix, udp].map((each) => once(each, 'listening')))
    process.env['SHOAL_TEST_SECRET'] = 'secret'

    const program = await bundleProgram(path('hostile'), { runtime: path('portRuntime') })
    const services = new RecordedServices()
    const folder = join(pad.folder, `hostile${devices.join('')}`)
    const gpu = gpuGrant({ ...someAssignment, devices: ['webgpu'] })!
    const settings = {
      gpuModule: gpu.main,
      addon: await services.putBlob(readFileSync(addonIn(gpu.folder))),
      file,
      folder: outside,
      tcpPort: (tcp.address() as AddressInfo).port,
      udpPort: udp.address().port,
      unixPath,
      own: folder,
    }
    // What the system has loaded for it, when all is tried.
    let loaded = ''
    services.onWrite = () => {
      const { pid } = services.documents.get('answers')!.value as { pid: number }
      if (existsSync('/proc/self/maps')) loaded = readFileSync(`/proc/${pid}/maps`, 'utf8')
    }
    const task = await pad.launch(program, { assignment: { settings, devices }, services, folder })
    expect(await task.ended).toEqual({ kind: 'done' })
    delete process.env['SHOAL_TEST_SECRET']
    for (const server of [tcp, unix, udp]) server.close()

    const { answers, inherited, environment, hasGpu } = services.documents.get('answers')!.value as {
      answers: Record<string, string>
      inherited: readonly number[]
      environment: readonly string[]
      hasGpu: boolean
    }
    const refusals = [
      'ERR_ACCESS_DENIED',
      'ERR_UNKNOWN_BUILTIN_MODULE',
      'ERR_CRYPTO_CUSTOM_ENGINE_NOT_SUPPORTED',
    ]
    const allowed = Object.entries(answers).filter(([, answer]) => !refusals.includes(answer))
    expect(Object.fromEntries(allowed)).toEqual({ 'write a report': expect.stringContaining('TypeError') })
    expect(Object.keys(answers).length).toBeGreaterThan(50)
    expect(visits).toEqual([])
    expect(readdirSync(outside).toSorted()).toEqual(['secret'])
    expect(readFileSync(file, 'utf8')).toBe('secret')
    expect(inherited).toEqual([])
    expect(environment.filter((name) => !['HOME', 'TMPDIR', 'TZ', 'LANG'].includes(name))).toEqual([])
    expect(hasGpu).toBe(devices.length > 0)
    expect(loaded).not.toContain(folder)
  })

  it('cannot hurt its agent by what it says', { timeout: 60_000 }, async () => {
    const write = `const { writeSync } = await import('node:fs'); const say = (fd, bytes) => { for (let at = 0; at < bytes.length; ) try { at += writeSync(fd, bytes, at) } catch (e) { if (e.code !== 'EAGAIN') throw e } };`
    const wait = 'setInterval(() => {}, 1000)'
    const misuses = {
      'a message': `process._send({ hello: 1 }); ${wait}`,
      'an answer that nobody awaits': `process._send({ cmd: 'NODE_HANDLE_ACK' }, undefined, { swallowErrors: true }, () => {}); ${wait}`,
      'no message at all': `${write} say(3, Buffer.from([0, 0, 0, 4, 1, 2, 3, 4])); ${wait}`,
      'a message of 4 GB': `${write} say(3, Buffer.from([255, 255, 255, 255])); for (;;) say(3, Buffer.alloc(65536)); ${wait}`,
    }
    const ends = await Promise.all(
      Object.values(misuses).map(async (program) => (await pad.launch(program)).ended),
    )
    for (const end of ends)
      expect(end).toMatchObject({ kind: 'failed', message: expect.stringMatching('^it misused its channel') })
    const nonsense = await pad.launch(`${write} say(4, Buffer.from('GET / HTTP/1.1\\r\\n\\r\\n')); ${wait}`)
    expect(await nonsense.ended).toMatchObject({
      message: expect.stringMatching('it does not speak to its agent'),
    })
  })
})

describe('a task whose agent dies', () => {
  it('dies with it in an endless loop, where the system offers that', async ({ skip }) => {
    const bound = await boundToThisProcess()
    if (bound.length === 0) skip('there is no setpriv here')
    const loop = [...bound, process.execPath, '-e', 'console.log(process.pid); for (;;);']
    const agent = spawn(process.execPath, [
      '-e',
      `const { spawn } = require('node:child_process'); spawn(${JSON.stringify(loop[0])}, ${JSON.stringify(loop.slice(1))}, { stdio: 'inherit', detached: true }); setInterval(() => {}, 1000)`,
    ])
    const pid = Number(await new Promise((resolve) => agent.stdout.once('data', resolve)))
    expect(await beginningOf(pid)).toBeDefined()
    const closed = once(agent.stdout, 'close')
    agent.kill('SIGKILL')
    // The last one that has it open is the task.
    await closed
  })

  it('is ended by the next agent, and nothing else is', async () => {
    const stray = spawn(process.execPath, ['-e', 'for (;;);'], { detached: true })
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true })
    const folders = ['stray', 'other', 'torn'].map((name) => join(pad.folder, 'strays', name))
    for (const folder of folders) mkdirSync(folder, { recursive: true })
    await recordProcess(folders[0]!, stray.pid!)
    // The number is that of a process, but of another one.
    writeFileSync(join(folders[1]!, 'process.json'), JSON.stringify({ pid: other.pid, began: '1' }))
    writeFileSync(join(folders[2]!, 'process.json'), '{"pid":')
    const exited = once(stray, 'exit')
    expect(await endStrays(join(pad.folder, 'strays'))).toBe(1)
    expect(await exited).toEqual([null, 'SIGKILL'])
    expect(await beginningOf(other.pid!)).toBeDefined()
    expect(readdirSync(join(pad.folder, 'strays'))).toEqual([])
    other.kill('SIGKILL')
  })
})
