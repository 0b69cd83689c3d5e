// How nodes become a cluster: they see each other by multicast, one invites, the others join, and in the end each trusts all.
import { setTimeout as pause } from 'node:timers/promises'
import type { NodeView } from 'shoal/client'
import type { Node } from './node.ts'
import type { Story } from './story.ts'

/** Milliseconds between two looks at what a node knows. */
const lookMs = 100
/** Milliseconds in which the slowest machine has found and trusted all. */
const patienceMs = 60_000

interface Means {
  readonly story: Story
  readonly signal: AbortSignal
}

/** Brings the nodes together in the cluster of the first. @throws Error naming who was not found or trusted in time, and why. */
export async function meet(nodes: readonly Node[], { story, signal }: Means): Promise<void> {
  const [first, ...others] = nodes as readonly [Node, ...Node[]]
  const ids = await Promise.all(nodes.map(async ({ listening }) => (await listening).nodeId))
  await untilAllKnow(nodes, ids, ['seen', 'reachable', 'trusted'], signal)
  story.line(`by multicast, each of ${nodes.map(({ name }) => name).join(', ')} has found the others`)
  for (const node of others) {
    const { code } = await first.ask((agent) => agent.invite('manager', 10), signal)
    story.line(`${first.name}$ shoal invite      good once, for ten minutes`)
    story.line(`${node.name}$ shoal join ${code}`)
    await node.ask((agent) => agent.join(code), signal)
  }
  const joinedAt = performance.now()
  await untilAllKnow(nodes, ids, ['trusted'], signal)
  story.line(
    `each trusts all others, ${Math.round(performance.now() - joinedAt)} ms after the last has joined`,
  )
}

async function untilAllKnow(
  nodes: readonly Node[],
  ids: readonly string[],
  states: readonly NodeView['state'][],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    nodes.map(async (node, i) => {
      const wanted = ids.toSpliced(i, 1)
      const deadline = performance.now() + patienceMs
      for (;;) {
        const missing = await lacking(node, wanted, states, signal)
        if (missing.length === 0) return
        if (performance.now() > deadline)
          throw new Error(`after ${patienceMs / 1000} s ${node.name} waits for ${missing.join(', ')}`)
        await pause(lookMs, undefined, { signal })
      }
    }),
  )
}

/** Who is not yet in one of these states, with the reason where there is one. */
async function lacking(
  node: Node,
  wanted: readonly string[],
  states: readonly NodeView['state'][],
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const { nodes } = await node.ask((agent) => agent.nodes(), signal)
    const found = new Map(nodes.map((view) => [view.nodeId, view]))
    return wanted.flatMap((id) => {
      const { state, problem = '' } = found.get(id) ?? {}
      if (state !== undefined && states.includes(state)) return []
      return [`${id} (${state ?? 'not seen'}${problem && `: ${problem}`})`]
    })
  } catch (error) {
    signal.throwIfAborted()
    // While an agent becomes a node of another cluster, it answers nobody for a moment.
    return [`an answer: ${(error as Error).message}`]
  }
}
