// A run in simulation, `npm run bench -- scaling`: every strategy with every number of workers over every link. It comes out the same on any machine.
import { asking } from '../asked.ts'
import { writeSection } from '../report/page.ts'
import { digits, targetTable } from '../report/tables.ts'
import { chartName, writeScalingChart } from './chart.ts'
import { predictedMs } from './predictions.ts'
import type { Link, Setting, Strategy } from './setting.ts'
import { links, strategies } from './setting.ts'
import { type Outcome, study } from './study.ts'
import { bucketTable, curves, efficiencyTable, wholeTable } from './tables.ts'
import { scalingTargets } from './targets.ts'

/** A setting, and what came of it. */
export interface Studied {
  readonly setting: Setting
  readonly outcome: Outcome
}

/** All that a run in simulation has found. */
export interface ScalingResults {
  /** Every strategy over every link with every number of workers. */
  readonly grid: readonly Studied[]
  /** With the whole model, by strategy and link, for one number of workers. */
  readonly whole: readonly Studied[]
  /** Some of the same with a fraction of the model. */
  readonly scaled: readonly Studied[]
  /** With the whole model, by the size of buckets. */
  readonly buckets: readonly Studied[]
}

/** What is studied, and with which part of the model. */
interface Extent {
  readonly counts: readonly number[]
  /** Of strategies whose studies take many steps. */
  readonly longScale: number
  /** Of all others. */
  readonly scale: number
  /** To show what scaling does. */
  readonly comparedScale: number
  readonly comparedCount: number
  readonly bucketKiB: readonly number[]
}
const large: Extent = {
  counts: [1, 2, 4, 8, 16, 32, 64],
  longScale: 4,
  scale: 1,
  comparedScale: 4,
  comparedCount: 8,
  bucketKiB: [4096, 1024, 512, 256, 128],
}
const little: Extent = {
  counts: [1, 2],
  longScale: 16,
  scale: 16,
  comparedScale: 16,
  comparedCount: 2,
  bucketKiB: [4096, 512],
}

const linkNames = Object.keys(links) as Link[]
const strategyNames = Object.keys(strategies) as Strategy[]

/** Those that make many steps in a study: local ones, and those of replicas that go on alone. */
const long: ReadonlySet<Strategy> = new Set(['local-sgd', 'ps-async'])

/** The settings of a run, by what they are for. */
type Plan = { readonly [part in keyof ScalingResults]: readonly Setting[] }

/** What there is to study. */
export function planned(names: readonly string[], small: boolean): Plan {
  const asked = asking(names, strategyNames)
  const { counts, longScale, scale, comparedScale, comparedCount, bucketKiB } = small ? little : large
  const wanted = strategyNames.filter(asked)
  const overAll = (workers: number): Setting[] =>
    linkNames.flatMap((link) =>
      wanted.map((strategy) => ({ strategy, bytesPerSecond: links[link], workers, scale: 1 })),
    )
  const fast = links['1 Gb/s']
  return {
    grid: counts.flatMap((workers) =>
      overAll(workers).map((each) => ({ ...each, scale: long.has(each.strategy) ? longScale : scale })),
    ),
    whole: overAll(comparedCount),
    scaled: overAll(comparedCount)
      .filter(({ bytesPerSecond }) => bytesPerSecond === fast)
      .map((each) => ({ ...each, scale: comparedScale })),
    buckets: wanted
      .filter((strategy) => strategy === 'ring-16bit')
      .flatMap((strategy) =>
        bucketKiB.map((KiB) => ({
          strategy,
          bytesPerSecond: fast,
          workers: comparedCount,
          scale: 1,
          bucketBytes: 1024 * KiB,
        })),
      ),
  }
}

/**
 * Studies what is asked for by the beginnings of names of strategies; everything, and writes its part of the page, without names.
 * @param small tries the harness with few workers, and writes nothing
 * @throws Error for beginnings that no strategy has
 */
export async function measureScaling(names: readonly string[], small: boolean): Promise<void> {
  const { grid, whole, scaled, buckets } = planned(names, small)
  const scaling: ScalingResults = {
    grid: await studyAll(grid),
    whole: await studyAll(whole),
    scaled: await studyAll(scaled),
    buckets: await studyAll(buckets),
  }
  report(scaling, names.length === 0 && !small)
}

/** Prints what was found, and writes it into the page where it is everything. */
export function report(scaling: ScalingResults, complete: boolean): void {
  const results = { comparisons: [], quantities: [], scaling }
  const targets = scalingTargets.filter(({ read }) => complete || read(results).length > 0)
  const lines = [
    '### Targets, simulated',
    '',
    ...targetTable(targets, results),
    '',
    ...linkNames.flatMap((link) => [
      ...efficiencyTable(scaling.grid, link),
      ...(complete ? [`![Efficiency over ${link}](charts/${chartName(link)}.svg)`, ''] : []),
    ]),
    ...wholeTable(scaling.whole, scaling.scaled),
    ...(scaling.buckets.length > 0 ? bucketTable(scaling.buckets) : []),
  ]
  console.log(lines.join('\n'))
  if (!complete) return
  writeSection('bench scaling', lines)
  for (const link of linkNames) writeScalingChart(link, curves(scaling.grid, link))
}

/** One after the other, each printed as it comes. */
async function studyAll(settings: readonly Setting[]): Promise<readonly Studied[]> {
  const studied: Studied[] = []
  for (const setting of settings) {
    const outcome = await study(setting)
    studied.push({ setting, outcome })
    const { strategy, workers, bytesPerSecond, scale } = setting
    const about = `${strategy}, ${workers} workers, ${digits(bytesPerSecond / 1e6)} MB/s, scale ${scale}`
    console.log(
      `${about}: ${digits(outcome.stepMs)} ms, ${digits(predictedMs(setting))} predicted, efficiency ${digits(outcome.efficiency)}`,
    )
  }
  return studied
}
