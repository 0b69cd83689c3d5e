// The book of counts that were accepted, bench/counts.json: what grows against it is a fault until somebody accepts it.
import { readFileSync, writeFileSync } from 'node:fs'
import { offerSoftwareGpu } from '@shoal/platforms/softwareGpu'
import type { Book } from './counts.ts'
import { countAll, growth } from './counts.ts'
import { countWire, type WireBook } from './distributed/counts.ts'
import { gpuCountTable } from './report/tables.ts'
import { meets } from './targets.ts'
import { findAdapter } from './webgpu/adapter.ts'
import type { GpuBook } from './webgpu/counts.ts'
import { countGpu } from './webgpu/counts.ts'
import { gpuCountTargets } from './webgpu/targets.ts'

/** The file: kernels depend on what an adapter can do, so that counts hold for the adapter they were made on. */
interface Accepted {
  readonly cpu: Book
  readonly webgpu: { readonly adapter: string; readonly works: GpuBook }
  /** Bytes of calls between processes. */
  readonly wire: WireBook
}

const file = new URL('../counts.json', import.meta.url)

/**
 * Counts all works and compares them with bench/counts.json, or writes it. Works on webgpu are left out where there is no adapter, or another one than that
 * of the book.
 * @returns what grew, unless it was accepted, and which targets of counts are missed
 */
export async function checkCounts(accept: boolean): Promise<string[]> {
  const accepted = JSON.parse(readFileSync(file, 'utf8')) as Accepted
  const found: Accepted = {
    cpu: await countAll(),
    webgpu: (await countedGpu(accepted.webgpu.adapter)) ?? accepted.webgpu,
    wire: await countWire(),
  }
  const missed = missedTargets(found.webgpu.works)
  if (accept) {
    writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`)
    return missed
  }
  const fewer = grown(found, accepted).filter((line) => !/is (new|gone)$/.test(line))
  if (fewer.length > 0)
    console.log(`Better than accepted, ${fewer.length} times; keep it with --short --accept`)
  return [...grown(accepted, found), ...missed]
}

const grown = (from: Accepted, to: Accepted): string[] => [
  ...growth(from.cpu, to.cpu),
  ...growth(from.webgpu.works, to.webgpu.works).map((line) => `webgpu, ${line}`),
  ...growth(from.wire, to.wire).map((line) => `wire, ${line}`),
]

/** Counts on the adapter of the book, which is one in software, so that everybody has it. */
async function countedGpu(name: string): Promise<Accepted['webgpu'] | undefined> {
  offerSoftwareGpu()
  const adapter = await findAdapter()
  if (!adapter) return undefined
  const works = await countGpu()
  console.log(`webgpu on ${adapter.name}:\n\n${gpuCountTable(works).join('\n')}\n`)
  if (adapter.name === name) return { adapter: name, works }
  console.log(`These are not compared: the accepted ones are those of ${name}.`)
  return undefined
}

function missedTargets(gpuCounts: GpuBook): string[] {
  const results = { comparisons: [], quantities: [], gpuCounts }
  return gpuCountTargets.flatMap(({ says, bound, read }) =>
    read(results)
      .filter(({ value }) => !meets(bound, value))
      .map(({ of, value }) => `webgpu, ${of}: ${says}: ${value}, which misses the target`),
  )
}
