// Which process somebody was, in a way that holds when its number is given to another one.
import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** A process, now or once. */
export const systemProcessSchema = z.object({
  pid: z.int().positive(),
  /** Tells it from others with its number, on Linux: the start of the machine, and that of the process in ticks since then. Elsewhere empty. */
  began: z.string(),
})
/** A process, now or once. */
export type SystemProcess = z.infer<typeof systemProcessSchema>

/** The process that asks. */
export const thisProcess = (): SystemProcess => ({ pid: process.pid, began: beganAt(process.pid) })

/** Is that process running? Where the system does not tell when processes began, any with its number counts as it. */
export function isRunning({ pid, began }: SystemProcess): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Not permitted to send it a signal: it is there, and somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return began === '' || began === beganAt(pid)
}

function beganAt(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is a name in parentheses, which may have blanks in it; the start is the 22nd field: proc_pid_stat(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return `${boot} ${fields[19] ?? ''}`
  } catch {
    return ''
  }
}
