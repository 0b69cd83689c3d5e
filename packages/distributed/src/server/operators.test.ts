// Clusters as operators start them: processes that know nothing but TF_CONFIG and their certificates, and end with a code.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ClusterAuthority } from '../security/authority.ts'
import { freeAddresses } from '../testing/freeAddresses.ts'
import type { OperatedOptions } from './testing/operated.ts'
import { OperatedProcess } from './testing/operatedProcess.ts'

const processes = new AsyncDisposableStack()
afterAll(() => processes.disposeAsync())

/** Starts programs of one cluster. */
async function operator(given: Partial<OperatedOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'operators-'))
  processes.defer(() => rm(folder, { recursive: true }))
  const authority = await ClusterAuthority.create()
  /** @param role what the certificate is for. */
  const start = async (config: unknown, role: string): Promise<OperatedProcess> => {
    const credentials = await authority.issue({ node: `${role}-node`, role })
    const options = { credentials, folder, steps: 150, startDeadlineMs: 60_000, ...given }
    return processes.use(new OperatedProcess(config, options))
  }
  return { start }
}

/** The two weights and the bias that it has learned, in whatever order. */
async function learned(one: OperatedProcess): Promise<number[]> {
  const line = await one.line(/^learned /)
  return (JSON.parse(line.slice('learned '.length)) as unknown[]).flat(2).map(Number)
}

/** y = 3 x₀ - 2 x₁ + 1 is what there is to learn. */
function expectLearned(values: readonly number[]): void {
  for (const wanted of [3, -2, 1])
    expect(values).toContainEqual(expect.toSatisfy((value: number) => Math.abs(value - wanted) < 0.05))
}

describe('TF_CONFIG', { timeout: 180_000 }, () => {
  it('as TFJob writes it: a chief, a parameter server, a worker, and an evaluator beside the cluster', async () => {
    const { start } = await operator()
    const [chief, ps, worker] = await freeAddresses(3)
    const cluster = { chief: [chief], ps: [ps], worker: [worker] }
    const task = (type: string) => start({ cluster, task: { type, index: 0 }, environment: 'cloud' }, type)
    const [one, server, other, judge] = await Promise.all(['chief', 'ps', 'worker', 'evaluator'].map(task))
    expect(await one!.ended).toBe(0)
    expect(await other!.ended).toBe(0)
    await one!.line(/^\/job:chief\/task:0: ready at step 0, as chief$/)
    await other!.line(/^\/job:worker\/task:0: ready at step \d+$/)
    expectLearned(await learned(one!))
    expect(await judge!.ended).toBe(0)
    expect(Number(/loss (\S+)$/.exec(judge!.lines.at(-1)!)![1])).toBeLessThan(1e-3)
    // A parameter server ends when it is asked to, as the operator does in the end.
    server!.kill('SIGTERM')
    expect(await server!.ended).toBe(143)
    expect(server!.lines.at(-1)).toBe('ends: TerminatedError: the process was asked to end by SIGTERM')
  })

  it('as TFJob writes it for workers that come and go', async () => {
    const { start } = await operator({ steps: 1e9 })
    const [ps, worker0, worker3] = await freeAddresses(3)
    const worker = (index: number, address: string) => {
      const sparseCluster = { worker: { [index]: address }, ps: [ps] }
      return start({ sparseCluster, task: { type: 'worker', index } }, 'worker')
    }
    await start({ sparseCluster: { worker: {}, ps: [ps] }, task: { type: 'ps', index: 0 } }, 'ps')
    const third = await worker(3, worker3!)
    // It knows of no chief, and waits until somebody has been one.
    await third.line(/waiting for the chief, which this task does not know of/)
    const first = await worker(0, worker0!)
    await third.line(/^has done 1 steps/)
    third.kill('SIGTERM')
    expect(await third.ended).toBe(143)
    await first.line(/^has done 201 steps/)
    first.kill('SIGTERM')
    expect(await first.ended).toBe(143)
    expectLearned(await learned(first))
  })

  it('with a master and indices as text; when the parameter server dies, the code asks for another start', async () => {
    const { start } = await operator({ steps: 1e9, startDeadlineMs: 300 })
    const [master, ps] = await freeAddresses(2)
    const cluster = { master: [master], ps: [ps] }
    const server = await start({ cluster, task: { type: 'ps', index: '0' } }, 'ps')
    await server.line(/^serves as \/job:ps\/task:0/)
    const one = await start({ cluster, task: { type: 'master', index: '0', trial: '7' } }, 'master')
    await one.line(/^has done 1 steps/)
    server.kill('SIGKILL')
    expect(await server.ended).toBe('SIGKILL')
    expect(await one.ended).toBe(138)
    expect(one.lines.at(-1)).toMatch(
      new RegExp(`^ends: UnavailableError: .*/job:ps/task:0 at ${ps} could not be reached within 300 ms`),
    )
  })

  it('that is missing: a process alone', async () => {
    const { start } = await operator()
    const alone = await start(undefined, 'worker')
    expect(await alone.ended).toBe(0)
    expect(alone.lines).toContain('serves as /job:localhost/task:0')
    expectLearned(await learned(alone))
  })
})

describe('the exit code', { timeout: 180_000 }, () => {
  it('asks for none where TF_CONFIG or the certificate is wrong', async () => {
    const { start } = await operator()
    const [worker] = await freeAddresses(1)
    const cluster = { worker: [worker] }
    const [config, certificate] = await Promise.all([
      start({ cluster, task: { type: 'worker', index: 1 } }, 'worker'),
      start({ cluster, task: { type: 'worker', index: 0 } }, 'ps'),
    ])
    expect(await config.ended).toBe(1)
    expect(config.lines).toEqual([
      'ends: ClusterError: TF_CONFIG.task: there is no /job:worker/task:1 in the cluster: it has worker (0)',
    ])
    expect(await certificate.ended).toBe(1)
    expect(certificate.lines).toEqual([
      "ends: SecurityError: ps 'ps-node' may not be /job:worker/task:0: its certificate is for job 'ps'",
    ])
  })
})
