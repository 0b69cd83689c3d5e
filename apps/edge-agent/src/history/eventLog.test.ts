// Events by number: added, read from anywhere, waited for, flushed in time, and there after every kind of end.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SimulatedClock } from '@shoal/distributed'
import { Random } from '@shoal/tune'
import { describe, expect, it } from 'vitest'
import { systemDisk } from '../blobs/disk.ts'
import { eventAt, sampleEvents } from '../testing/sampleEvents.ts'
import { temporaryFolder } from '../testing/temporaryFolder.ts'
import type { JobEvent } from './event.ts'
import { EventLog } from './eventLog.ts'
import { readHistory } from './format.ts'

const folder = temporaryFolder()
let files = 0
const fresh = (): string => join(folder, `${files++}.jsonl`)
const log = (): void => {}

/** Thousands of files are opened here, and no power is lost. */
const unflushed = { ...systemDisk, flush: async () => {} }

const loss = (step: number): JobEvent =>
  eventAt(step, {
    kind: 'metrics',
    task: 'worker:0',
    attempt: 0,
    node: 'n',
    step,
    values: { loss: 1 / step },
  })

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const everything = (events: EventLog) => events.read(0, { most: 1e6, mostBytes: 1e9 })

describe('an event log', () => {
  it('answers what was added, also when it is opened anew', async () => {
    const path = fresh()
    {
      await using events = await EventLog.open(path, { log })
      await events.append(sampleEvents.slice(0, 5))
      await events.append(sampleEvents.slice(5))
      expect(events.length).toBe(sampleEvents.length)
      expect(await events.read(0)).toEqual({ events: sampleEvents, next: sampleEvents.length })
    }
    await using events = await EventLog.open(path, { log })
    expect(events.length).toBe(sampleEvents.length)
    expect(await events.read(0)).toEqual({ events: sampleEvents, next: sampleEvents.length })
    expect(await all(readHistory(path))).toEqual(sampleEvents)
  })

  it('reads from any number, so many events or bytes at once', async () => {
    await using events = await EventLog.open(fresh(), { log })
    const all = Array.from({ length: 1000 }, (_, i) => loss(i + 1))
    await events.append(all.slice(0, 300))
    for (const event of all.slice(300)) void events.append([event])
    await events.append([])
    await events.append([loss(1001)])
    for (const from of [0, 1, 255, 256, 257, 511, 999, 1000, 1001, 5000]) {
      const { events: read, next } = await events.read(from, { most: 7 })
      expect(read).toEqual([...all, loss(1001)].slice(from, from + 7))
      expect(next).toBe(Math.min(1001, from + 7))
    }
    const bytes = all.slice(0, 3).reduce((sum, event) => sum + JSON.stringify(event).length + 1, 0)
    expect((await events.read(0, { mostBytes: bytes })).events).toHaveLength(3)
    expect((await events.read(0, { mostBytes: 1 })).events).toHaveLength(1)
    expect(await events.read(3, { most: 0 })).toEqual({ events: [], next: 3 })
  })

  it('flushes events that matter at once, and metrics within a second', async () => {
    const clock = new SimulatedClock()
    let [flushes, tellFlush] = [0, (): void => {}]
    const disk = {
      ...systemDisk,
      async flush() {
        flushes++
        tellFlush()
      },
    }
    await using events = await EventLog.open(fresh(), { log, clock, disk })
    flushes = 0
    await events.append([loss(1)])
    await events.append([loss(2)])
    await clock.run(999)
    expect(flushes).toBe(0)
    const flushed = new Promise<void>((resolve) => (tellFlush = resolve))
    await clock.run(1000)
    await flushed
    expect(flushes).toBe(1)
    await events.append([sampleEvents[0]!])
    expect(flushes).toBe(2)
    await events.append([loss(3)])
    await events.append([sampleEvents.at(-1)!])
    expect(flushes).toBe(3)
    // What was flushed with something else is not flushed again.
    await clock.run(10_000)
    await events.append([loss(4)])
    expect(flushes).toBe(3)
  })

  it('wakes who waits for an event', async () => {
    await using events = await EventLog.open(fresh(), { log })
    const waits = [0, 0, 1].map((from) => events.tail(from, { deadlineMs: 60_000 }))
    await events.append([loss(1)])
    expect(await waits[0]).toEqual({ events: [loss(1)], next: 1 })
    expect(await waits[1]).toEqual({ events: [loss(1)], next: 1 })
    await events.append([loss(2), loss(3)])
    expect(await waits[2]).toEqual({ events: [loss(2), loss(3)], next: 3 })
    expect(await events.tail(1, { deadlineMs: 60_000 })).toEqual({ events: [loss(2), loss(3)], next: 3 })
  })

  it('lets nobody wait longer than the deadline, the signal or the log itself', async () => {
    const clock = new SimulatedClock()
    const events = await EventLog.open(fresh(), { log, clock })
    const late = events.tail(0, { deadlineMs: 500 })
    expect(await clock.settle(late, { withinMs: 500 })).toEqual({ events: [], next: 0 })
    const stop = new AbortController()
    const stopped = events.tail(0, { deadlineMs: 500, signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
    await expect(events.tail(0, { deadlineMs: 500, signal: stop.signal })).rejects.toThrow('enough')
    const open = events.tail(0, { deadlineMs: 500 })
    await events[Symbol.asyncDispose]()
    expect(await open).toEqual({ events: [], next: 0 })
    await expect(events.read(0)).rejects.toThrow(/was closed/)
    await expect(events.append([loss(1)])).rejects.toThrow(/was closed/)
  })

  it('takes nothing that it could not read again', async () => {
    await using events = await EventLog.open(fresh(), { log })
    const diverged = { ...loss(1), values: { loss: Number.NaN } } as JobEvent
    await expect(events.append([loss(1), diverged])).rejects.toThrow(/'metrics' cannot be kept.*values.loss/s)
    expect(events.length).toBe(0)
  })

  it('cut at any byte has all events that were whole', async () => {
    const path = fresh()
    {
      await using events = await EventLog.open(path, { log })
      await events.append(sampleEvents.slice(0, 7))
    }
    const whole = readFileSync(path)
    const ends = [...whole].flatMap((byte, i) => (byte === 10 ? [i] : [])).slice(1)
    for (let cut = 0; cut <= whole.length; cut += 1) {
      writeFileSync(path, whole.subarray(0, cut))
      await using events = await EventLog.open(path, { log, disk: unflushed })
      const there = ends.filter((end) => end <= cut).length
      expect(events.length, `cut at ${cut}`).toBe(there)
      expect((await everything(events)).events, `cut at ${cut}`).toEqual(sampleEvents.slice(0, there))
    }
  })

  it('with damaged bytes has all events but the damaged ones, and goes on', async () => {
    const path = fresh()
    {
      await using events = await EventLog.open(path, { log })
      await events.append(sampleEvents)
    }
    const whole = readFileSync(path)
    const head = whole.indexOf(10) + 1
    const random = new Random(5, 0)
    for (let round = 0; round < 150; round++) {
      const damaged = Buffer.from(whole)
      const hit = 1 + random.below(3)
      for (let i = 0; i < hit; i++)
        damaged[head + random.below(whole.length - head)] = Math.floor(random.uniform() * 256)
      writeFileSync(path, damaged)
      await using events = await EventLog.open(path, { log, disk: unflushed })
      const { events: read, next } = await everything(events)
      expect(next).toBe(events.length)
      // A byte touches two lines at most: its own, and where it was the end of one, the next.
      const same = sampleEvents.filter((event) =>
        read.some((one) => JSON.stringify(one) === JSON.stringify(event)),
      )
      expect(same.length).toBeGreaterThanOrEqual(sampleEvents.length - 2 * hit)
      await events.append([loss(99)])
      expect((await everything(events)).events).toEqual([...read, loss(99)])
    }
  })

  it('passes over events of kinds that only newer versions know', async () => {
    const path = fresh()
    {
      await using events = await EventLog.open(path, { log })
      await events.append([loss(1)])
    }
    appendFileSync(path, `${JSON.stringify({ ...loss(2), kind: 'dreamt' })}\n${JSON.stringify(loss(3))}\n`)
    const said: string[] = []
    await using events = await EventLog.open(path, { log: (line) => said.push(line) })
    expect(await events.read(0)).toEqual({ events: [loss(1), loss(3)], next: 3 })
    expect(said).toEqual([expect.stringContaining('event 1 is damaged, or of a newer version')])
  })
})
