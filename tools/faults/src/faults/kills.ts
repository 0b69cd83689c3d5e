// kill -9 at random moments: of workers, of parameter servers, of the chief. Whoever dies is started anew, as its operator would.
import type { Cluster } from '../cluster.ts'
import { randomNumbers } from '../random.ts'
import { type Fault, survive } from '../survive.ts'

/** Twenty kills in one training, five in the short form. */
export const kills: Fault = {
  name: 'kills',
  about: 'workers, parameter servers and the chief are killed at random moments',
  inShort: true,
  async run(scale) {
    const count = scale.short ? 5 : 20
    await survive({
      scale,
      steps: scale.short ? 400 : 1500,
      ps: scale.short ? 1 : 2,
      workers: scale.short ? 2 : 3,
      starts: 4 * count,
      deadlineMs: scale.short ? 120_000 : 300_000,
      strike: (cluster) => killSome(cluster, count, scale.seed),
      tells: [
        { what: 'that a parameter server was lost', by: /worker/, line: /lost its session .*ps/ },
        { what: 'from where training went on', by: /worker/, line: /restored the checkpoint of step/ },
      ],
    })
  },
}

/** Kills one after the other, at moments that chance chooses: some steps of whoever is at work after the one before, which may not be back yet. */
async function killSome(cluster: Cluster, count: number, seed: number): Promise<void> {
  const random = randomNumbers(seed)
  const { journal, options } = cluster
  const { steps } = options.training
  // Each role once, in an order that chance chooses, and then whoever; which one of its tasks, too.
  const chief = 'worker-0'
  const roles = [
    [chief],
    cluster.names.filter((name) => name.startsWith('ps')),
    cluster.names.filter((name) => name.startsWith('worker') && name !== chief),
  ]
  const order = roles
    .map((role) => ({ role, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ role }) => role)
  // By then there is a checkpoint to be restored.
  await journal.reached(15)
  for (let kill = 0; kill < count; kill++) {
    const role = order[kill] ?? roles[Math.floor(random() * roles.length)]!
    const victim = role[Math.floor(random() * role.length)]!
    const others = Math.ceil(random() * ((0.5 * steps) / count))
    const wanted = journal.total + others
    await journal.until(
      () => journal.total >= wanted,
      60_000,
      () => `${others} more steps`,
    )
    await journal.until(
      () => cluster.runs(victim),
      60_000,
      () => `${victim} to run`,
    )
    await new Promise((resolve) => setTimeout(resolve, 30 * random()))
    await cluster.kill(victim)
  }
}
