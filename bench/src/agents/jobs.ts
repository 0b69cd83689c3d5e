// Jobs as agents run them, given and watched as the command does it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blobOf, bundleProgram, pushBlob, readDataset } from '@shoal/edge-agent/submit'
import type { JobEvent } from 'shoal/client'
import type { AgentProcess } from './process.ts'

const keepFor = 'bench'
const program = fileURLToPath(new URL('program.ts', import.meta.url))

/** Submits a job, and answers all that happened when it is over. @throws Error where it did not succeed. */
async function run(
  agent: AgentProcess,
  kind: 'train' | 'search',
  rest: object,
): Promise<readonly JobEvent[]> {
  const asked = await agent.agent()
  const blob = await blobOf(await bundleProgram(program))
  await pushBlob(blob, asked.connection, { keepFor })
  const tasks = { worker: { count: 3, need: { memoryBytes: 2 ** 28 } } }
  const request = { name: 'bench', kind, program: blob.hash, tasks, scheduling: 'elastic' as const }
  const job = await asked.submit({ ...request, ...rest })
  const events: JobEvent[] = []
  for (;;) {
    const answer = await asked.events(job, events.length, { waitMs: 5000 })
    events.push(...answer.events)
    if (answer.events.length > 0 || answer.state === 'running' || answer.state === 'queued') continue
    if (answer.state !== 'succeeded')
      throw new Error(`the job has ${answer.state}: ${JSON.stringify(events)}`)
    return events
  }
}

/** Trials of a search that compute nothing, per second: from the first that ended to the last, on three tasks. */
export async function trialsPerSecond(agent: AgentProcess, trials: number): Promise<number> {
  const events = await run(agent, 'search', { settings: { trials } })
  const ends = events.filter(({ kind }) => kind === 'trialEnded').map(({ at }) => at)
  if (ends.length !== trials) throw new Error(`${ends.length} trials ended of ${trials}`)
  return ((trials - 1) * 1000) / (Math.max(...ends) - Math.min(...ends))
}

/** What a dataset costs that three tasks read. */
export interface Moved {
  /** From whoever submits to the agent. */
  readonly sent: number
  /** Between the agents, all they say to each other included. */
  readonly between: number
}

/** Bytes that are moved for a dataset of so many bytes: when nobody has it, and when all have. */
export async function bytesMoved(agents: readonly AgentProcess[], bytes: number): Promise<readonly Moved[]> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-data-'))
  const [first] = agents
  try {
    // No two pieces of it are alike.
    const words = new Uint32Array(bytes / 4).map((_, i) => Math.imul(i, 2654435761))
    writeFileSync(join(folder, 'data.bin'), words)
    const moved: Moved[] = []
    for (let round = 0; round < 2; round++) {
      const before = await receivedBy(agents)
      const { connection } = await first!.agent()
      let sent = 0
      const put = async (shard: Uint8Array): Promise<string> => {
        const blob = await blobOf(shard)
        sent += await pushBlob(blob, connection, { keepFor })
        return blob.hash
      }
      await run(first!, 'train', { datasets: { data: await readDataset(folder, { put }) } })
      moved.push({ sent, between: (await receivedBy(agents)) - before })
    }
    return moved
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function receivedBy(agents: readonly AgentProcess[]): Promise<number> {
  const said = await Promise.all(agents.map(async (agent) => (await agent.agent()).status()))
  return said.reduce((sum, { traffic }) => sum + traffic.received, 0)
}
