// A run between processes, `npm run bench -- distributed`: everybody with two processes of his own, and a turn in each round.
import { ClusterAuthority, type NodeCredentials } from '@shoal/distributed/node'
import { asking } from '../asked.ts'
import { machine } from '../machine.ts'
import { writeSection } from '../report/page.ts'
import { targetTable } from '../report/tables.ts'
import type { Carrier, Link } from './carrier.ts'
import { carriers } from './carriers/all.ts'
import { wireChart, writeWireChart } from './chart.ts'
import { countWire } from './counts.ts'
import type { TransferMemory } from './memory.ts'
import { Pair } from './pair.ts'
import { countRing, type RingCounts } from './ring.ts'
import { inTurn, type Patience, type Spent } from './rounds.ts'
import { callTable, memoryTable, ringTable, transferTables } from './tables.ts'
import { wireTargets } from './targets.ts'
import { links, smallWireWorks, type WireWork, wireWorks } from './works.ts'

/** What was measured of one work: samples by who took part. */
export interface Transfer {
  readonly work: WireWork
  readonly samples: ReadonlyMap<string, readonly Spent[]>
}

/** All that a run between processes has measured. */
export interface WireResults {
  readonly transfers: readonly Transfer[]
  readonly memory: readonly TransferMemory[]
  readonly rings: readonly RingCounts[]
}

const patience: Patience = { rounds: 9, sampleMs: 120, warmUpMs: 1_200 }
const littlePatience: Patience = { rounds: 2, sampleMs: 5, warmUpMs: 20 }
/** What is asked for by this name: the memory of each carrier, and the bytes of a ring. */
const [memoryName, ringName] = ['memory', 'ring']
/** Members of a ring, and the float32 values that they sum. */
const [ringMembers, ringLength] = [4, 2 ** 20]

/**
 * Measures what is asked for by the beginnings of names. Without names it measures everything, and writes its part of the page.
 * @param small tries the harness with small sizes, and writes nothing
 * @throws Error for beginnings that no work has
 */
export async function measureWire(names: readonly string[], small: boolean): Promise<void> {
  const works = small ? smallWireWorks : wireWorks
  const asked = asking(names, [...works.map(({ name }) => name), memoryName, ringName])
  const authority = await ClusterAuthority.create()
  const credentials = await authority.issue({ node: 'bench' })
  const transfers: Transfer[] = []
  const memory: TransferMemory[] = []
  for (const link of links) {
    const own = works.filter((work) => work.link === link && asked(work.name))
    const withMemory = asked(memoryName) && link !== 'threads'
    const pairs = await pairsOf(link, own, withMemory, credentials)
    // What the works leave behind would hide it.
    for (const { pair, carrier } of withMemory ? pairs.values() : [])
      if (carrier) memory.push({ carrier, ...(await pair.memory()) })
    for (const work of own) {
      const able = [...pairs].filter(([name]) => takesPart(name, work))
      const samplers = new Map(able.map(([name, { pair }]) => [name, pair.sampler(work)]))
      const transfer = { work, samples: await inTurn(samplers, small ? littlePatience : patience) }
      transfers.push(transfer)
      console.log(`${transferTables([transfer]).join('\n')}`)
    }
    await Promise.all([...pairs.values()].map(({ pair }) => pair.close()))
  }
  const complete = names.length === 0 && !small
  const rings = asked(ringName) ? [await countRing(authority, ringMembers, ringLength)] : []
  const wire = { transfers, memory, rings }
  const results = { comparisons: [], quantities: [], wire }
  const targets = wireTargets.filter(({ read }) => complete || read(results).length > 0)
  const versions = [...new Set(carriers.map(({ version }) => version))].join(', ')
  const lines = [
    `${machine()} ${versions}.`,
    '',
    '### Targets',
    '',
    ...targetTable(targets, results),
    '',
    ...(complete ? [`![What is fetched from another process](charts/${wireChart}.svg)`, ''] : []),
    ...transferTables(transfers),
    ...(memory.length > 0 ? memoryTable(memory) : []),
    ...(rings.length > 0 ? ringTable(rings) : []),
    ...callTable(await countWire()),
  ]
  console.log(lines.join('\n'))
  if (!complete) return
  writeSection('bench distributed', lines)
  writeWireChart(transfers)
}

/** A whole session on a cluster, instead of calls. */
const sessionName = 'shoal, session'

const isSessionWork = ({ kind }: WireWork): boolean => ['nullStep', 'dense', 'rows'].includes(kind)
const takesPart = (name: string, work: WireWork): boolean =>
  name === sessionName ? isSessionWork(work) : work.kind !== 'rows'

/** Somebody who takes part. Sessions have no carrier. */
interface Party {
  readonly pair: Pair
  readonly carrier: Carrier | undefined
}

/** Everybody who is needed for works of one link, by name. */
async function pairsOf(
  link: Link,
  works: readonly WireWork[],
  withMemory: boolean,
  credentials: NodeCredentials,
): Promise<ReadonlyMap<string, Party>> {
  const parties: Promise<readonly [string, Party]>[] = []
  if (withMemory || works.some(({ kind }) => kind !== 'rows'))
    for (const carrier of carriers.filter((each) => each.link === link))
      parties.push(Pair.of(carrier, credentials).then((pair) => [carrier.name, { pair, carrier }]))
  if (link !== 'threads' && works.some(isSessionWork))
    parties.push(Pair.ofTasks(link, credentials).then((pair) => [sessionName, { pair, carrier: undefined }]))
  return new Map(await Promise.all(parties))
}
