import { mkdtemp, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Checkpoints, readCheckpoint } from '@shoal/train/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConnectionLostError } from '../errors.ts'
import { ClusterAuthority } from '../security/authority.ts'
import { freeAddresses } from '../testing/freeAddresses.ts'
import { SocketTransport } from '../transport/socket.ts'
import { TaskProcess } from './testing/taskProcess.ts'

let folder = ''
let started: TaskProcess[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'survival-'))
})
afterEach(async () => {
  started.forEach((task) => task.kill('SIGKILL'))
  await Promise.all(started.map((task) => task.ended))
  started = []
  await rm(folder, { recursive: true })
})

/** A cluster of one parameter server and two workers, none of which is started yet. */
async function clusterOf() {
  const [ps, ...worker] = await freeAddresses(3)
  const cluster = { ps: [ps!], worker }
  const authority = await ClusterAuthority.create()
  const launch = async (job: string, task: number): Promise<TaskProcess> => {
    const credentials = await authority.issue({ node: `${job}-${task}`, role: job })
    const process = new TaskProcess({ cluster, job, task, credentials, folder, saveEverySteps: 10 })
    started.push(process)
    return process
  }
  /** A connection to a worker, which ends when the worker is not heard any more. */
  const attend = async (task: number) => {
    const transport = new SocketTransport({ credentials: await authority.issue({ node: 'test' }) })
    return transport.connect(worker[task]!, { deadlineMs: 10_000 })
  }
  return { launch, attend }
}

const savedSteps = async (): Promise<number[]> =>
  (await new Checkpoints(folder).list()).map((entry) => entry.step)

describe('training in processes under TLS', { timeout: 90_000 }, () => {
  it('survives the death of a worker, of the parameter server and of the chief, and a chief that comes back', async () => {
    const { launch, attend } = await clusterOf()
    const first = await launch('worker', 0)
    let [ps, second] = await Promise.all([launch('ps', 0), launch('worker', 1)])
    await Promise.all([first.heard(/ready at step 0, as chief/), second.heard(/ready at step 0$/)])

    // A worker dies in the middle of its steps: the other goes on, and a new one finds the variables as they are.
    second.order({ kind: 'steps', count: 10_000 })
    await second.nextStep()
    second.kill('SIGKILL')
    expect(await second.ended).toBe('SIGKILL')
    const { step } = await first.steps(30)
    second = await launch('worker', 1)
    await second.heard(new RegExp(`ready at step ${step}$`))
    await first.steps(10)
    expect(first.lines.filter((line) => line.includes('worker-1'))).toEqual([])

    // The parameter server dies while both are at work. The newest checkpoint is damaged: the one before it is whole.
    const working = [first.steps(60), second.steps(60)]
    await first.nextStep()
    ps.kill('SIGKILL')
    await Promise.all([first.heard(/lost its session at step \d+, .*ps-0/), second.heard(/lost its session/)])
    const steps = await savedSteps()
    await truncate(join(folder, `checkpoint-${steps.at(-1)}.safetensors`), 100)
    ps = await launch('ps', 0)
    await first.heard(new RegExp(`restored the checkpoint of step ${steps.at(-2)}: `))
    await Promise.all(working)
    expect(first.lines).toContainEqual(expect.stringContaining('is passed over: truncated'))

    // The chief is stopped until all have given it up. The next one saves in its place; when it comes back it sees that.
    const attention = await attend(0)
    first.kill('SIGSTOP')
    second.order({ kind: 'dead', tasks: ['worker-0'] })
    await second.steps(12)
    await second.heard(/task:1 is chief, by lease 2/)
    expect(await attention.closed).toBeInstanceOf(ConnectionLostError)
    const newest = await savedSteps()
    first.kill('SIGCONT')
    await first.steps(4)
    await first.heard(/another task is chief: .* the newest is 2, of \/job:worker\/task:1/)
    expect(await savedSteps()).toEqual(newest)
    second.order({ kind: 'dead', tasks: [] })
    await first.steps(12)
    await first.heard(/task:0 is chief, by lease 3/)

    // The chief dies.
    first.kill('SIGKILL')
    second.order({ kind: 'dead', tasks: ['worker-0'] })
    const end = await second.steps(60)
    await second.heard(/task:1 is chief, by lease 4/)
    expect(end.loss).toBeLessThan(1e-3)
    second.order({ kind: 'stop' })
    expect(await second.ended).toBe(0)
    ps.kill('SIGTERM')
    expect(await ps.ended).toBe(0)

    expect((await savedSteps()).at(-1)).toBe(end.step)
    const { tensors } = await readCheckpoint(join(folder, `checkpoint-${end.step}.safetensors`))
    const [w0, w1, b] = ['w', 'b'].flatMap((name) => [...tensors.get(name)!.data].map(Number))
    expect([w0! - 3, w1! + 2, b! - 1].every((error) => Math.abs(error) < 0.05)).toBe(true)
    expect(Number(tensors.get('globalStep')!.item())).toBe(end.step)
  })
})
