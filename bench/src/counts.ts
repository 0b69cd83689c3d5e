// What a work costs whatever the clock says: kernels, bytes and memory, held against what was accepted before.
import type { ProgramReport } from '@shoal/core'
import { inspectProgram, NDArray, Session } from '@shoal/core'
import { cpu, type Tuning } from '@shoal/kernels-cpu'
import { graphOf } from './contenders/shoalTasks.ts'
import type { Work } from './work.ts'
import { works } from './work.ts'

/** The costs of one run of a work on the cpu device, as `inspectProgram` finds them; bodies of loops count once. */
export interface Counts {
  /** Kernels that are launched. */
  readonly kernels: number
  /** Bytes of the tensors that they read and write, one kernel after the other. */
  readonly bytes: number
  /** Bytes of memory besides variables: slots that tensors share over time, constants and scratch. */
  readonly arena: number
}
/** Counts by the names of works. */
export type Book = { readonly [name: string]: Counts }

/** Large sizes cost what small ones do, many times over. */
const counted = (work: Work): boolean =>
  !(work.kind === 'matmul' && work.n > 512) && !('length' in work && work.length > 1e6)

/** Nothing was measured, and nothing will be: register blocks are chosen by estimates, so that counts do not change from run to run. */
const unmeasured: Tuning = { f32: [], 'f32 relaxed': [], f64: [], 'f64 relaxed': [] }

/** Counts one work. */
async function countsOf(work: Work): Promise<Counts> {
  const { run, feeds: hosts } = graphOf(work)
  await using session = new Session({
    devices: [cpu({ threads: 1, tuning: unmeasured })],
    fusion: work.kind !== 'adds',
  })
  await session.initialize(...run)
  const feeds = hosts.map(
    ([tensor, { data, shape }]) => [tensor, new NDArray(tensor.dtype, shape, data)] as const,
  )
  const [program] = await session.programs(run, feeds)
  const report = inspectProgram(program!)
  return { kernels: report.launches, bytes: report.bytes, arena: arenaOf(report) }
}

/** A program holds the memory of its bodies, too. */
const arenaOf = ({ memory: { slots, constants, scratch }, bodies }: ProgramReport): number =>
  slots + constants + scratch + bodies.reduce((sum, body) => sum + arenaOf(body), 0)

/** How much a count may grow unnoticed: the length of shaders changes with every word of their text, most others are exact. */
const slack: { readonly [what: string]: number } = { characters: 0.1 }

/** What grew from one book to the other, and which works only one of them has, one line each. */
export function growth<C extends { readonly [what in keyof C]: number }>(
  accepted: { readonly [name: string]: C },
  found: { readonly [name: string]: C },
): string[] {
  const gone = Object.keys(accepted).filter((name) => !found[name])
  const grown = Object.entries(found).flatMap(([name, counts]) => {
    const before = accepted[name]
    if (!before) return [`${name}: is new`]
    return (Object.keys(counts) as (keyof C & string)[])
      .filter((what) => counts[what] > before[what] * (1 + (slack[what] ?? 0)))
      .map((what) => `${name}: ${what} grew from ${String(before[what])} to ${String(counts[what])}`)
  })
  return [...grown, ...gone.map((name) => `${name}: is gone`)]
}

/** Counts all works, but the largest. */
export async function countAll(): Promise<Book> {
  const found: { [name: string]: Counts } = {}
  for (const work of works.filter(counted)) found[work.name] = await countsOf(work)
  return found
}
