// List scheduling: operations one by one, the most urgent first, each to the device that it suits best with what is decided already.
// This is HEFT (Topcuoglu, Hariri, Wu: Performance-effective and low-complexity task scheduling for heterogeneous computing, IEEE TPDS 13(3),
// 2002) with links that carry one tensor at a time, with groups that stay together, and with memory that ends.
import type { Problem, Reading } from './problem.ts'
import { Timeline } from './timeline.ts'

/** Something that is sent. */
export interface Transfer {
  readonly reading: Reading
  readonly from: number
  readonly to: number
  readonly start: number
  readonly finish: number
}

/** Who runs what when, in seconds from the start of the step. */
export interface Schedule {
  /** By operation. */
  readonly device: readonly number[]
  readonly start: readonly number[]
  readonly finish: readonly number[]
  readonly transfers: readonly Transfer[]
  /** When everything is done. */
  readonly makespan: number
}

/** What decides between the devices that an operation may go to: where it is done first, where most memory is free, or one device wherever possible. */
export type Preference = 'finish' | 'room' | { readonly device: number }

/** The operation that no device had memory for. */
export interface NoRoom {
  readonly operation: number
}

/** Schedules all operations. Deterministic: what is equally good goes to the device that is sent less, then to the first. */
export function listSchedule(
  problem: Problem,
  ranks: readonly number[],
  preference: Preference,
): Schedule | NoRoom {
  const order = problem.operations.map((_, i) => i).toSorted((a, b) => ranks[b]! - ranks[a]! || a - b)
  const scheduler = new Scheduler(problem, preference)
  // What costs nothing and waits for nothing goes wherever its most urgent reader goes.
  const sources = order.filter((i) => scheduler.isSource(i))
  const rest = order.filter((i) => !scheduler.isSource(i))
  for (const operation of [...rest, ...sources])
    if (!scheduler.isPlaced(operation) && !scheduler.place(operation)) return { operation }
  return scheduler.schedule()
}

/** An operation tried on a device. */
interface Attempt {
  readonly device: number
  readonly finish: number
  readonly sentBytes: number
}

const nowhere = -1

class Scheduler {
  private readonly problem: Problem
  private readonly preference: Preference
  private readonly deviceOfGroup: number[]
  private readonly used: number[]
  private readonly start: number[]
  private readonly finish: number[]
  private readonly work: readonly Timeline[]
  private readonly channels = new Map<string, Timeline>()
  /** Where and when a copy of an output is, by operation, output and device. */
  private readonly copies = new Map<string, Transfer>()
  /** What has to be done to forget the attempt that is being made. */
  private readonly undo: (() => void)[] = []

  constructor(problem: Problem, preference: Preference) {
    this.problem = problem
    this.preference = preference
    this.deviceOfGroup = problem.groups.map(() => nowhere)
    this.used = problem.maxBytes.map(() => 0)
    this.start = problem.operations.map(() => NaN)
    this.finish = problem.operations.map(() => NaN)
    this.work = problem.maxBytes.map(() => new Timeline())
  }

  isSource(operation: number): boolean {
    const { reads, seconds, group } = this.problem.operations[operation]!
    return reads.length === 0 && this.candidates(group).every((device) => seconds[device] === 0)
  }
  isPlaced(operation: number): boolean {
    return !Number.isNaN(this.finish[operation])
  }

  /** Puts an operation where it is best. false: no device has the memory. */
  place(operation: number): boolean {
    let best: Attempt | undefined
    for (const device of this.choices(this.problem.operations[operation]!.group)) {
      const attempt = this.attempt(operation, device)
      this.forget()
      if (attempt && (!best || this.isBetter(attempt, best))) best = attempt
    }
    if (!best) return false
    this.attempt(operation, best.device)
    this.undo.length = 0
    return true
  }

  schedule(): Schedule {
    const { start, finish } = this
    const transfers = [...this.copies.values()].toSorted((a, b) => a.start - b.start)
    return {
      device: this.problem.operations.map(({ group }) => this.deviceOfGroup[group]!),
      start,
      finish,
      transfers,
      makespan: [...finish, ...transfers.map((t) => t.finish)].reduce((a, b) => Math.max(a, b), 0),
    }
  }

  private candidates(group: number): readonly number[] {
    return this.problem.groups[group]!.candidates
  }
  /** The devices that are tried: one, where it is decided already or preferred and has the memory. */
  private choices(group: number): readonly number[] {
    const bound = this.deviceOfGroup[group]!
    if (bound !== nowhere) return [bound]
    const all = this.candidates(group)
    if (typeof this.preference === 'string') return all
    const { device } = this.preference
    return all.includes(device) && this.hasRoom(device, this.problem.groups[group]!.bytes) ? [device] : all
  }
  private isBetter(a: Attempt, b: Attempt): boolean {
    const byRoom = this.preference === 'room' ? this.room(b.device) - this.room(a.device) : 0
    // Infinity less Infinity is no number: without limits there is as much room everywhere.
    return (byRoom || a.finish - b.finish || a.sentBytes - b.sentBytes) < 0
  }
  private room(device: number): number {
    return Math.min(this.problem.maxBytes[device]!, Number.MAX_SAFE_INTEGER) - this.used[device]!
  }
  private hasRoom(device: number, bytes: number): boolean {
    return this.used[device]! + bytes <= this.problem.maxBytes[device]!
  }

  /** Does all that running an operation on a device takes; `forget` undoes it. undefined: the memory does not suffice. */
  private attempt(operation: number, device: number): Attempt | undefined {
    const { group, reads, seconds } = this.problem.operations[operation]!
    if (!this.bind(group, device)) return undefined
    let ready = 0
    let sentBytes = 0
    for (const reading of reads) {
      if (!this.isPlaced(reading.operation) && !this.placeSource(reading.operation, device)) return undefined
      const copy = this.copyAt(reading, device)
      if (!copy) return undefined
      ready = Math.max(ready, copy.at)
      sentBytes += copy.sentBytes
    }
    const duration = seconds[device]!
    const start = duration === 0 ? ready : this.take(this.work[device]!, ready, duration)
    this.run(operation, start, start + duration)
    return { device, finish: start + duration, sentBytes }
  }

  /** A source goes to its reader if it can, else to where the way from is shortest. */
  private placeSource(operation: number, reader: number): boolean {
    const { group } = this.problem.operations[operation]!
    const bound = this.deviceOfGroup[group]!
    const latency = (device: number): number =>
      device === reader ? -1 : this.problem.link(device, reader).latencySeconds
    const choices =
      bound === nowhere ? this.candidates(group).toSorted((a, b) => latency(a) - latency(b)) : [bound]
    if (!choices.some((device) => this.bind(group, device))) return false
    this.run(operation, 0, 0)
    return true
  }

  /** When what is read is on a device, sent there if it is not; undefined: there is no memory for it. */
  private copyAt(reading: Reading, to: number): { at: number; sentBytes: number } | undefined {
    const from = this.deviceOfGroup[this.problem.operations[reading.operation]!.group]!
    const made = this.finish[reading.operation]!
    if (from === to) return { at: made, sentBytes: 0 }
    const key = `${reading.operation}:${reading.output}:${to}`
    const known = this.copies.get(key)
    if (known) return { at: known.finish, sentBytes: 0 }
    if (!this.reserve(to, reading.bytes)) return undefined
    const { channel, latencySeconds, secondsPerByte } = this.problem.link(from, to)
    const carrying = reading.bytes * secondsPerByte
    // Latency keeps nobody else from using the link.
    const start = carrying === 0 ? made : this.take(this.channel(channel), made, carrying)
    const finish = start + carrying + latencySeconds
    this.copies.set(key, { reading, from, to, start, finish })
    this.undo.push(() => this.copies.delete(key))
    return { at: finish, sentBytes: reading.bytes }
  }

  private channel(name: string): Timeline {
    let timeline = this.channels.get(name)
    if (!timeline) this.channels.set(name, (timeline = new Timeline()))
    return timeline
  }

  private bind(group: number, device: number): boolean {
    if (this.deviceOfGroup[group] === device) return true
    if (!this.reserve(device, this.problem.groups[group]!.bytes)) return false
    this.deviceOfGroup[group] = device
    this.undo.push(() => (this.deviceOfGroup[group] = nowhere))
    return true
  }
  private reserve(device: number, bytes: number): boolean {
    if (!this.hasRoom(device, bytes)) return false
    this.used[device]! += bytes
    this.undo.push(() => (this.used[device]! -= bytes))
    return true
  }
  private take(timeline: Timeline, ready: number, duration: number): number {
    const start = timeline.take(ready, duration)
    this.undo.push(() => timeline.giveBack(start, duration))
    return start
  }
  private run(operation: number, start: number, finish: number): void {
    this.start[operation] = start
    this.finish[operation] = finish
    this.undo.push(() => (this.start[operation] = this.finish[operation] = NaN))
  }
  private forget(): void {
    while (this.undo.length > 0) this.undo.pop()!()
  }
}
