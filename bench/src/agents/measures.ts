// What is measured of agents, each with the clock and the system's counters alone.
import { setTimeout as pause } from 'node:timers/promises'
import type { NodeView } from 'shoal/client'
import type { AgentProcess } from './process.ts'
import { isTogether, until } from './village.ts'

/** Milliseconds from the start of the last agent until all trust each other: the others have been together before. */
export async function togetherMs(agents: readonly AgentProcess[], rounds: number) {
  const last = agents.at(-1)!
  const others = agents.slice(0, -1)
  const together: number[] = []
  const starts: number[] = []
  for (let round = 0; round < rounds; round++) {
    await last.end()
    await until('an agent that is missed', async () => {
      const counts = await Promise.all(others.map((agent) => agent.trusted()))
      return counts.every((count) => count === others.length - 1)
    })
    const from = performance.now()
    starts.push(await last.start())
    together.push(await until('all together', () => isTogether(agents), from))
  }
  return { together, starts }
}

/** Milliseconds from the start of all agents at once until all trust each other. */
export async function allAtOnceMs(agents: readonly AgentProcess[]): Promise<number> {
  await Promise.all(agents.map((agent) => agent.end()))
  const from = performance.now()
  await Promise.all(agents.map((agent) => agent.start()))
  return until('all together', () => isTogether(agents), from)
}

/** Of every agent: its bytes after so many seconds in which nothing happens, and the part of a core that it took. */
export async function idleUse(agents: readonly AgentProcess[], seconds: number) {
  for (const agent of agents) await agent.hangUp()
  const before = agents.map((agent) => agent.usage())
  await pause(seconds * 1000)
  return agents.map((agent, i) => {
    const { residentBytes, processorMs } = agent.usage()
    return { residentBytes, core: (processorMs - before[i]!.processorMs) / (seconds * 1000) }
  })
}

/**
 * Milliseconds from the moment at which a node itself shows what has changed of it to that at which another one does, of every change and pair that was
 * seen while something is done that changes nodes.
 */
export async function newsMs(
  agents: readonly AgentProcess[],
  stir: () => Promise<unknown>,
): Promise<readonly number[]> {
  /** When a node's own view of itself was first seen so, and when another one's view of it. */
  const shown = new Map<string, number>()
  const heard = new Map<string, number>()
  const of = ({ nodeId, inventory }: NodeView): string => `${nodeId} ${JSON.stringify(inventory)}`
  let over = false
  const stirred = stir().finally(() => (over = true))
  for (let round = 0; !over; round++) {
    const views = await Promise.all(agents.map((agent) => agent.nodes()))
    // What was there when this began is of an unknown age.
    const now = round === 0 ? NaN : performance.now()
    for (const [observer, nodes] of views.entries())
      for (const node of nodes) {
        const [times, key] = node.state === 'self' ? [shown, of(node)] : [heard, `${observer} ${of(node)}`]
        if (!times.has(key)) times.set(key, now)
      }
    await pause(20)
  }
  await stirred
  return [...heard].flatMap(([key, at]) => {
    const ms = at - (shown.get(key.slice(key.indexOf(' ') + 1)) ?? NaN)
    return Number.isNaN(ms) ? [] : [ms]
  })
}

/** Milliseconds until no other agent trusts one that was killed, or that stands still: it says nothing, but its connections stay. */
export async function missedMs(agents: readonly AgentProcess[], how: 'SIGKILL' | 'SIGSTOP'): Promise<number> {
  const gone = agents.at(-1)!
  const others = agents.slice(0, -1)
  const name = (await gone.nodes())[0]!.nodeId
  const from = performance.now()
  gone.signal(how)
  const ms = await until(
    'an agent that is missed',
    async () => {
      const all = await Promise.all(others.map((agent) => agent.nodes()))
      return all.every((nodes) => nodes.every(({ nodeId, state }) => nodeId !== name || state !== 'trusted'))
    },
    from,
  )
  await gone.end('SIGKILL')
  await gone.start()
  await until('all together again', () => isTogether(agents))
  return ms
}
