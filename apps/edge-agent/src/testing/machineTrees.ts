// Machines as the kernel describes them in files: what tests put below a folder instead of reading this machine's.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Files by path, with what is in them. */
export type Tree = Readonly<Record<string, string>>

const zone = 'sys/class/thermal/thermal_zone0'
const policy = 'sys/devices/system/cpu/cpufreq/policy0'

/** `/proc/stat`, of two cores that have done so much. */
export const stat = (user: number, idle: number): string =>
  `cpu  ${user} 0 0 ${idle} 0 0 0 0 0 0\ncpu0 ${user / 2} 0 0 ${idle / 2} 0 0 0 0 0 0\nintr 8885\n`

/** `/proc/meminfo`, in kibibytes. */
export const meminfo = (total: number, available: number): string =>
  `MemTotal:${String(total).padStart(16)} kB\nMemFree:          120000 kB\nMemAvailable:${String(available).padStart(12)} kB\nBuffers:           41000 kB\n`

/** A Raspberry Pi 4 at 48.7 °C. */
export const raspberryPi: Tree = {
  'proc/stat': stat(1000, 9000),
  'proc/meminfo': meminfo(3_884_268, 3_000_000),
  'proc/device-tree/model': 'Raspberry Pi 4 Model B Rev 1.4\0',
  [`${zone}/type`]: 'cpu-thermal\n',
  [`${zone}/temp`]: '48686\n',
  [`${zone}/trip_point_0_type`]: 'critical\n',
  [`${zone}/trip_point_0_temp`]: '110000\n',
  'sys/class/thermal/cooling_device0/type': 'pwm-fan\n',
  'sys/class/thermal/cooling_device0/cur_state': '2\n',
  [`${policy}/cpuinfo_max_freq`]: '1500000\n',
  [`${policy}/scaling_max_freq`]: '1500000\n',
  'sys/devices/platform/soc/soc:firmware/get_throttled': '0\n',
}

/** A desktop whose processor has a thermometer of its own and no thermal zone, and whose radio has one. */
export const desktop: Tree = {
  'proc/stat': stat(1000, 9000),
  'proc/meminfo': meminfo(32_768_000, 20_000_000),
  [`${zone}/type`]: 'iwlwifi_1\n',
  [`${zone}/temp`]: '71000\n',
  'sys/class/hwmon/hwmon0/name': 'nvme\n',
  'sys/class/hwmon/hwmon0/temp1_input': '66850\n',
  'sys/class/hwmon/hwmon1/name': 'k10temp\n',
  'sys/class/hwmon/hwmon1/temp1_input': '52125\n',
  'sys/class/hwmon/hwmon1/temp3_input': '55500\n',
}

/** A laptop whose zone begins to slow it at 95 °C; its board has a thermometer too, and a trip point that was never set. */
export const laptop: Tree = {
  [`${zone}/type`]: 'acpitz\n',
  [`${zone}/temp`]: '27800\n',
  'sys/class/thermal/thermal_zone1/type': 'x86_pkg_temp\n',
  'sys/class/thermal/thermal_zone1/temp': '61000\n',
  'sys/class/thermal/thermal_zone1/trip_point_0_type': 'passive\n',
  'sys/class/thermal/thermal_zone1/trip_point_0_temp': '0\n',
  'sys/class/thermal/thermal_zone1/trip_point_1_type': 'passive\n',
  'sys/class/thermal/thermal_zone1/trip_point_1_temp': '95000\n',
  'sys/class/thermal/cooling_device0/type': 'Processor\n',
  'sys/class/thermal/cooling_device0/cur_state': '0\n',
  'sys/class/thermal/cooling_device1/type': 'Fan\n',
  'sys/class/thermal/cooling_device1/cur_state': '1\n',
  [`${policy}/cpuinfo_max_freq`]: '4000000\n',
  [`${policy}/scaling_max_freq`]: '4000000\n',
  'sys/devices/system/cpu/cpufreq/policy1/cpuinfo_max_freq': '4000000\n',
  'sys/devices/system/cpu/cpufreq/policy1/scaling_max_freq': '4000000\n',
}

/** A folder that is gone at the end, and the files in it. */
export class TemporaryFolder implements Disposable {
  /** Where it is. */
  readonly path = mkdtempSync(join(tmpdir(), 'shoal-test-'))

  /** @param tree what is in it from the start. */
  constructor(tree: Tree = {}) {
    this.write(tree)
  }

  /** Writes files, with the folders that they need. */
  write(tree: Tree): void {
    for (const [path, content] of Object.entries(tree)) {
      const file = join(this.path, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
