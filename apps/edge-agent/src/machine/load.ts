// How busy the processor is: counters that only grow, and what they grew by.
import { cpus } from 'node:os'
import type { SystemFiles } from './systemFiles.ts'

/** Time that all cores together have spent since the system started, in one unit or another. */
export interface ProcessorTime {
  readonly busy: number
  readonly all: number
}

/** Reads the counters: those of `/proc/stat`, or elsewhere what Node tells. What another machine took from a virtual one counts as busy. */
export function readProcessorTime(files: SystemFiles): ProcessorTime {
  // user nice system idle iowait irq softirq steal; the time of guests is in user and nice already.
  const counters = /^cpu +(.*)$/m.exec(files.text('proc/stat') ?? '')?.[1]
  if (counters !== undefined) {
    const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, ...more] = counters.split(' ').map(Number)
    const busy = user + nice + system + more.slice(0, 3).reduce((sum, one) => sum + one, 0)
    return { busy, all: busy + idle + waiting }
  }
  const times = cpus().map((core) => core.times)
  const busy = times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0)
  return { busy, all: busy + times.reduce((sum, { idle }) => sum + idle, 0) }
}

/** The load over the last few looks, so that it neither jumps with every burst nor lags behind. */
export class Load {
  readonly #looks: ProcessorTime[]
  readonly #span: number
  #value = 0

  /** @param first what the counters say now. @param span over how many looks. */
  constructor(first: ProcessorTime, span = 3) {
    this.#looks = [first]
    this.#span = span
  }

  /** 0 to 1: the part of all cores that was busy; 0 before the second look. */
  get value(): number {
    return this.#value
  }

  /** Takes in what the counters say now. */
  add(now: ProcessorTime): void {
    this.#looks.push(now)
    if (this.#looks.length > this.#span + 1) this.#looks.shift()
    const first = this.#looks[0]!
    const all = now.all - first.all
    // Counters stand still for some milliseconds, and those of waiting may go back.
    if (all > 0) this.#value = Math.min(1, Math.max(0, (now.busy - first.busy) / all))
  }
}
