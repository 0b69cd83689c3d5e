// What a work costs whatever the clock says: kernels, bytes and memory, held against what was accepted before.
import { NDArray, Session } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { readFileSync, writeFileSync } from 'node:fs'
import { graphOf } from './contenders/shoalTasks.ts'
import { metered } from './quantities/meter.ts'
import type { Work } from './work.ts'
import { works } from './work.ts'

/** The costs of one run of a work on the cpu device. */
export interface Counts {
  /** Kernels that are launched. */
  readonly kernels: number
  /** Bytes of the buffers that they read and write, one kernel after the other. */
  readonly bytes: number
  /** Bytes that the device holds at most once variables have their values: variables, slots and scratch memory. */
  readonly arena: number
}
/** Counts by the names of works. */
export type Book = { readonly [name: string]: Counts }

const file = new URL('../counts.json', import.meta.url)

/** Large sizes cost what small ones do, many times over. */
const counted = (work: Work): boolean =>
  !(work.kind === 'matmul' && work.n > 512) && !('length' in work && work.length > 1e6)

/** Counts one work. Nothing in it depends on the machine: it is not measured which register blocks are fast. */
async function countsOf(work: Work): Promise<Counts> {
  const { device, peakBytes, begin, launched } = metered(cpu({ threads: 1, tuning: {} }))
  const { run, feeds: hosts } = graphOf(work)
  await using session = new Session({ devices: [device], fusion: work.kind !== 'adds' })
  await session.initialize(...run)
  begin()
  const feeds = hosts.map(
    ([tensor, { data, shape }]) => [tensor, new NDArray(tensor.dtype, shape, data)] as const,
  )
  await session.run(run, feeds)
  const before = launched()
  await session.run(run, feeds)
  const after = launched()
  return {
    kernels: after.kernels - before.kernels,
    bytes: after.bytes - before.bytes,
    arena: peakBytes(),
  }
}

/** What grew from one book to the other, one line each. */
export function growth(accepted: Book, found: Book): string[] {
  return Object.entries(found).flatMap(([name, counts]) => {
    const before = accepted[name]
    if (!before) return [`${name}: is new`]
    return (['kernels', 'bytes', 'arena'] as const)
      .filter((what) => counts[what] > before[what])
      .map((what) => `${name}: ${what} grew from ${before[what]} to ${counts[what]}`)
  })
}

/** Counts all works, but the largest. */
export async function countAll(): Promise<Book> {
  const found: { [name: string]: Counts } = {}
  for (const work of works.filter(counted)) found[work.name] = await countsOf(work)
  return found
}

/**
 * Counts all works and compares them with bench/counts.json, or writes it.
 * @returns what grew; empty when nothing did, or when it was accepted
 */
export async function checkCounts(accept: boolean): Promise<string[]> {
  const found = await countAll()
  if (accept) {
    writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`)
    return []
  }
  const accepted = JSON.parse(readFileSync(file, 'utf8')) as Book
  const fewer = growth(found, accepted).filter((line) => !line.endsWith('is new'))
  if (fewer.length > 0)
    console.log(`Better than accepted, ${fewer.length} times; keep it with --short --accept`)
  return growth(accepted, found)
}
