// Processes that are stopped for longer than anybody waits, and then go on as if nothing had been.
import type { Cluster } from '../cluster.ts'
import { type Fault, survive } from '../survive.ts'

/** Milliseconds after which a peer that says nothing is dead, and some more. */
const longMs = 4000

/** A worker, the chief and a parameter server, one after the other; only a worker in the short form. */
export const stops: Fault = {
  name: 'stops',
  about: 'processes are stopped for longer than others wait for them, and continued',
  inShort: true,
  async run(scale) {
    await survive({
      scale,
      steps: scale.short ? 350 : 1200,
      async strike(cluster) {
        await stop(cluster, 'worker-1')
        if (scale.short) return
        await stop(cluster, 'worker-0')
        await stop(cluster, 'ps-0')
      },
      tells: [
        {
          what: 'that the worker that was stopped lost its session',
          by: 'worker-1',
          line: /lost its session/,
        },
        { what: 'where it has gone on', by: 'worker-1', line: /ready at step [1-9]/ },
      ],
    })
  },
}

/** Stops a task, looks that all others that can go on do so, and waits until it trains again. */
async function stop(cluster: Cluster, name: string): Promise<void> {
  const { journal } = cluster
  journal.note(`${name} is stopped at step ${journal.step}`)
  const from = journal.entries.length
  cluster.process(name).kill('SIGSTOP')
  const other = name === 'worker-0' ? 'worker-1' : 'worker-0'
  await new Promise((resolve) => setTimeout(resolve, longMs))
  if (name.startsWith('worker')) await journal.more(other, 10)
  journal.note(`${name} is continued`)
  cluster.process(name).kill('SIGCONT')
  const lost = name.startsWith('worker') ? name : 'worker-0'
  await journal.heard(lost, /lost its session/, { from })
  await journal.heard(lost, /ready at step/, { from })
  await journal.more(lost, 5)
}
