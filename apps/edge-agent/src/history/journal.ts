// Lines of JSON that are only ever added to, behind a first line that names format and version. Whatever moment the process dies at, all lines that were
// written whole are there when it is opened again.
import { constants, type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ClosedError, ValueError } from '@shoal/core'
import { z } from 'zod'
import { asStorageFull, type Disk, systemDisk } from '../blobs/disk.ts'
import { JournalError } from './errors.ts'
import { type Line, linesOf, maxLineBytes } from './lines.ts'

/** What a journal is for. Its version rises when older programs would misunderstand it. */
export interface JournalFormat {
  readonly format: string
  readonly version: number
}

/** How a journal is kept. */
export interface JournalOptions {
  /** Told in words what was repaired. */
  readonly log: (line: string) => void
  /** Default: that of this machine. */
  readonly disk?: Disk
  /** Told of each line that is there already, in turn; not of the first. */
  readonly each?: (line: Line) => void
}

const headSchema = z.object({ format: z.string(), version: z.int() })

const headLine = ({ format, version }: JournalFormat): string => `${JSON.stringify({ format, version })}\n`

/** @throws JournalError where the first line is not that of such a journal. */
function checkHead(path: string, text: string | undefined, wanted: JournalFormat): void {
  const head = headSchema.safeParse(text === undefined ? undefined : parsed(text))
  if (!head.success || head.data.format !== wanted.format)
    throw new JournalError(
      `${path} does not begin as a '${wanted.format}' does: it is another file, or its beginning is damaged; move it away`,
    )
  if (head.data.version > wanted.version)
    throw new JournalError(
      `${path} was written by a newer version of this program: it is a '${wanted.format}' of version ${head.data.version}, and ` +
        `version ${wanted.version} is the last that can be read here. Update this program, or read it where it was written`,
    )
}

/** What a text says as JSON; undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The lines of a journal that somebody else may be writing; one that has no end yet is left out. @throws JournalError. */
export async function* readJournal(
  path: string,
  format: JournalFormat,
): AsyncGenerator<Line, void, undefined> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    let headSeen = false
    for await (const line of linesOf(file, 0, size)) {
      if (headSeen && line.ended) yield line
      else if (!headSeen) checkHead(path, line.text, format)
      headSeen = true
    }
    if (!headSeen) checkHead(path, undefined, format)
  } finally {
    await file.close()
  }
}

interface Waiting {
  readonly text: string
  readonly sync: boolean
  readonly resolve: (position: number) => void
  readonly reject: (error: unknown) => void
}

/** A journal that this process writes, and nobody else. */
export class Journal implements AsyncDisposable {
  readonly path: string
  readonly #file: FileHandle
  readonly #disk: Disk
  #bytes: number
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #closed: Promise<void> | undefined

  private constructor(path: string, file: FileHandle, bytes: number, disk: Disk) {
    this.path = path
    this.#file = file
    this.#bytes = bytes
    this.#disk = disk
  }

  /**
   * Opens the journal at `path`, or begins it. A last line that was torn is cut off, and what was cut off told to the log.
   * @throws JournalError where there is another file, or a newer journal; StorageFullError.
   */
  static async open(path: string, format: JournalFormat, options: JournalOptions): Promise<Journal> {
    const { log, disk = systemDisk, each } = options
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    try {
      const { size } = await file.stat()
      let bytes = 0
      let torn: Line | undefined
      for await (const line of linesOf(file, 0, size)) {
        if (!line.ended) torn = line
        else if (line.at === 0) checkHead(path, line.text, format)
        else each?.(line)
        if (line.ended) bytes = line.next
      }
      if (bytes === 0) {
        // Its first line is flushed before anything else is written: only its own beginning can be torn.
        if (torn && !headLine(format).startsWith(torn.text ?? '\n')) checkHead(path, undefined, format)
        bytes = await replaceEnd(file, { path, disk, at: 0, text: headLine(format) })
      } else if (torn) {
        // No JSON object is the beginning of another one: what can be read lacks nothing but its end.
        const whole = torn.text !== undefined && parsed(torn.text) !== undefined
        bytes = await replaceEnd(file, { path, disk, at: bytes, text: whole ? `${torn.text}\n` : '' })
        if (whole) each?.({ ...torn, next: bytes, ended: true })
        else
          log(
            `${path}: its last line was torn, as when a machine loses power: ${torn.next - torn.at} bytes were cut off`,
          )
      }
      return new Journal(path, file, bytes, disk)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Bytes of all lines that are written. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Adds lines of JSON, which come after all that were added before. Settles when the system has them, so that the death of this process does no
   * harm, and with `sync` when the disk has them; answers the position of the first.
   * @throws StorageFullError, and then none of them was written; ClosedError; ValueError for a line that is longer than lines may be.
   */
  async append(lines: readonly string[], { sync }: { readonly sync: boolean }): Promise<number> {
    if (this.#closed) throw new ClosedError(`${this.path} was closed`)
    for (const line of lines)
      if (Buffer.byteLength(line) > maxLineBytes)
        throw new ValueError(
          `a line of ${Buffer.byteLength(line)} bytes for ${this.path}: ${maxLineBytes} are the most`,
        )
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.#waiting.push({ text: lines.map((line) => `${line}\n`).join(''), sync, resolve, reject })
    this.#writing ??= this.#writeAll()
    return promise
  }

  /** Settles when the disk has all that was added before. */
  async sync(): Promise<void> {
    await this.append([], { sync: true })
  }

  /** The lines from a position on that are written by now. */
  lines(from: number): AsyncGenerator<Line, void, undefined> {
    return linesOf(this.#file, from, this.#bytes)
  }

  /** Ends it: what was added is on the disk then. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= (async () => {
      try {
        await this.#writing
        await this.#disk.flush(this.#file)
      } finally {
        await this.#file.close()
      }
    })()
    await this.#closed
  }

  /** Never rejects. What came while it wrote goes together. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0)
      const at = this.#bytes
      const text = batch.map((each) => each.text).join('')
      try {
        const sync = batch.some((each) => each.sync)
        this.#bytes = await replaceEnd(this.#file, { path: this.path, disk: this.#disk, at, text, sync })
        let position = at
        for (const each of batch) {
          each.resolve(position)
          position += Buffer.byteLength(each.text)
        }
      } catch (error) {
        for (const each of batch) each.reject(error)
      }
    }
    this.#writing = undefined
  }
}

/** Makes the file end with this text, from a position on; answers how long it is then. Where that fails it ends at the position. */
async function replaceEnd(
  file: FileHandle,
  to: {
    readonly path: string
    readonly disk: Disk
    readonly at: number
    readonly text: string
    readonly sync?: boolean
  },
): Promise<number> {
  const { path, disk, at, text, sync = true } = to
  const bytes = Buffer.from(text)
  try {
    await disk.write(file, bytes, at)
    await file.truncate(at + bytes.length)
    if (sync) await disk.flush(file)
    return at + bytes.length
  } catch (error) {
    // Where even that fails, the next write begins at the same position and cuts off what is behind it.
    await file.truncate(at).catch(() => {})
    throw await asStorageFull(error, { disk, folder: dirname(path), neededBytes: bytes.length })
  }
}
