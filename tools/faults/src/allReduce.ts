// A member of a group of equals: each computes gradients, all average them, and each makes the same step. Who comes back is told where the others are.
import { Session } from '@shoal/core'
import { allReduceGradients, connectMesh, type Group, Membership, Mesh, ServerDef } from '@shoal/distributed'
import { ThreadedTransport } from '@shoal/distributed/node'
import { openDevice } from '@shoal/example-parts'
import { allVariables, lossGradients } from '@shoal/train'
import { Checkpoints } from '@shoal/train/node'
import { digitsOf } from './digits.ts'
import { classifier, optimizer } from './model.ts'
import { paced } from './paced.ts'
import { marksOf, type News, type TaskOptions } from './protocol.ts'

/** Milliseconds in which all have done what the others wait for. */
const deadlineMs = 20_000

/** Trains until all steps are done. The member of the first rank keeps checkpoints; in the end every one writes what it has. */
export async function trainMember(options: TaskOptions, tell: (news: News) => void): Promise<void> {
  const { steps, seed, saveEverySteps, folder, task, credentials, start } = options
  const log = (line: string): void => tell({ kind: 'log', line })
  const { cluster } = new ServerDef(options)
  const tasks = cluster.tasksOf('worker')
  const idOf = (number: number): string => `worker-${number}`
  const kept = new Checkpoints(folder, { log })
  // Who comes back when all is done finds nobody.
  if (((await kept.latest()) ?? 0) >= steps) return
  // The first processes form the group; one that is started anew joins it.
  const founding = start < tasks.length
  const others = tasks.filter((other) => other < task)
  await using transport = new ThreadedTransport({ credentials, log })
  const mesh = new Mesh(idOf(task))
  const listener = await connectMesh(mesh, cluster.addressOf('worker', task), transport, {
    others: others.map((other) => [idOf(other), cluster.addressOf('worker', other)] as const),
    deadlineMs,
    wait: founding,
  })
  tell({ kind: 'serves' })
  const membership = new Membership(mesh, { log })
  const { objective, loss, globalStep } = classifier({ marks: marksOf(options), by: 'step' })
  const averaged = allReduceGradients(() => membership.group!, lossGradients(objective), { deadlineMs })
  const step = optimizer().apply(averaged, { globalStep })
  const variables = allVariables(step, loss)
  await using session = new Session({ devices: [await openDevice('cpu', 1)], seed })
  await session.initialize(...variables)
  const welcome = async (group: Group): Promise<void> => {
    const state = await group.broadcast('state', await session.run(variables), { deadlineMs })
    await Promise.all(state.map((value, i) => session.write(variables[i]!, value)))
    log(`has the state of step ${(await session.run(globalStep)).number()}`)
  }
  if (founding) await membership.form(tasks.map(idOf), { deadlineMs })
  else await membership.join({ deadlineMs })

  const digits = await digitsOf(options)
  const own = digits.train.shard(tasks.length, task).repeat()[Symbol.asyncIterator]()
  let done = -1
  while (done < steps) {
    const { value: digit } = await own.next()
    await paced(options, () =>
      membership.step(() => session.run(step, { ...digit }), { deadlineMs, welcome }),
    )
    done = (await session.run(globalStep)).number()
    tell({ kind: 'step', step: done })
    if (done % saveEverySteps === 0 && membership.group?.rank === 0)
      await kept.save(session, variables, { step: done })
  }
  if (membership.group?.rank === 0) await kept.save(session, variables, { step: done })
  await new Checkpoints(`${folder}/${idOf(task)}`).save(session, variables, { step: done })
  // Nobody leaves before all have what they need of it.
  await membership.step((group) => group.barrier('end', { deadlineMs }), { deadlineMs, welcome })
  await listener.close()
}
