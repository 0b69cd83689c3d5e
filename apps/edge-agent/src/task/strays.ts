// Processes of tasks that have outlived their agent: each folder of a task says which process it belongs to, so that the next agent can end them.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { beginningOf } from './processes.ts'

const file = 'process.json'
const recordSchema = z.object({ pid: z.int().min(2), began: z.string() })

/** Writes down which process a folder belongs to. */
export async function recordProcess(folder: string, pid: number): Promise<void> {
  const began = await beginningOf(pid)
  if (began !== undefined)
    await writeFile(join(folder, file), JSON.stringify({ pid, began }), { mode: 0o600 })
}

/** Ends what earlier agents have left in a folder of folders of tasks, and removes those. Answers how many processes it has ended. */
export async function endStrays(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  const ended = await Promise.all(names.map((name) => endStray(join(folder, name))))
  return ended.filter(Boolean).length
}

async function endStray(folder: string): Promise<boolean> {
  const pid = await strayOf(folder)
  if (pid !== undefined) endProcess(pid)
  await rm(folder, { recursive: true, force: true })
  return pid !== undefined
}

async function strayOf(folder: string): Promise<number | undefined> {
  try {
    const { pid, began } = recordSchema.parse(JSON.parse(await readFile(join(folder, file), 'utf8')))
    return (await beginningOf(pid)) === began ? pid : undefined
  } catch {
    // No such file, or one that was torn: its process had not begun.
    return undefined
  }
}

/** Ends a process at once, if it is there. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself meanwhile.
  }
}
