// All jobs as one node has them: those that it leads, those that it keeps copies of, and which node to ask about any other.
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { NotFoundError } from '@shoal/core'
import { asError, type Clock } from '@shoal/distributed/peers'
import type { JobView } from '../api/jobs.ts'
import { isNewer, isOver, type JobHead, supersedes } from './head.ts'
import type { Copied } from './copier.ts'
import { copies } from './copies.ts'
import { Leader } from './leader.ts'
import { NotLeaderError } from './notLeader.ts'
import { compareEvents, readEvents, readState } from './methods.ts'
import { findPlaces, shardsOf } from './placer.ts'
import type { Blobs, Nodes } from './ports.ts'
import { type Entry, headOf, type JobRecord, nextVersion, recordKey, recordSchema, viewOf } from './record.ts'
import { type OpenLog, Replica } from './replica.ts'
import { type JobSpec, jobIdSchema } from './spec.ts'

/** What jobs need of their node. */
export interface JobsMeans {
  /** Where the copies are kept. */
  readonly folder: string
  readonly nodes: Nodes
  readonly blobs: Blobs
  readonly openLog: OpenLog
  readonly clock: Clock
  readonly today: () => number
  readonly log: (line: string) => void
}

/** How long a leader may be away before the next keeper leads. */
const takeOverMs = 2000
/** How long a node that has just begun waits for others that may know more than it does. */
const settleMs = 3000
const callMs = 5000
/** How long a job that is over has a leader still, for what its tasks have to say. */
const lastWordsMs = 60_000
/** Jobs that are over of which a node keeps copies: older ones are forgotten, with all that they have made. */
const mostKept = 200

/** The jobs of one node. */
export class Jobs implements AsyncDisposable {
  readonly #means: JobsMeans
  readonly #replicas = new Map<string, Replica>()
  readonly #leaders = new Map<string, Leader>()
  readonly #timers = new Map<string, () => void>()
  /** Calls off the retirement of leaders whose jobs are over. */
  readonly #retiring = new Map<string, () => void>()
  /** Copies that are being opened, by job: two calls for the same must not open it twice. */
  readonly #opening = new Map<string, Promise<Replica>>()
  /** Copies that are being removed, by job: a new one of the same job waits until the old one is gone. */
  readonly #forgetting = new Map<string, Promise<void>>()
  #closed = false

  private constructor(means: JobsMeans) {
    this.#means = means
  }

  /** Reads the copies that this node has. Call `begin` next, when the other nodes can be asked. */
  static async open(means: JobsMeans): Promise<Jobs> {
    const jobs = new Jobs(means)
    await mkdir(means.folder, { recursive: true, mode: 0o700 })
    for (const id of await readdir(means.folder)) {
      if (!jobIdSchema.safeParse(id).success) continue
      const replica = await Replica.open(means.folder, id, means.openLog)
      if (replica.record) jobs.#replicas.set(id, replica)
      else await replica[Symbol.asyncDispose]()
    }
    return jobs
  }

  /** From now on jobs that are not over go on here, when it is known that nobody else leads them. */
  begin(): void {
    for (const id of this.#replicas.keys()) this.#watch(id, settleMs)
  }

  /** The jobs that this node has copies of, in one line each. */
  get heads(): JobHead[] {
    return this.#records.map(headOf)
  }

  /** Those that this node leads, or whose leader is away, as people are shown them. */
  get views(): JobView[] {
    return this.#records
      .filter(
        ({ id }) =>
          this.#leaders.has(id) || this.leaderOf(id) === this.#self || this.leaderOf(id) === undefined,
      )
      .map((record) => viewOf(record, isOver(record.state) || this.#leaders.has(record.id)))
  }

  /** The job as this node has it. @throws NotFoundError. */
  view(id: string): JobView {
    const record = this.#leaders.get(id)?.record ?? this.#replicas.get(id)?.record
    if (!record) throw new NotFoundError(`this node has no job ${id}`)
    return viewOf(record, isOver(record.state) || this.#leaders.has(id))
  }

  /** This node's copy. @throws NotFoundError. */
  replica(id: string): Replica {
    const replica = this.#replicas.get(id)
    if (!replica) throw new NotFoundError(`this node has no copy of job ${id}`)
    return replica
  }

  /** The leader, where it is this node. @throws NotLeaderError. */
  leader(id: string): Leader {
    const leader = this.#leaders.get(id)
    if (!leader) throw new NotLeaderError(`this node does not lead job ${id}`)
    return leader
  }

  /** The node to ask about a job: that which leads it, or has a copy once it is over. Undefined while there is none. */
  leaderOf(id: string): string | undefined {
    const present = this.#means.nodes.present()
    const head = this.#head(id)
    if (!head) return undefined
    if (!isOver(head.state)) {
      const isReady = head.leader !== this.#self || this.#leaders.has(id)
      return isReady && present.some(({ nodeId }) => nodeId === head.leader) ? head.leader : undefined
    }
    // Not all that have copies need have heard of the end.
    const isAtEnd = (heads: readonly JobHead[]): boolean =>
      heads.some((own) => own.id === id && own.term === head.term && isOver(own.state))
    if (isAtEnd(this.heads)) return this.#self
    return present.find(({ jobs }) => isAtEnd(jobs))?.nodeId
  }

  /** The nodes that keep copies of a job and are there, its leader first. */
  keepersOf(id: string): readonly string[] {
    const head = this.#head(id)
    const present = new Set(this.#means.nodes.present().map(({ nodeId }) => nodeId))
    return head
      ? [head.leader, ...head.keepers.filter((keeper) => keeper !== head.leader)].filter((node) =>
          present.has(node),
        )
      : []
  }

  /** Who leads a job, present or not. */
  #head(id: string): JobHead | undefined {
    const heads = this.#means.nodes.present().flatMap(({ jobs }) => jobs.filter((head) => head.id === id))
    const own = this.#records.find((record) => record.id === id)
    const all = own ? [...heads, headOf(own)] : heads
    return all.reduce<JobHead | undefined>(
      (best, head) => (best === undefined || isNewer(head, best) ? head : best),
      undefined,
    )
  }

  /** Takes a job, which this node leads from then on. Settles when another node has a copy of it, where there is one. */
  async submit(spec: JobSpec, submittedBy: string): Promise<string> {
    const { nodes, blobs, today, folder, openLog } = this.#means
    const id = `j-${randomBytes(8).toString('hex').slice(0, 12)}`
    const hashes = [spec.program, ...shardsOf(spec)]
    await blobs.fetch(hashes, { keepFor: id, signal: AbortSignal.timeout(600_000) }).catch(async (error) => {
      await blobs.release(id)
      throw error
    })
    const others = nodes.present().filter(({ nodeId, role }) => nodeId !== this.#self && role === 'manager')
    const keepers = [this.#self, ...others.map(({ nodeId }) => nodeId)].slice(0, copies)
    const replica = await Replica.open(folder, id, openLog)
    this.#replicas.set(id, replica)
    const record: JobRecord = {
      id,
      spec,
      submittedBy,
      submittedAt: today(),
      state: 'queued',
      reason: '',
      term: 1,
      leader: this.#self,
      keepers,
      attempt: 0,
      failures: 0,
      tasks: [],
    }
    await replica.log.append([{ v: 1, job: id, at: today(), kind: 'submitted', node: submittedBy, spec }])
    for (const keeper of keepers.slice(1)) this.#copyBlobs(id, hashes, keeper)
    await this.#begin(replica, record)
    return id
  }

  /** Takes what a leader sends to a keeper. Answers how many events this copy has. @throws NotLeaderError where another one leads. */
  async take(
    from: { readonly job: string; readonly term: number; readonly leader: string },
    copied: Copied,
  ): Promise<number> {
    const replica = await this.#copyOf(from.job)
    const known = replica.record
    if (known && supersedes(known, from))
      throw new NotLeaderError(`job ${from.job} is led by '${known.leader}' in term ${known.term}`)
    // A node that still thinks that it leads hears of it first here.
    this.#leaders.get(from.job)?.supersede()
    const before = known?.state
    const count = await replica.take(from, copied)
    const after = replica.record?.state
    if (before !== after) this.#means.nodes.changed()
    if (before !== after && after !== undefined && isOver(after)) this.#forgetOld()
    this.#watch(from.job, takeOverMs)
    return count
  }

  /** All that this node has of a job. */
  state(id: string): { readonly entries: readonly Entry[]; readonly events: number } {
    const { documents, log } = this.replica(id)
    return { entries: documents.all, events: log.length }
  }

  /** Where this node leads a job: settles when another node has the first so many events of it, where there is one. */
  async keepEvents(id: string, count: number): Promise<void> {
    await this.#leaders.get(id)?.keepEvents(count)
  }

  /** How many events this node has of a job, and what tells the first `count` of them, or as many as there are, from any others. */
  async compareEvents(
    id: string,
    count: number,
  ): Promise<{ readonly events: number; readonly digest: string }> {
    const replica = await this.#copyOf(id)
    const { length } = replica.log
    return { events: length, digest: await replica.digest(Math.min(count, length)) }
  }

  /** Refuses who does not lead. @throws NotLeaderError. */
  demandLeader({
    job,
    term,
    leader,
  }: {
    readonly job: string
    readonly term: number
    readonly leader: string
  }): void {
    const head = this.#head(job)
    if (head && supersedes(head, { term, leader }))
      throw new NotLeaderError(`job ${job} is led by '${head.leader}' in term ${head.term}`)
  }

  /** A node has come, or told something. */
  nodeCame(nodeId: string, isNew: boolean): void {
    for (const [id, leader] of this.#leaders) {
      const head = this.#head(id)
      if (head && supersedes(head, headOf(leader.record))) leader.supersede()
      else if (isNew) leader.nodeCame(nodeId)
      else leader.reconsider()
    }
    for (const id of this.#replicas.keys()) {
      if (this.#isObsolete(id)) this.#forget(id)
      else this.#watch(id, takeOverMs)
    }
  }

  /** A node is not there any more. */
  nodeLeft(nodeId: string): void {
    for (const leader of this.#leaders.values()) leader.nodeLeft(nodeId)
    for (const id of this.#replicas.keys()) this.#watch(id, takeOverMs)
  }

  /** Something of this node has changed: there may be room. */
  reconsider(): void {
    for (const leader of this.#leaders.values()) leader.reconsider()
  }

  /** Leads nothing any more, and closes its copies. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const disarm of [...this.#timers.values(), ...this.#retiring.values()]) disarm()
    for (const leader of this.#leaders.values()) leader.close()
    this.#leaders.clear()
    for (const replica of this.#replicas.values()) await replica[Symbol.asyncDispose]()
    await Promise.all(this.#forgetting.values())
  }

  /** Do others know more of a job, and count this node's copy no more? */
  #isObsolete(id: string): boolean {
    const head = this.#head(id)
    const own = this.#replicas.get(id)?.record
    return (
      !!head && !!own && supersedes(head, own) && !head.keepers.includes(this.#self) && !this.#leaders.has(id)
    )
  }

  #forget(id: string): void {
    const replica = this.#replicas.get(id)
    this.#replicas.delete(id)
    this.#timers.get(id)?.()
    this.#timers.delete(id)
    const gone = this.#remove(id, replica)
      .catch((error: unknown) =>
        this.#means.log(`the copy of job ${id} could not be removed: ${asError(error).message}`),
      )
      .finally(() => this.#forgetting.delete(id))
    this.#forgetting.set(id, gone)
  }

  async #remove(id: string, replica: Replica | undefined): Promise<void> {
    await replica?.[Symbol.asyncDispose]()
    await this.#means.blobs.release(id)
    await rm(join(this.#means.folder, id), { recursive: true, force: true })
  }

  get #self(): string {
    return this.#means.nodes.self.nodeId
  }

  get #records(): readonly JobRecord[] {
    return [...this.#replicas].flatMap(([id, { record }]) => {
      const newest = this.#leaders.get(id)?.record ?? record
      return newest ? [newest] : []
    })
  }

  #copyOf(id: string): Promise<Replica> {
    const known = this.#replicas.get(id)
    if (known) return Promise.resolve(known)
    let opening = this.#opening.get(id)
    if (!opening) {
      opening = this.#openCopy(id).finally(() => this.#opening.delete(id))
      this.#opening.set(id, opening)
    }
    return opening
  }

  async #openCopy(id: string): Promise<Replica> {
    const { folder, openLog } = this.#means
    await this.#forgetting.get(id)
    const replica = await Replica.open(folder, id, openLog)
    this.#replicas.set(id, replica)
    return replica
  }

  /** Looks, some time from now, whether a job of which this node has a copy is without a leader. */
  #watch(id: string, ms: number): void {
    const record = this.#replicas.get(id)?.record
    if (this.#closed || this.#leaders.has(id) || !record || isOver(record.state)) return
    const { nodes, clock } = this.#means
    const isLed = (): boolean => this.leaderOf(id) !== undefined
    if (isLed()) {
      this.#timers.get(id)?.()
      this.#timers.delete(id)
      return
    }
    if (this.#timers.has(id)) return
    const rank = record.keepers.filter((keeper) => nodes.present().some(({ nodeId }) => nodeId === keeper))
    // The first keeper that is there takes over; the others give it time to.
    const turn = Math.max(0, rank.indexOf(this.#self))
    const disarm = clock.after(ms + turn * takeOverMs, () => {
      this.#timers.delete(id)
      if (isLed() || this.#closed) return
      this.#takeOver(id).catch((error: unknown) =>
        this.#means.log(`job ${id} could not be taken over: ${asError(error).message}`),
      )
    })
    this.#timers.set(id, disarm)
  }

  async #takeOver(id: string): Promise<void> {
    const { nodes, log } = this.#means
    const replica = this.#replicas.get(id)!
    const present = new Set(nodes.present().map(({ nodeId }) => nodeId))
    const before = replica.record!
    const others = before.keepers.filter((keeper) => keeper !== this.#self && present.has(keeper))
    const states = await Promise.allSettled(
      others.map((nodeId) => nodes.call(nodeId, readState, { job: id }, { deadlineMs: callMs })),
    )
    const told = states.flatMap((state, i) => {
      if (state.status === 'rejected') return []
      const entries = state.value.says.entries as readonly Entry[]
      const led = recordSchema.safeParse(entries.find(({ key }) => key === recordKey)?.value)
      return led.success
        ? [{ node: others[i]!, led: led.data, entries, events: state.value.says.events }]
        : []
    })
    // Of what several leaders wrote that of the last one counts, and none of the others'.
    const last = told.reduce((best, { led }) => (supersedes(led, best) ? led : best), replica.record!)
    const same = told.filter(({ led }) => led.term === last.term && led.leader === last.leader)
    if (supersedes(last, replica.record!)) await replica.documents.replace(same[0]!.entries)
    for (const { entries } of same) await replica.documents.put(entries)
    const longest = same.toSorted((a, b) => b.events - a.events)[0]
    if (longest && longest.events > replica.log.length) await this.#takeEvents(replica, longest.node)
    const record = replica.record!
    if (this.leaderOf(id) !== undefined || isOver(record.state)) return
    log(`job ${id}: '${record.leader}' is not there; this node leads it from now on`)
    const spare = nodes
      .present()
      .filter(({ nodeId, role }) => role === 'manager' && !before.keepers.includes(nodeId))
      .map(({ nodeId }) => nodeId)
    const living = record.keepers.filter((keeper) => keeper !== this.#self && present.has(keeper))
    const keepers = [this.#self, ...living, ...spare].slice(0, copies)
    await this.#begin(replica, { ...record, term: record.term + 1, leader: this.#self, keepers })
    const hashes = blobsOf(replica)
    for (const keeper of keepers.slice(1)) this.#copyBlobs(id, hashes, keeper)
  }

  /** A job that is over needs no leader any more once its tasks have had time to say their last words. */
  #retire(id: string): void {
    this.#retiring.delete(id)
    this.#leaders.get(id)?.close()
    this.#leaders.delete(id)
    this.#forgetOld()
  }

  /** Whoever keeps copies forgets by itself: not each node that does ever leads a job. */
  #forgetOld(): void {
    const over = this.#records.filter(({ id, state }) => isOver(state) && !this.#leaders.has(id))
    const old = over.toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0)).slice(mostKept)
    for (const record of old) this.#forget(record.id)
  }

  /** Takes the events that another keeper has and this one has not: what was told of them holds for the next leader. */
  async #takeEvents(replica: Replica, nodeId: string): Promise<void> {
    const { nodes } = this.#means
    const { id: job, log } = replica
    const how = { deadlineMs: callMs }
    const { length: count } = log
    const { digest } = (await nodes.call(nodeId, compareEvents, { job, count }, how)).says
    if (digest !== (await replica.digest(count))) await replica.forgetEvents()
    for (;;) {
      const from = replica.log.length
      const { events } = (await nodes.call(nodeId, readEvents, { job, from }, how)).says
      if (events.length === 0) return
      await replica.log.append(events)
    }
  }

  async #begin(replica: Replica, record: JobRecord): Promise<void> {
    const { nodes, blobs, log, clock, today } = this.#means
    const { id } = record
    // Known to be led before anything is awaited: a second attempt finds it so.
    const leader = new Leader(
      {
        replica,
        nodes,
        place: (job, avoided) =>
          findPlaces(job, {
            avoided,
            nodes,
            blobs,
            led: () => [...this.#leaders.values()].map((each) => each.record),
          }),
        log,
        clock,
        today,
        keeperAdded: (nodeId) => this.#copyBlobs(id, blobsOf(replica), nodeId),
        ended: (why) => {
          if (why === 'superseded') {
            this.#leaders.delete(id)
            log(`job ${id} is led by another node from now on`)
          } else
            this.#retiring.set(
              id,
              clock.after(lastWordsMs, () => this.#retire(id)),
            )
          nodes.changed()
        },
      },
      record,
    )
    this.#leaders.set(id, leader)
    try {
      const version = nextVersion(replica.documents.version, record.term)
      await replica.documents.put([{ key: recordKey, version, value: record as never }])
      await leader.lead()
    } catch (error) {
      // One that has not looked at what runs where would wait for it for ever: it is begun again, or by somebody else.
      leader.close()
      if (this.#leaders.get(id) === leader) this.#leaders.delete(id)
      this.#watch(id, takeOverMs)
      throw error
    }
  }

  /** Has another keeper keep blobs as well; the job does not wait for it. */
  #copyBlobs(id: string, hashes: readonly string[], nodeId: string): void {
    const { blobs, log } = this.#means
    const copy = async (): Promise<void> => {
      const how = { keepFor: id, signal: AbortSignal.timeout(600_000) }
      for (const hash of hashes) {
        try {
          // They may not all be here: this node may have led for a moment only.
          await blobs.fetch([hash], how)
          await blobs.push(hash, nodeId, how)
        } catch (error) {
          log(`job ${id}: blob ${hash} was not copied to '${nodeId}': ${asError(error).message}`)
        }
      }
    }
    void copy()
  }
}

/** All blobs that a job needs or has made: those that are named in its specification and in its documents. */
function blobsOf({ documents }: Replica): readonly string[] {
  const named = documents.all.flatMap(
    ({ value }) => JSON.stringify(value).match(/(?<=")[0-9a-f]{64}(?=")/g) ?? [],
  )
  return [...new Set(named)]
}
