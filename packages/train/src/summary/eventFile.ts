// Event files: numbers over time, in the format that TensorBoard reads.
//
// TFRecords, each a message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5 }
// with Summary { repeated Value value = 1 } and Value { string tag = 1; float simple_value = 2 }.
import type { FileHandle } from 'node:fs/promises'
import { mkdir, open } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { bytesField, frameTFRecord, varint } from '@shoal/data'
import type { Hook, Metrics } from '../hook.ts'
import { scalarsOf } from '../hook.ts'

/** How an event file is made. */
export interface EventFileOptions {
  /** Ends the name of the file, to tell several writers of one directory apart. Default: the number of the process. */
  readonly suffix?: string
  /** Seconds since 1970. Default: the clock of the machine. */
  readonly now?: () => number
}

/** A file to which scalars are written, one event a call. Close it when done; what was written before a crash can be read. */
export class EventFile implements AsyncDisposable {
  readonly path: string
  readonly #file: FileHandle
  readonly #now: () => number
  // Calls that are not awaited still write one after the other.
  #written: Promise<unknown> = Promise.resolve()

  private constructor(path: string, file: FileHandle, now: () => number) {
    this.path = path
    this.#file = file
    this.#now = now
  }

  /** A new file in a directory, which is made if need be. @throws errors of the file system, also when the file exists. */
  static async create(
    directory: string,
    { suffix = String(process.pid), now = () => Date.now() / 1000 }: EventFileOptions = {},
  ): Promise<EventFile> {
    await mkdir(directory, { recursive: true })
    const seconds = String(Math.floor(now())).padStart(10, '0')
    const path = join(directory, `events.out.tfevents.${seconds}.${hostname()}.${suffix}`)
    const events = new EventFile(path, await open(path, 'wx'), now)
    await events.#write(0, bytesField(3, [utf8('brain.Event:2')]))
    return events
  }

  /** Writes numbers under their tags, such as `train/loss`. */
  scalars(step: number, metrics: Metrics): Promise<void> {
    const values = Object.entries(metrics).map(([tag, x]) =>
      bytesField(1, [bytesField(1, [utf8(tag)]), floatField(2, x)]),
    )
    return this.#write(step, bytesField(5, values))
  }

  /** Waits for what was written and closes the file. */
  async close(): Promise<void> {
    await this.#written
    await this.#file.close()
  }
  /** @see close */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #write(step: number, what: Uint8Array): Promise<void> {
    const event = Buffer.concat([doubleField(1, this.#now()), varint(2 << 3), varint(step), what])
    const done = this.#written.then(() => this.#file.writeFile(frameTFRecord(event)))
    this.#written = done.catch(() => undefined)
    return done
  }
}

/** Which numbers are written when. */
export interface SummariesOptions {
  /** Numbers of single steps, under `step/`, every so many of them. Default: none. */
  readonly everySteps?: number
}

/** Writes the metrics of each epoch, under `epoch/`, and those of steps if wanted. */
export const summaries = (events: EventFile, { everySteps }: SummariesOptions = {}): Hook => ({
  async afterRun(run, values) {
    if (everySteps !== undefined && run.step % everySteps === 0)
      await events.scalars(run.step, under('step', scalarsOf(values)))
  },
  epochEnd: (run, metrics) => events.scalars(run.step, under('epoch', metrics)),
})

const under = (prefix: string, metrics: Metrics): Metrics =>
  Object.fromEntries(Object.entries(metrics).map(([name, x]) => [`${prefix}/${name}`, x]))

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

function doubleField(number: number, value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(9))
  bytes.setUint8(0, (number << 3) | 1)
  bytes.setFloat64(1, value, true)
  return new Uint8Array(bytes.buffer)
}
function floatField(number: number, value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(5))
  bytes.setUint8(0, (number << 3) | 5)
  bytes.setFloat32(1, value, true)
  return new Uint8Array(bytes.buffer)
}
