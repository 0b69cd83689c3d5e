// The time of day leaps by hours, forth and back, on every machine of a cluster; time that passes does not.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fault, survive } from '../survive.ts'

const hourMs = 3_600_000
const shifting = new URL('../shiftedClock.ts', import.meta.url).href

/** Six hours on, six hours back, and a parameter server that dies in between. */
export const clock: Fault = {
  name: 'clock',
  about: 'the time of day leaps by six hours, forth and back, while a parameter server dies',
  inShort: false,
  async run(scale) {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-clock-'))
    await using stack = new AsyncDisposableStack()
    stack.defer(() => rm(folder, { recursive: true }))
    const file = join(folder, 'offset')
    const leap = (hours: number): Promise<void> => writeFile(file, String(hours * hourMs))
    await leap(0)
    await survive({
      scale,
      steps: scale.short ? 300 : 600,
      surroundings: () => ({
        env: { NODE_OPTIONS: `--import=${shifting}`, SHOAL_CLOCK_OFFSET: file },
      }),
      // A certificate knows the time of day, and nothing else: whoever expects such leaps gives it room.
      validity: { from: new Date(Date.now() - 12 * hourMs), forMs: 24 * hourMs },
      async strike(cluster) {
        const { journal } = cluster
        for (const hours of [6, -6]) {
          journal.note(`the time of day leaps to ${hours} h from now`)
          await leap(hours)
          await journal.more('worker-0', 20)
          await journal.more('worker-1', 20)
        }
        const missed = journal.find(/worker|ps/, /is gone|lost its session/)
        if (missed) throw new Error(`no time has passed, but ${missed.name} said: ${missed.line}`)
        await cluster.kill('ps-0')
        await journal.heard('worker-0', /restored the checkpoint of step/)
        await journal.more('worker-1', 5)
        await leap(0)
      },
      tells: [
        {
          what: 'that only the killed one was missed',
          by: 'worker-0',
          line: /ps\/task:0 is gone: nobody listens/,
        },
      ],
    })
  },
}
