// Journals that were cut, torn, damaged, made by others, or had no room: what was written whole stays, and nothing is made up.
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Disk, systemDisk } from '../blobs/disk.ts'
import { StorageFullError } from '../blobs/errors.ts'
import { temporaryFolder } from '../testing/temporaryFolder.ts'
import { JournalError } from './errors.ts'
import { Journal, readJournal } from './journal.ts'
import { maxLineBytes } from './lines.ts'

const folder = temporaryFolder()
const format = { format: 'shoal-test', version: 2 }
let files = 0
const fresh = (): string => join(folder, `${files++}.jsonl`)

async function opened(path: string, disk: Disk = systemDisk) {
  const [there, said]: [string[], string[]] = [[], []]
  const each = ({ text }: { text: string | undefined }): void => void there.push(text ?? 'too long')
  const journal = await Journal.open(path, format, { log: (line) => said.push(line), disk, each })
  return { journal, there, said }
}

/** What is there when it is opened. */
async function linesIn(path: string): Promise<readonly string[]> {
  const { journal, there } = await opened(path)
  await journal[Symbol.asyncDispose]()
  return there
}

const lines = ['{"a":1}', '{"b":"zwei\\nZeilen"}', '{}', '{"fish":"🐟"}']

async function written(): Promise<string> {
  const path = fresh()
  const { journal } = await opened(path)
  await journal.append(lines.slice(0, 2), { sync: false })
  await journal.append(lines.slice(2), { sync: true })
  await journal[Symbol.asyncDispose]()
  return path
}

describe('a journal', () => {
  it('has its lines in order, behind one that names it, for its owner alone', async () => {
    const path = await written()
    expect(readFileSync(path, 'utf8')).toBe(`{"format":"shoal-test","version":2}\n${lines.join('\n')}\n`)
    expect(await linesIn(path)).toEqual(lines)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('cut at any byte has every line that was whole, and goes on', async () => {
    const whole = readFileSync(await written())
    const path = fresh()
    const head = whole.indexOf(10) + 1
    for (let cut = 0; cut <= whole.length; cut++) {
      writeFileSync(path, whole.subarray(0, cut))
      const { journal, there, said } = await opened(path)
      const text = whole.subarray(head, Math.max(head, cut)).toString()
      // The end of a line is no part of it: what lacks only that lacks nothing.
      const expected = lines.filter((_, i) => text.startsWith(lines.slice(0, i + 1).join('\n')))
      expect(there, `cut at ${cut}`).toEqual(expected)
      const rest = text.slice(expected.join('\n').length).trimStart()
      expect(said.length > 0, `cut at ${cut}`).toBe(rest !== '')
      await journal.append(['{"more":true}'], { sync: false })
      await journal[Symbol.asyncDispose]()
      expect(await linesIn(path), `cut at ${cut}`).toEqual([...expected, '{"more":true}'])
    }
  })

  it('says how much of a torn line it has cut off', async () => {
    const path = await written()
    appendFileSync(path, '{"torn":"li')
    const { journal, said } = await opened(path)
    await using _ = journal
    expect(said).toEqual([expect.stringMatching(/torn.* 11 bytes were cut off/)])
  })

  it('cuts off the zeros that a file system leaves after a loss of power', async () => {
    const path = await written()
    truncateSync(path, statSync(path).size + 4096)
    expect(await linesIn(path)).toEqual(lines)
  })

  it('refuses a newer version, saying what to do, and leaves the file as it is', async () => {
    const path = fresh()
    writeFileSync(path, '{"format":"shoal-test","version":3}\n{"x":1')
    await expect(opened(path)).rejects.toThrow(
      /newer version of this program: .*version 3.*Update this program/s,
    )
    await expect(readJournal(path, format).next()).rejects.toThrow(JournalError)
    expect(readFileSync(path, 'utf8')).toBe('{"format":"shoal-test","version":3}\n{"x":1')
  })

  it('refuses what is no journal, and leaves the file as it is', async () => {
    for (const text of ['hello', 'hello\n', '{"format":"other","version":1}\n', '\n', '{"version":1}\n']) {
      const path = fresh()
      writeFileSync(path, text)
      await expect(opened(path), text).rejects.toThrow(JournalError)
      expect(readFileSync(path, 'utf8')).toBe(text)
    }
  })

  it('writes what comes together at once, and in its order', async () => {
    const path = fresh()
    let writes = 0
    const disk: Disk = { ...systemDisk, write: (...to) => (writes++, systemDisk.write(...to)) }
    const { journal } = await opened(path, disk)
    writes = 0
    const all = Array.from({ length: 100 }, (_, i) => JSON.stringify({ i }))
    await Promise.all(all.map((line) => journal.append([line], { sync: true })))
    await journal[Symbol.asyncDispose]()
    expect(await linesIn(path)).toEqual(all)
    expect(writes).toBe(2)
  })

  it('has nothing of what a full disk took only a part of, and goes on when there is room', async () => {
    const path = await written()
    let room = 10
    const disk: Disk = {
      ...systemDisk,
      async write(file, bytes, position) {
        await systemDisk.write(file, bytes.subarray(0, room), position)
        if (bytes.length > room) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
      },
    }
    const { journal } = await opened(path, disk)
    const failed = journal.append(['{"long":"line of more than ten bytes"}'], { sync: true })
    await expect(failed).rejects.toThrow(StorageFullError)
    await expect(failed).rejects.toThrow(/39 bytes/)
    expect(await linesIn(path)).toEqual(lines)
    room = 1000
    await journal.append(['{"short":1}'], { sync: true })
    await journal[Symbol.asyncDispose]()
    expect(await linesIn(path)).toEqual([...lines, '{"short":1}'])
  })

  it('takes no line that is too long, and passes over one without keeping it', async () => {
    const path = await written()
    appendFileSync(path, `{"x":"${'y'.repeat(maxLineBytes)}"}\n{"after":1}\n`)
    const { journal, there } = await opened(path)
    await using _ = journal
    expect(there).toEqual([...lines, 'too long', '{"after":1}'])
    await expect(journal.append([`"${'y'.repeat(maxLineBytes)}"`], { sync: false })).rejects.toThrow(
      /are the most/,
    )
  })

  it('is closed once', async () => {
    const { journal } = await opened(fresh())
    await journal[Symbol.asyncDispose]()
    await journal[Symbol.asyncDispose]()
    await expect(journal.append(['{}'], { sync: false })).rejects.toThrow(/was closed/)
  })

  it('is read while it is written, up to the last line that has an end', async () => {
    const path = await written()
    appendFileSync(path, '{"not":"ye')
    const read: (string | undefined)[] = []
    for await (const { text } of readJournal(path, format)) read.push(text)
    expect(read).toEqual(lines)
  })
})
