// A run between processes, `npm run bench -- distributed`: one far process for all rounds, then two new ones for the memory of each carrier.
import { ClusterAuthority, type NodeCredentials } from '@shoal/distributed/node'
import { asking } from '../asked.ts'
import { machine } from '../machine.ts'
import { writeSection } from '../report/page.ts'
import { targetTable } from '../report/tables.ts'
import { type Caller, type Carrier, sourceBytes, targetBytes } from './carrier.ts'
import { carriers } from './carriers/all.ts'
import { wireChart, writeWireChart } from './chart.ts'
import { countWire } from './counts.ts'
import { FarEnd } from './farEnd.ts'
import { transferMemory, type TransferMemory } from './memory.ts'
import { inTurn, type Patience, type Spent } from './rounds.ts'
import { ClusterSession, freeAddresses } from './sessions.ts'
import { callTable, memoryTable, transferTables } from './tables.ts'
import { wireTargets } from './targets.ts'
import { smallWireWorks, type WireWork, wireWorks } from './works.ts'

/** What was measured of one work: samples by who took part. */
export interface Transfer {
  readonly work: WireWork
  readonly samples: ReadonlyMap<string, readonly Spent[]>
}

/** All that a run between processes has measured. */
export interface WireResults {
  readonly transfers: readonly Transfer[]
  readonly memory: readonly TransferMemory[]
}

const patience: Patience = { rounds: 9, sampleMs: 120, warmUpMs: 1_000 }
const littlePatience: Patience = { rounds: 2, sampleMs: 5, warmUpMs: 20 }
/** Parameter servers, all in one process. */
const tasks = 16
/** What is asked for by this name: the memory of each carrier. */
const memoryName = 'memory'

/**
 * Measures what is asked for by the beginnings of names. Without names it measures everything, and writes its part of the page.
 * @param small tries the harness with small sizes, and writes nothing
 * @throws Error for beginnings that no work has
 */
export async function measureWire(names: readonly string[], small: boolean): Promise<void> {
  const works = small ? smallWireWorks : wireWorks
  const asked = asking(names, [...works.map(({ name }) => name), memoryName])
  const authority = await ClusterAuthority.create()
  const credentials = await authority.issue({ node: 'bench' })
  const addresses = await freeAddresses(tasks + 1)
  const ends = new Ends(await FarEnd.start(carriers, addresses, credentials), addresses, credentials)
  const transfers: Transfer[] = []
  for (const work of works.filter(({ name }) => asked(name))) {
    const transfer = await ends.measure(work, small ? littlePatience : patience)
    transfers.push(transfer)
    console.log(`${transferTables([transfer]).join('\n')}`)
  }
  await ends.close()
  const memory: TransferMemory[] = []
  for (const carrier of asked(memoryName) ? carriers : [])
    if (carrier.serve) memory.push(await transferMemory(carrier, credentials))
  const complete = names.length === 0
  const wire = { transfers, memory }
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
    ...callTable(await countWire()),
  ]
  console.log(lines.join('\n'))
  if (!complete || small) return
  writeSection('bench distributed', lines)
  writeWireChart(transfers)
}

/** This process and the far one, with everything between them. */
class Ends {
  readonly #far: FarEnd
  readonly #addresses: readonly string[]
  readonly #credentials: NodeCredentials
  #session: ClusterSession | undefined

  constructor(far: FarEnd, addresses: readonly string[], credentials: NodeCredentials) {
    this.#far = far
    this.#addresses = addresses
    this.#credentials = credentials
    sourceBytes(1)
    targetBytes(1)
  }

  /** Everybody who can do the work does it in turn. */
  async measure(work: WireWork, patient: Patience): Promise<Transfer> {
    const callers: Caller[] = []
    const runs = new Map<string, () => Promise<void>>()
    for (const carrier of carriers) {
      if (work.kind === 'rows' || carrier.link !== work.link) continue
      const connected: Caller[] = []
      const count = work.kind === 'nullStep' ? work.peers : 1
      for (let i = 0; i < count; i++) connected.push(await this.#connect(carrier))
      callers.push(...connected)
      runs.set(carrier.name, runOf(work, connected))
    }
    const ofSession = await this.#sessionRun(work)
    if (ofSession) runs.set('shoal, session', ofSession)
    const samples = await inTurn(runs, () => this.#cpu(), patient)
    for (const caller of callers) await caller.close()
    return { work, samples }
  }

  async close(): Promise<void> {
    await this.#session?.close()
    await this.#far.close()
  }

  #connect(carrier: Carrier): Promise<Caller> {
    return carrier.connect(this.#far.addressOf(carrier), this.#credentials)
  }

  async #cpu(): Promise<number> {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000 + (await this.#far.cpu())
  }

  /** Sessions speak over TLS. */
  async #sessionRun(work: WireWork): Promise<(() => Promise<void>) | undefined> {
    if (work.kind !== 'rows' && (work.kind !== 'nullStep' || work.link !== 'TLS')) return undefined
    this.#session ??= await ClusterSession.open(this.#addresses, this.#credentials)
    return work.kind === 'rows'
      ? this.#session.rows(work.rows, work.columns)
      : this.#session.nullStep(work.peers)
  }
}

/** The work as calls. */
function runOf(work: Exclude<WireWork, { kind: 'rows' }>, callers: readonly Caller[]): () => Promise<void> {
  const [caller] = callers
  switch (work.kind) {
    case 'pull':
      return () => caller!.pull(work.bytes)
    case 'echo':
      return () => caller!.echo()
    case 'nullStep':
      return async () => {
        await Promise.all(callers.map((each) => each.pull(4)))
        await Promise.all(callers.map((each) => each.push(4)))
      }
    case 'dense':
      return async () => {
        await caller!.pull(work.bytes)
        await caller!.push(work.bytes)
      }
  }
}
