// Agents of one cluster, each a process, and how long it takes until what they do is seen by all.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { AgentProcess } from './process.ts'

const patienceMs = 120_000
/** Each look is work for the agents. */
const lookEveryMs = 50

/** Waits until it is so, and answers the milliseconds since `from`. @throws Error that says what did not come to be. */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  from: number = performance.now(),
): Promise<number> {
  const end = performance.now() + patienceMs
  let cause: unknown
  for (;;) {
    try {
      if (await isSo()) return performance.now() - from
    } catch (error) {
      // An agent on a machine with too much to do may not answer in time.
      cause = error
    }
    if (performance.now() > end)
      throw new Error(`${what} did not come to be within ${patienceMs} ms`, { cause })
    await pause(lookEveryMs)
  }
}

/** Does everybody trust everybody? */
export async function isTogether(agents: readonly AgentProcess[]): Promise<boolean> {
  for (const agent of agents) if ((await agent.trusted()) !== agents.length - 1) return false
  return true
}

/** Starts agents, has them join the first, runs what is to be done with them, and ends them all. */
export async function withVillage<T>(
  count: number,
  work: (agents: readonly AgentProcess[]) => Promise<T>,
): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'shoal-village-'))
  const agents = Array.from(
    { length: count },
    (_, i) => new AgentProcess(`bench-${i + 1}`, join(root, `${i + 1}`)),
  )
  try {
    const [first, ...others] = agents
    await first!.start()
    for (const other of others) {
      await other.start()
      await other.join(first!)
    }
    await until('a village that trusts each other', () => isTogether(agents))
    return await work(agents)
  } finally {
    await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()))
    rmSync(root, { recursive: true, force: true })
  }
}
