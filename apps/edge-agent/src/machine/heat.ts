// How hot the processor is, and whether it is slowed for that: thermal zones, their trip points, what cools, and the firmware of a Raspberry Pi.
import type { Heat } from './inventory.ts'
import type { SystemFiles } from './systemFiles.ts'

/** A thermometer of the processor. */
interface Sensor {
  /** Holds thousandths of a degree Celsius. */
  readonly file: string
  /** From how many degrees the system slows the processor; Infinity where it does not say. */
  readonly slowsAt: number
}

/** A group of cores with one clock. */
interface Clock {
  /** Holds the highest frequency that is allowed now. */
  readonly file: string
  readonly highest: number
}

/** Names of thermal zones that are the processor's: `cpu-thermal`, `x86_pkg_temp`, `soc-thermal`. */
const ofProcessor = /cpu|pkg|soc|core/i
/** Drivers of thermometers that are in the processor. */
const processorDrivers = /^(k10temp|coretemp|zenpower|cpu_thermal)$/
/** What slows a processor to cool it, as the kernel names it; fans are not among them. */
const slowingCoolers = /^((thermal-)?cpufreq-.*|Processor)$/

/** `get_throttled` of a Raspberry Pi: frequency capped (2), throttled (4), soft limit of temperature (8), each now. The higher bits speak of the past. */
const slowedBits = 0b1110

/** The thermometers and clocks of a machine: found once, read often. */
export class HeatSensors {
  readonly #files: SystemFiles
  readonly #sensors: readonly Sensor[]
  readonly #coolers: readonly string[]
  readonly #clocks: readonly Clock[]
  readonly #firmware: string | undefined

  /** Finds what there is. */
  constructor(files: SystemFiles) {
    this.#files = files
    this.#sensors = findSensors(files)
    this.#coolers = files
      .paths('sys/class/thermal', /^cooling_device\d+$/)
      .filter((cooler) => slowingCoolers.test(files.text(`${cooler}/type`) ?? ''))
      .map((cooler) => `${cooler}/cur_state`)
    this.#clocks = files.paths('sys/devices/system/cpu/cpufreq', /^policy\d+$/).flatMap((policy) => {
      const highest = files.number(`${policy}/cpuinfo_max_freq`)
      return highest ? [{ file: `${policy}/scaling_max_freq`, highest }] : []
    })
    // `soc`, or with an address: `soc@107c000000`.
    this.#firmware = files
      .paths('sys/devices/platform', /^soc(@[\da-f]+)?$/)
      .flatMap((soc) => files.paths(soc, /:firmware$/))
      .map((firmware) => `${firmware}/get_throttled`)
      .find((file) => files.text(file) !== undefined)
  }

  /** How hot it is now, by the hottest thermometer of the processor; undefined where none tells. */
  read(): Heat | undefined {
    const readings = this.#sensors.flatMap(({ file, slowsAt }) => {
      const celsius = degrees(this.#files.number(file))
      return celsius === undefined ? [] : [{ celsius, slowed: celsius >= slowsAt }]
    })
    if (readings.length === 0) return undefined
    const throttled =
      readings.some(({ slowed }) => slowed) || this.#isCooledBySlowing() || this.#saysFirmware()
    const clock = this.#clock()
    return {
      celsius: Math.max(...readings.map(({ celsius }) => celsius)),
      throttled,
      ...(clock !== undefined && { clock }),
    }
  }

  #isCooledBySlowing(): boolean {
    return this.#coolers.some((cooler) => (this.#files.number(cooler) ?? 0) > 0)
  }

  #saysFirmware(): boolean {
    const bits = this.#firmware && this.#files.text(this.#firmware)
    return bits ? (Number.parseInt(bits, 16) & slowedBits) !== 0 : false
  }

  #clock(): number | undefined {
    const parts = this.#clocks.flatMap(({ file, highest }) => {
      const allowed = this.#files.number(file)
      return allowed === undefined ? [] : [Math.min(1, Math.max(0, allowed / highest))]
    })
    return parts.length > 0 ? parts.reduce((sum, part) => sum + part, 0) / parts.length : undefined
  }
}

/** The processor's zones; where there are none its own thermometers; else that of the board, which is near it. */
function findSensors(files: SystemFiles): readonly Sensor[] {
  const zones = files
    .paths('sys/class/thermal', /^thermal_zone\d+$/)
    .map((zone) => ({ zone, type: files.text(`${zone}/type`) ?? '' }))
  const sensorsOf = (pattern: RegExp): readonly Sensor[] =>
    zones
      .filter(({ type }) => pattern.test(type))
      .map(({ zone }) => ({ file: `${zone}/temp`, slowsAt: passiveTrip(files, zone) }))
  const own = sensorsOf(ofProcessor)
  if (own.length > 0) return own
  const drivers = files
    .paths('sys/class/hwmon', /^hwmon\d+$/)
    .filter((folder) => processorDrivers.test(files.text(`${folder}/name`) ?? ''))
    .flatMap((folder) => files.paths(folder, /^temp\d+_input$/))
    .map((file) => ({ file, slowsAt: Infinity }))
  return drivers.length > 0 ? drivers : sensorsOf(/^acpitz$/)
}

/** From how many degrees a zone's passive cooling begins, which is to slow what it measures. */
function passiveTrip(files: SystemFiles, zone: string): number {
  const trips = files
    .paths(zone, /^trip_point_\d+_type$/)
    .filter((file) => files.text(file) === 'passive')
    .map((file) => degrees(files.number(file.replace(/type$/, 'temp'))) ?? 0)
  // A trip point that was never set is at 0 or at absolute zero.
  return Math.min(Infinity, ...trips.filter((celsius) => celsius > 0))
}

/** Degrees of a number of thousandths; undefined for what no processor bears: a sensor that does not work says such things. */
function degrees(thousandths: number | undefined): number | undefined {
  if (thousandths === undefined) return undefined
  const celsius = thousandths / 1000
  return celsius > -60 && celsius < 150 ? celsius : undefined
}
