// Signs of life of the tasks of a job, as a server wants them: the agents know who is alive, and say so.
import { formatDeviceName } from '@shoal/core'
import type { StartAttention } from '@shoal/distributed'
import type { TaskPort } from './taskPort.ts'

/** Attends the other tasks by what the agent says of them. One of which nothing was said yet may be about to start, and is not missed. */
export const attentionOf =
  (port: TaskPort): StartAttention =>
  async ({ changed }) => {
    let living: ReadonlySet<string> | undefined
    let isClosed = false
    const tell = (task: string, state: 'joined' | 'dead', reason: string): void =>
      changed({ task: deviceNameOf(task), state, reason, incarnation: '', silentMs: 0 })
    port.onLiving((tasks) => {
      if (isClosed) return
      const now = new Set(tasks)
      const before = living ?? new Set<string>()
      living = now
      for (const task of before.difference(now)) tell(task, 'dead', 'its agent says so')
      for (const task of now.difference(before)) tell(task, 'joined', 'its agent says so')
    })
    return {
      // Nobody asks this task for signs of life: port 0 stands for none.
      address: 'agent:0',
      follow: () => {},
      close: async () => {
        isClosed = true
      },
    }
  }

function deviceNameOf(name: string): string {
  const [job = '', index] = name.split(':')
  return formatDeviceName({ job, task: Number(index) })
}
