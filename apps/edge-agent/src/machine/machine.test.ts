import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SimulatedClock } from '@shoal/distributed'
import { describe, expect, it, onTestFinished } from 'vitest'
import { meminfo, raspberryPi, stat, TemporaryFolder } from '../testing/machineTrees.ts'
import { inventorySchema, type Inventory } from './inventory.ts'
import { Machine, type MachineOptions } from './machine.ts'
import type { SelfTest } from './selfTest.ts'

const temp = 'sys/class/thermal/thermal_zone0/temp'
const throttled = 'sys/devices/platform/soc/soc:firmware/get_throttled'
const speed = { gflops: 12, gigabytesPerSecond: 4 }
const quiet = { user: 1000, idle: 9000 }

/** A Raspberry Pi with a clock that stands, whose self-test ends when the test says so. */
function stage(given: Partial<MachineOptions> = {}) {
  const tree = new TemporaryFolder(raspberryPi)
  const folder = new TemporaryFolder()
  onTestFinished(() => {
    tree[Symbol.dispose]()
    folder[Symbol.dispose]()
  })
  const clock = new SimulatedClock()
  const lines: string[] = []
  const told: Inventory[] = []
  const tests: PromiseWithResolvers<SelfTest>[] = []
  const open = async (): Promise<Machine> => {
    const machine = await Machine.open({
      folder: folder.path,
      root: tree.path,
      clock,
      log: (line) => void lines.push(line),
      allowance: () => ({ cores: 4, memoryBytes: Infinity, freeMemoryBytes: 0 }),
      selfTest({ signal }) {
        const test = Promise.withResolvers<SelfTest>()
        tests.push(test)
        signal!.addEventListener('abort', () => test.reject(signal!.reason))
        return test.promise
      },
      ...given,
    })
    machine.subscribe((inventory) => void told.push(inventory))
    onTestFinished(() => machine[Symbol.asyncDispose]())
    return machine
  }
  let { user, idle } = quiet
  /** Lets a second pass in which so much of the processor was busy. */
  const second = async (busy = 0): Promise<void> => {
    user += busy * 200
    idle += (1 - busy) * 200
    tree.write({ 'proc/stat': stat(user, idle) })
    await clock.run(clock.now() + 1000)
  }
  return { tree, folder, clock, lines, told, tests, open, second }
}

describe('a machine', () => {
  it('is described at once, as others may be told', async () => {
    const { open } = stage()
    const inventory = (await open()).inventory()
    expect(inventorySchema.parse(inventory)).toEqual(inventory)
    expect(inventory).toMatchObject({
      platform: process.platform,
      nodeVersion: process.versions.node,
      cores: 4,
      memoryBytes: 3_884_268 * 1024,
      freeMemoryBytes: 3_000_000 * 1024,
      heat: { celsius: 48.686, throttled: false },
      load: 0,
      links: {},
    })
    expect(inventory.speed).toBeUndefined()
    expect(inventory.freeDiskBytes).toBeGreaterThan(0)
    expect(inventory.devices).toHaveLength(1)
    expect(inventory.devices[0]!.model).toMatch(/^Raspberry Pi 4 Model B Rev 1\.4/)
  })

  it('says nothing while nothing that matters changes', async () => {
    const { open, second, tree, told } = stage()
    const machine = await open()
    await second()
    tree.write({ [temp]: '50600\n', 'proc/meminfo': meminfo(3_884_268, 2_860_000) })
    await second(0.2)
    expect(machine.inventory()).toMatchObject({ heat: { celsius: 50.6 }, freeMemoryBytes: 2_860_000 * 1024 })
    expect(machine.inventory().load).toBeGreaterThan(0.05)
    expect(told).toEqual([])
  })

  it.each([
    ['heat', { [temp]: '50700\n' }, { heat: { celsius: 50.7 } }],
    ['throttling', { [throttled]: 'e0008\n' }, { heat: { throttled: true } }],
    ['free memory', { 'proc/meminfo': meminfo(3_884_268, 2_840_000) }, { freeMemoryBytes: 2_840_000 * 1024 }],
  ])('tells of %s within a second, once', async (_, change, expected) => {
    const { open, second, tree, told } = stage()
    await open()
    await second()
    tree.write(change)
    await second()
    await second()
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject(expected)
  })

  it('tells of load within a second when it comes, and when it has gone', async () => {
    const { open, second, told } = stage()
    const machine = await open()
    await second()
    await second(1)
    expect(told.at(-1)!.load).toBeGreaterThan(0.3)
    for (let i = 0; i < 4; i++) await second(1)
    expect(machine.inventory().load).toBe(1)
    for (let i = 0; i < 4; i++) await second(0)
    expect(told.at(-1)!.load).toBe(0)
  })

  it('tells of links that are made, change and end', async () => {
    const { open, told } = stage()
    const machine = await open()
    const quality = { roundTripMs: 1, bytesPerSecond: 1e8 }
    machine.setLink('pi2', quality)
    machine.setLink('pi2', { ...quality })
    machine.setLink('pi2', { ...quality, roundTripMs: 2 })
    machine.setLink('pi2', undefined)
    expect(told.map(({ links }) => links['pi2']?.roundTripMs)).toEqual([1, 2, undefined])
  })

  it('is silent to who has ended the subscription, and once it is disposed', async () => {
    const { open, second, tree, clock, told } = stage()
    const machine = await open()
    let heard = 0
    machine.subscribe(() => void heard++)()
    tree.write({ [temp]: '70000\n' })
    await second()
    expect([heard, told.length]).toEqual([0, 1])
    await machine[Symbol.asyncDispose]()
    tree.write({ [temp]: '40000\n' })
    await clock.run()
    expect(told).toHaveLength(1)
    expect(machine.inventory().heat!.celsius).toBe(70)
  })

  it('ends with its signal', async () => {
    const control = new AbortController()
    const { open, clock, lines } = stage({ signal: control.signal })
    const machine = await open()
    control.abort(new Error('enough'))
    await machine.measured()
    await clock.run()
    expect(lines).toEqual([])
    await expect(open()).rejects.toThrow('enough')
  })

  it('goes on when its folder is gone, and says so once', async () => {
    const { open, folder, second, lines, told } = stage()
    await open()
    rmSync(folder.path, { recursive: true })
    await second()
    await second()
    expect(told.at(-1)!.freeDiskBytes).toBe(0)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^how much of the disk is free cannot be told: ENOENT/)
    await expect(open()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('the self-test of a machine', () => {
  it('is waited for by nobody, is told when it is done, and is not done again', async () => {
    const { open, tests, told } = stage()
    const machine = await open()
    expect(machine.inventory().speed).toBeUndefined()
    tests[0]!.resolve({ speed: { ...speed }, adapters: ['V3D 4.2.14'] })
    await machine.measured()
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({
      speed,
      devices: [{ type: 'cpu' }, { type: 'webgpu', model: 'V3D 4.2.14' }],
    })
    const again = await open()
    expect(again.inventory()).toMatchObject({ speed, devices: told[0]!.devices })
    expect(tests).toHaveLength(1)
  })

  it.each([
    ['was cut off', (text: string) => text.slice(0, -10)],
    ['is of another machine', (text: string) => text.replace('"machine":"', '"machine":"another ')],
    ['says what cannot be', (text: string) => text.replace('"gflops":12', '"gflops":-12')],
    ['is empty', () => ''],
  ])('is done anew where what was kept %s', async (_, breakIt) => {
    const { open, tests, folder } = stage()
    const first = await open()
    tests[0]!.resolve({ speed, adapters: [] })
    await first.measured()
    const file = join(folder.path, 'speed.json')
    const kept = readFileSync(file, 'utf8')
    const broken = breakIt(kept)
    expect(broken).not.toBe(kept)
    writeFileSync(file, broken)
    const second = await open()
    expect(second.inventory().speed).toBeUndefined()
    tests[1]!.resolve({ speed, adapters: [] })
    await second.measured()
    expect(readFileSync(file, 'utf8')).toBe(kept)
  })

  it('is not kept where the processor was slowed', async () => {
    const { open, tests, tree, folder } = stage()
    tree.write({ [throttled]: 'e0008\n' })
    const machine = await open()
    tests[0]!.resolve({ speed, adapters: [] })
    await machine.measured()
    expect(machine.inventory()).toMatchObject({ speed, heat: { throttled: true } })
    expect(existsSync(join(folder.path, 'speed.json'))).toBe(false)
  })

  it('says why there is no speed, or why it is not kept', async () => {
    const { open, tests, folder, lines } = stage()
    const first = await open()
    tests[0]!.reject(new Error('no room'))
    await first.measured()
    expect(lines).toEqual(['the speed of this machine is not known: no room'])
    const second = await open()
    rmSync(folder.path, { recursive: true })
    tests[1]!.resolve({ speed, adapters: [] })
    await second.measured()
    expect(second.inventory()).toMatchObject({ speed })
    expect(lines[1]).toMatch(/^the speed of this machine could not be kept: ENOENT/)
  })
})
