// Clients that vanish in the middle of a step, and masters that ask twice for the same step.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { constant, ndarray, type NDArray, Session, toGraphDef, variable } from '@shoal/core'
import { connectMaster } from '@shoal/distributed'
import { SocketTransport } from '@shoal/distributed/node'
import { expectThat } from '@shoal/example-parts'
import type { Cluster } from '../cluster.ts'
import { mailbox } from '../mailbox.ts'
import { type Fault, survive } from '../survive.ts'

/** A client is killed while it waits in a queue; who comes next gets what it waited for. */
export const vanishingClient: Fault = {
  name: 'vanishingClient',
  about: 'a client vanishes while a step of its own waits on a parameter server',
  inShort: false,
  run: (scale) => survive({ scale, steps: scale.short ? 300 : 600, strike: vanish }),
}

async function vanish({ authority, addresses, journal }: Cluster): Promise<void> {
  const address = addresses.get('ps-0')!
  const issue = (node: string) => authority.issue({ node, role: 'client' })
  const child = fork(
    fileURLToPath(new URL('../client.ts', import.meta.url)),
    [JSON.stringify({ address, credentials: await issue('first') })],
    { execArgv: ['--conditions=@shoal/source'] },
  )
  await once(child, 'message', { signal: AbortSignal.timeout(30_000) })
  journal.note('a client waits on ps-0, and is killed')
  // Its request is on the way when it says so.
  await setTimeout(500)
  child.kill('SIGKILL')
  await once(child, 'exit')

  const transport = new SocketTransport({ credentials: await issue('second') })
  const target = await connectMaster(transport, address, { deviceFilters: ['/job:ps'] })
  await using session = new Session({ target })
  const { put, take } = mailbox()
  await session.run(put)
  const taken = await session.run(take, {}, { signal: AbortSignal.timeout(10_000) })
  expectThat(
    'what the client waited for is still there',
    taken.item() === 7,
    `${String(taken.item())} was taken`,
  )
}

/** The same step is asked for twice, as a retry would. */
export const repeatedStep: Fault = {
  name: 'repeatedStep',
  about: 'a master asks twice for the same step',
  inShort: false,
  run: (scale) => survive({ scale, steps: scale.short ? 300 : 600, strike: repeat }),
}

async function repeat({ authority, addresses, journal }: Cluster): Promise<void> {
  const transport = new SocketTransport({
    credentials: await authority.issue({ node: 'master', role: 'client' }),
  })
  const connection = await transport.connect(addresses.get('ps-0')!, { deadlineMs: 10_000 })
  const session = 'of a master that repeats itself'
  const ask = (method: string, says: object, tensors: readonly NDArray[] = []) =>
    connection.call(
      `worker.${method}`,
      { head: new TextEncoder().encode(JSON.stringify({ session, ...says })), tensors },
      { deadlineMs: 10_000 },
    )
  const count = variable(constant(0, 'int32'), { name: 'asked', trainable: false })
  const graph = { fetches: [count.assignAdd(1)], targets: [] }
  const def = new TextEncoder().encode(JSON.stringify(toGraphDef(graph, { initialValues: false })))
  await ask('open', { isolated: true, cluster: { ps: [addresses.get('ps-0')!] } })
  const device = '/job:ps/task:0/device:cpu:0'
  const { dtype, shape } = count.resource.type
  await ask('write', { variable: { name: 'asked', type: { dtype, shape } }, device }, [
    ndarray(0, 'int32', []),
  ])
  const parts = [{ device: 0, feeds: [], fetches: [0] }]
  await ask('register', { graph: 0, parts, fetchCount: 1, fusion: true }, [ndarray(def)])
  const run = async (step: number): Promise<unknown> =>
    (await ask('run', { graph: 0, step, seed: 1, trace: false })).tensors[0]!.item()
  const first = await run(7)
  journal.note('step 7 of a master is asked for again')
  const refusal = await run(7).then(
    (value) => `it was done again: ${String(value)}`,
    (error: Error) => error.message,
  )
  expectThat('the repeated step is refused', refusal.includes('it is not run twice'), refusal)
  const next = await run(8)
  expectThat(
    'it was done once',
    first === 1 && next === 2,
    `${String(first)}, and ${String(next)} after the next step`,
  )
  await connection.close()
}
