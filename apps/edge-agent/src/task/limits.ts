// What a task may use besides the rights that it does not have: memory, disk and time, looked at from outside.
import type { Clock } from '@shoal/distributed/peers'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { memoryOf } from './processes.ts'

/** What a task may use. */
export interface TaskLimits {
  /** Of its whole process. */
  readonly memoryBytes: number
  /** Milliseconds from its start. */
  readonly timeMs: number
  /** Of all files in its work folder. Default 4 GiB. */
  readonly diskBytes?: number
}

/** What is watched. */
export interface Watched {
  readonly pid: number
  /** Where it writes. */
  readonly work: string
  readonly limits: TaskLimits
  readonly clock: Clock
  /** Told once, in words for people. */
  readonly exceeded: (message: string) => void
}

/** How often memory is looked at. */
const memoryMs = 500
/** The disk is looked at in every so many of these looks. */
const diskEvery = 4

/** Begins to watch a process. The answer ends that. */
export function watchLimits({ pid, work, limits, clock, exceeded }: Watched): () => void {
  const { memoryBytes, timeMs, diskBytes = 2 ** 32 } = limits
  let done = false
  let looks = 0
  let disarmLook = (): void => undefined
  const stop = (): void => {
    done = true
    disarmLook()
    disarmTime()
  }
  const exceed = (message: string): void => {
    if (done) return
    stop()
    exceeded(message)
  }
  const disarmTime = clock.after(timeMs, () => exceed(`it ran longer than ${timeMs / 1000} s`))

  const look = async (): Promise<void> => {
    const memory = (await memoryOf(pid)) ?? 0
    if (memory > memoryBytes) exceed(tooMuchMemory(memoryBytes, memory))
    if (++looks % diskEvery === 0) {
      const disk = await bytesIn(work, diskBytes)
      if (disk > diskBytes) exceed(`its files take more than ${mebibytes(diskBytes)}`)
    }
    if (!done) disarmLook = clock.after(memoryMs, () => void look())
  }
  disarmLook = clock.after(memoryMs, () => void look())
  return stop
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`

/** What is said of a task that took more memory than it may, `used` bytes where that is known. */
export const tooMuchMemory = (memoryBytes: number, used?: number): string =>
  `it took more memory than the ${mebibytes(memoryBytes)} that it asked for${used ? `: ${mebibytes(used)}` : ''}; ask for more, or use less`

/** The bytes of all files in a folder, counted until there are more than `most`. Files that take no room count for a block each. */
async function bytesIn(folder: string, most: number): Promise<number> {
  const block = 4096
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (bytes > most) break
    const path = join(folder, entry.name)
    bytes += block
    if (entry.isDirectory()) bytes += await bytesIn(path, most - bytes)
    else bytes += (await lstat(path).catch(() => undefined))?.size ?? 0
  }
  return bytes
}
