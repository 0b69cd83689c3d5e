// Files of the local disk for readers and writers; the one part of this package that needs Node.
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { DataError } from './errors.ts'
import type { ByteFile } from './source.ts'

/** A file to read, as often as wanted. Reading throws DataError with its name when it cannot be opened or read. */
export function file(path: string | URL): ByteFile {
  const name = typeof path === 'string' ? path : fileURLToPath(path)
  return { name, open: () => chunks(name) }
}

async function* chunks(name: string): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = createReadStream(name, { highWaterMark: 2 ** 18 })
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
  } catch (cause) {
    throw new DataError(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      file: name,
      cause,
    })
  } finally {
    stream.destroy()
  }
}

/**
 * Writes a file so that it is there whole or not at all: under another name first, flushed to the disk, then renamed.
 * Takes what the writers give: bytes, text, or chunks of either.
 */
export async function writeFile(
  path: string | URL,
  data: Uint8Array | string | Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
): Promise<void> {
  const name = typeof path === 'string' ? path : fileURLToPath(path)
  const draft = `${name}.${randomBytes(6).toString('hex')}.part`
  try {
    const handle = await open(draft, 'wx')
    try {
      const parts = typeof data === 'string' || data instanceof Uint8Array ? [data] : data
      for await (const part of parts) await handle.writeFile(part)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, name)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
