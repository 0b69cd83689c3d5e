// The same kills and stops, in arrangements that wait for each other: synchronous replicas, and equals that average their gradients.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expectThat } from '@shoal/example-parts'
import { Checkpoints } from '@shoal/train/node'
import type { Cluster } from '../cluster.ts'
import { type Fault, type Scale, survive } from '../survive.ts'

/** Synchronous replicas, two of three of which make a step. */
export const synchronous: Fault = {
  name: 'synchronous',
  about:
    'a replica of three, a parameter server and the chief die while steps are made together; one is stopped',
  inShort: false,
  run: (scale) =>
    survive({
      scale,
      arrangement: 'synchronous',
      steps: scale.short ? 800 : 1200,
      workers: 3,
      deadlineMs: 120_000,
      async strike(cluster) {
        // By then there is a checkpoint to be restored.
        await cluster.journal.reached(15)
        await strikeInTurn(cluster, ['ps-0', 'worker-0'])
        await leaveOneAlone(cluster)
      },
      tells: [
        {
          what: 'that steps take fewer gradients',
          by: /worker/,
          line: /1 of 3 replicas are living: .* 1 grad/,
        },
        { what: 'that they take more again', by: /worker/, line: /[23] of 3 replicas are living: .* 2 grad/ },
        { what: 'from where training went on', by: /worker/, line: /restored the checkpoint of step/ },
      ],
    }),
}

/** Three equals. */
export const allReduce: Fault = {
  name: 'allReduce',
  about: 'members of a group that averages gradients die, the first of them too; one is stopped',
  inShort: false,
  run: (scale: Scale) =>
    survive({
      scale,
      arrangement: 'allReduce',
      steps: scale.short ? 700 : 1200,
      ps: 0,
      workers: 3,
      deadlineMs: 120_000,
      strike: (cluster) => strikeInTurn(cluster, ['worker-2', 'worker-0', 'worker-1']),
      judge: expectSameWeights,
      tells: [
        {
          what: 'who is left',
          by: /worker/,
          line: /is in generation \d+ from exchange \d+ on: worker-\d, worker-\d$/,
        },
        { what: 'who has come back', by: /worker/, line: /is in generation .*; new: worker/ },
        { what: 'what it was told', by: /worker/, line: /has the state of step/ },
      ],
    }),
}

/** Kills one after the other, each when the one before is at work again, and stops the last worker for longer than the others wait. */
async function strikeInTurn(cluster: Cluster, victims: readonly string[]): Promise<void> {
  const { journal } = cluster
  for (const victim of victims) {
    await cluster.kill(victim)
    const some = victim.startsWith('worker') ? victim : 'worker-1'
    await journal.more(some, 10)
  }
  const name = 'worker-2'
  journal.note(`${name} is stopped at step ${journal.step}`)
  cluster.process(name).kill('SIGSTOP')
  await journal.more('worker-1', 40)
  journal.note(`${name} is continued`)
  cluster.process(name).kill('SIGCONT')
  await journal.more(name, 5)
}

/** Two of three workers are dead at once: the one that is left goes on without them. */
async function leaveOneAlone(cluster: Cluster): Promise<void> {
  const { journal } = cluster
  const dead = ['worker-1', 'worker-2']
  for (const name of dead) await cluster.kill(name, { hold: true })
  await journal.heard('worker-0', /1 of 3 replicas are living/)
  await journal.more('worker-0', 20)
  for (const name of dead) cluster.start(name)
  for (const name of dead) await journal.more(name, 5)
}

/** Equals have the same weights, whatever became of them on the way. */
async function expectSameWeights({ folder, names, options }: Cluster): Promise<void> {
  const files = await Promise.all(
    names.map(async (name) => {
      const own = join(folder, name)
      return readFile(join(own, `checkpoint-${(await new Checkpoints(own).latest())!}.safetensors`))
    }),
  )
  const same = files.every((file) => file.equals(files[0]!))
  expectThat(
    'all have the same weights, bit by bit',
    same,
    `${files.length} members after ${options.training.steps} steps`,
  )
}
