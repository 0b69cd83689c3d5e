// A run of agents, `npm run bench -- agents`: how soon they are together, what they take while nothing happens, and how soon they notice what does.
import { asking } from '../asked.ts'
import { machine } from '../machine.ts'
import type { Results } from '../targets.ts'
import { writeSection } from '../report/page.ts'
import { digits, markdownTable, spread, targetTable } from '../report/tables.ts'
import { quartiles } from '../statistics.ts'
import { bytesMoved, trialsPerSecond } from './jobs.ts'
import { allAtOnceMs, idleUse, missedMs, newsMs, togetherMs } from './measures.ts'
import type { AgentProcess } from './process.ts'
import { type AgentResults, agentTargets } from './targets.ts'
import { withVillage } from './village.ts'

/** Milliseconds from one look of an agent at its machine to the next: a change may be that old before its own node shows it. */
const lookMs = 1000
const mebibyte = 2 ** 20

/** How much is done. */
interface Effort {
  readonly rounds: number
  readonly idleSeconds: number
  readonly trials: number
  readonly datasetBytes: number
  readonly most: number
}

const effort: Effort = { rounds: 5, idleSeconds: 20, trials: 200, datasetBytes: 2 ** 25, most: 20 }
const littleEffort: Effort = { rounds: 1, idleSeconds: 1, trials: 10, datasetBytes: 2 ** 20, most: 3 }

/** Villages by name: how many agents, and what is measured of them. */
const villages: Readonly<
  Record<
    string,
    readonly [number, (agents: readonly AgentProcess[], effort: Effort) => Promise<AgentResults>]
  >
> = {
  three: [3, three],
  eight: [8, eight],
  twenty: [20, twenty],
}

/**
 * Measures what is asked for by the beginnings of names of villages. Without names it measures everything, and writes its part of the page.
 * @param small tries the harness with few agents, and writes nothing
 * @throws Error for beginnings that no village has
 */
export async function measureAgents(names: readonly string[], small: boolean): Promise<void> {
  const asked = asking(names, Object.keys(villages))
  const much = small ? littleEffort : effort
  let agents: AgentResults = {}
  for (const [name, [count, measured]] of Object.entries(villages)) {
    if (!asked(name)) continue
    const found = await withVillage(Math.min(count, much.most), (all) => measured(all, much))
    agents = { ...agents, ...found }
    console.log(`${sampleTable(found).join('\n')}\n`)
  }
  const results: Results = { comparisons: [], quantities: [], agents }
  const targets = agentTargets.filter(({ read }) => read(results).length > 0)
  const lines = [machine(), '', ...targetTable(targets, results), '', ...sampleTable(agents)]
  console.log(lines.join('\n'))
  if (names.length === 0 && !small) writeSection('bench agents', lines)
}

async function three(agents: readonly AgentProcess[], much: Effort): Promise<AgentResults> {
  const { together, starts } = await togetherMs(agents, much.rounds)
  // Whoever has just begun measures its machine and its links.
  await idleUse(agents, much.idleSeconds / 2)
  const idle = await idleUse(agents, much.idleSeconds)
  const trials = [await trialsPerSecond(agents[0]!, much.trials)]
  const [first, second] = await bytesMoved(agents, much.datasetBytes)
  return {
    start: starts,
    'together-3': together,
    'at-once-3': [await allAtOnceMs(agents)],
    resident: idle.map(({ residentBytes }) => residentBytes / mebibyte),
    idle: idle.map(({ core }) => core * 100),
    trials,
    'sent-first': [first!.sent / mebibyte],
    'between-first': [first!.between / mebibyte],
    sent: [second!.sent],
    'between-second': [second!.between / mebibyte],
  }
}

async function eight(agents: readonly AgentProcess[], much: Effort): Promise<AgentResults> {
  const others = agents.slice(0, -1)
  // Who comes has links measured to all others: each of them changes.
  const news = await newsMs(others, () => togetherMs(agents, much.rounds))
  const missed = async (how: 'SIGKILL' | 'SIGSTOP'): Promise<readonly number[]> => {
    const found: number[] = []
    for (let round = 0; round < much.rounds; round++) found.push(await missedMs(agents, how))
    return found
  }
  return {
    news: news.map((ms) => ms + lookMs),
    killed: await missed('SIGKILL'),
    stopped: await missed('SIGSTOP'),
  }
}

async function twenty(agents: readonly AgentProcess[], much: Effort): Promise<AgentResults> {
  const { together } = await togetherMs(agents, much.rounds)
  const idle = await idleUse(agents, much.idleSeconds)
  return {
    'together-20': together,
    'resident-20': idle.map(({ residentBytes }) => residentBytes / mebibyte),
    'idle-20': idle.map(({ core }) => core * 100),
    'at-once-20': [await allAtOnceMs(agents)],
  }
}

/** What each name stands for, with its unit. */
const titles: Readonly<Record<string, string>> = {
  start: 'from the start of an agent until it listens, ms',
  'together-3': 'from the start of the last of 3 until all trust each other, ms',
  'together-20': 'from the start of the last of 20 until all trust each other, ms',
  'at-once-3': 'from the start of all 3 at once until all trust each other, ms',
  'at-once-20': 'from the start of all 20 at once until all trust each other, ms',
  resident: 'resident, each of 3, MiB',
  idle: 'processor time while nothing happens, each of 3, % of a core',
  'resident-20': 'resident, each of 20, MiB',
  'idle-20': 'processor time while nothing happens, each of 20, % of a core',
  trials: 'empty trials of a search on 3 agents, per second',
  'sent-first': 'a dataset of 32 MiB that nobody has: to the agent, MiB',
  'between-first': 'the same: between the agents, three of which read it, MiB',
  sent: 'a dataset that all have: to the agent, bytes',
  'between-second': 'the same: between the agents, all that they say included, MiB',
  news: 'from a change of one of 8 until another one knows, looks included, ms',
  killed: 'from the death of one of 8 until all know, ms',
  stopped: 'the same where it stands still with its connections open, ms',
}

const sampleTable = (results: AgentResults): string[] =>
  markdownTable(
    ['what', 'median (quartiles)', 'worst', 'samples'],
    Object.entries(results).flatMap(([name, samples]) =>
      samples.length === 0
        ? []
        : [
            [
              titles[name] ?? name,
              spread(quartiles(samples)),
              digits(name === 'trials' ? Math.min(...samples) : Math.max(...samples)),
              `${samples.length}`,
            ],
          ],
    ),
  )
