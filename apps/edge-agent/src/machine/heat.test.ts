import { describe, expect, it } from 'vitest'
import { desktop, laptop, raspberryPi, TemporaryFolder, type Tree } from '../testing/machineTrees.ts'
import { HeatSensors } from './heat.ts'
import type { Heat } from './inventory.ts'
import { SystemFiles } from './systemFiles.ts'

/** What is read of a machine, before and after some files have changed. */
function readings(tree: Tree, ...changes: readonly Tree[]): readonly (Heat | undefined)[] {
  using folder = new TemporaryFolder(tree)
  const sensors = new HeatSensors(new SystemFiles(folder.path))
  const first = sensors.read()
  const rest = changes.map((change) => {
    folder.write(change)
    return sensors.read()
  })
  return [first, ...rest]
}

describe('the heat of a Raspberry Pi', () => {
  it('is that of its processor, and its fan slows nothing', () => {
    expect(readings(raspberryPi)).toEqual([{ celsius: 48.686, throttled: false, clock: 1 }])
  })

  it.each([
    ['50005', true],
    ['e0008', true],
    ['2', true],
    // Under-voltage alone, and all that has been.
    ['1', false],
    ['f0000', false],
  ])('throttles when its firmware says %s: %s', (bits, throttled) => {
    const file = 'sys/devices/platform/soc/soc:firmware/get_throttled'
    const [, heat] = readings(raspberryPi, { [file]: `${bits}\n` })
    expect(heat).toMatchObject({ throttled })
  })

  it('is heard of by the firmware of later ones as well, where the name has an address', () => {
    const { 'sys/devices/platform/soc/soc:firmware/get_throttled': _, ...rest } = raspberryPi
    const file = 'sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled'
    expect(readings({ ...rest, [file]: 'e0008\n' })).toMatchObject([{ throttled: true }])
  })
})

describe('the heat of other machines', () => {
  it('is that of the processor, and not of radios and disks', () => {
    expect(readings(desktop)).toEqual([{ celsius: 55.5, throttled: false }])
  })

  it('throttles from the trip point on at which the system slows the processor', () => {
    const temp = 'sys/class/thermal/thermal_zone1/temp'
    expect(readings(laptop, { [temp]: '94000\n' }, { [temp]: '95000\n' })).toEqual([
      { celsius: 61, throttled: false, clock: 1 },
      { celsius: 94, throttled: false, clock: 1 },
      { celsius: 95, throttled: true, clock: 1 },
    ])
  })

  it('throttles when the processor is cooled by slowing it, and tells how much of its clock is left', () => {
    const slowed = {
      'sys/class/thermal/cooling_device0/cur_state': '3\n',
      'sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq': '2000000\n',
    }
    const [, heat] = readings(laptop, slowed)
    expect(heat).toEqual({ celsius: 61, throttled: true, clock: 0.75 })
  })

  it('is that of the board where nothing else tells', () => {
    const zone = 'sys/class/thermal/thermal_zone0'
    expect(readings({ [`${zone}/type`]: 'acpitz\n', [`${zone}/temp`]: '27800\n' })).toEqual([
      { celsius: 27.8, throttled: false },
    ])
  })

  it('is unknown where no system tells, and where sensors say what cannot be', () => {
    const zone = 'sys/class/thermal/thermal_zone0'
    expect(readings({})).toEqual([undefined])
    const sayings = ['-274000\n', '', 'n/a\n', '200000\n'].map((temp) => ({ [`${zone}/temp`]: temp }))
    const all = readings({ [`${zone}/type`]: 'cpu-thermal\n' }, ...sayings)
    expect(all).toEqual([undefined, undefined, undefined, undefined, undefined])
  })
})
