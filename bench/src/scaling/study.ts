// One study: the machines of a setting train together for some steps of simulated time; the answer is how fast, and what was sent.
import { Scenario, uniformNodes } from '@shoal/distributed'
import { joinEquals } from './equals.ts'
import { Beginning } from './model.ts'
import { predictedMs } from './predictions.ts'
import type { Replica } from './replica.ts'
import { joinServers, serverNames } from './servers.ts'
import type { Setting } from './setting.ts'
import { bucketBytesFor, computeMs, latencyMs, localSteps, serversFor } from './setting.ts'

/** What came of a study. */
export interface Outcome {
  /** Milliseconds of a step; where replicas go on alone, the time in which as many steps are made as there are replicas. */
  readonly stepMs: number
  /** What one machine alone takes, by that. */
  readonly efficiency: number
  /** Bytes that a worker sends in a step, before scaling. */
  readonly sentBytes: number
  /** Bytes that it receives. */
  readonly receivedBytes: number
}

/** Streams of a machine take turns after so many bytes, before scaling. */
const segmentBytes = 16_384

/** Steps until all is as it will be, and steps that count after those. */
const steps = { warmUp: 1, counted: 1 }
/** Those who go on alone begin one after the other, and need some steps to find their rhythm. */
const aloneSteps = { warmUp: 4, counted: 8 }

/** What a replica did: when each of its steps had ended, and what it had sent and received by then. */
interface Mark {
  readonly at: number
  readonly sent: number
  readonly received: number
}

/** Lets the machines of a setting train. @param trace takes what happened. */
export async function study(setting: Setting): Promise<Outcome> {
  const { strategy, workers, scale, bucketBytes = bucketBytesFor(workers) } = setting
  const bytesPerSecond = setting.bytesPerSecond / scale
  const node = { bytesPerSecond, latencyMs: latencyMs / 2 }
  const names = uniformNodes('w', workers).map(({ name }) => name)
  const withServers = strategy === 'ps-sync' || strategy === 'ps-async'
  const servers = withServers ? serverNames(serversFor(workers)) : []
  const scenario = new Scenario({
    nodes: [...servers, ...names].map((name) => ({ ...node, name })),
    segmentBytes: segmentBytes / scale,
    // Signs of life would be most of what happens.
    frames: { aliveMs: 60_000 },
    trace: false,
  })
  const beginning = new Beginning(scale)
  const wire = strategy === 'ring-16bit' || strategy === 'local-sgd' ? ({ wire: 'bfloat16' } as const) : {}
  const exchange = strategy === 'local-sgd' ? 'variables' : 'gradients'
  const joined = withServers
    ? joinServers(scenario, names, servers, beginning, strategy === 'ps-sync')
    : joinEquals(scenario, names, beginning, {
        exchange,
        bucketBytes: bucketBytes / scale,
        bytesPerSecond,
        ...wire,
      })
  const { warmUp, counted } = strategy === 'ps-async' ? aloneSteps : steps
  const run = async ({ name, step }: Replica): Promise<readonly Mark[]> => {
    const { traffic } = scenario.node(name)
    const marks: Mark[] = []
    if (strategy === 'ps-async') {
      const waitMs = (predictedMs(setting) * names.indexOf(name)) / workers
      await new Promise<void>((resolve) => scenario.clock.after(waitMs, resolve))
    }
    for (let i = 0; i < warmUp + counted; i++) {
      await step()
      marks.push({ at: scenario.clock.now(), ...traffic })
    }
    return marks
  }
  const replicas = await scenario.settle(joined)
  const marks = await scenario.settle(Promise.all(replicas.map(run)))
  const perRound = strategy === 'local-sgd' ? localSteps : 1
  const stepMs = stepTime(marks, warmUp) / perRound
  const perStep = (what: 'sent' | 'received'): number => {
    const all = marks.map((own) => own.at(-1)![what] - own[warmUp - 1]![what])
    return (scale * all.reduce((sum, bytes) => sum + bytes, 0)) / (workers * counted * perRound)
  }
  return {
    stepMs,
    efficiency: computeMs / stepMs,
    sentBytes: perStep('sent'),
    receivedBytes: perStep('received'),
  }
}

/** The mean time of a step, from when all have warmed up until the first one has ended. */
function stepTime(marks: readonly (readonly Mark[])[], warmUp: number): number {
  const from = Math.max(...marks.map((own) => own[warmUp - 1]!.at))
  const until = Math.min(...marks.map((own) => own.at(-1)!.at))
  const made = marks.reduce((sum, own) => sum + stepsBy(own, until) - stepsBy(own, from), 0)
  return ((until - from) * marks.length) / made
}

/** How many steps a replica had made at a moment; a part of one counts as such. */
function stepsBy(marks: readonly Mark[], moment: number): number {
  const next = marks.findIndex(({ at }) => at > moment)
  if (next < 0) return marks.length
  const [from, to] = [marks[next - 1]?.at ?? 0, marks[next]!.at]
  return next + (moment - from) / (to - from)
}
