// What the system tells of a process: how much memory it has, and when it began, which tells it from another one with the same number.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const kibibyte = 1024

/** A line of `ps`; undefined where there is no such process. POSIX. */
async function told(pid: number, field: string): Promise<string | undefined> {
  try {
    return (await run('ps', ['-o', `${field}=`, '-p', String(pid)])).stdout.trim() || undefined
  } catch {
    return undefined
  }
}

async function ofProc(pid: number, file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}

/** The bytes of memory that a process has, those that are swapped out too where the system tells; undefined where there is no such process. */
export async function memoryOf(pid: number): Promise<number | undefined> {
  if (process.platform === 'linux') {
    const status = await ofProc(pid, 'status')
    if (!status?.includes('VmRSS')) return undefined
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
    return (field('VmRSS') + field('VmSwap')) * kibibyte
  }
  const resident = await told(pid, 'rss')
  return resident === undefined ? undefined : Number(resident) * kibibyte
}

/** When a process began, in words of the system that can only be compared; undefined where there is no such process. */
export async function beginningOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return told(pid, 'lstart')
  // proc(5): the 22nd field, counted behind the name, which may have spaces and brackets.
  const stat = await ofProc(pid, 'stat')
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie has ended.
  return fields?.[0] === 'Z' ? undefined : fields?.[19]
}

/** Has the system end this process first when the machine runs out of memory, where it can be told. */
export async function endFirst(pid: number): Promise<void> {
  if (process.platform === 'linux')
    await writeFile(`/proc/${pid}/oom_score_adj`, '1000').catch(() => undefined)
}
