// The one node that decides for a job: it places tasks, takes what they write, has keepers copy it, and begins again what was lost.
import { asError, type Clock, LimitError, SecurityError } from '@shoal/distributed/peers'
import type { JobEvent } from '../history/event.ts'
import type { TaskEnd } from '../task/services.ts'
import { Avoided } from './avoided.ts'
import { Copies } from './copies.ts'
import { isOver } from './head.ts'
import { JobHistory } from './jobHistory.ts'
import type { Json } from './json.ts'
import { NotLeaderError } from './notLeader.ts'
import { Orders } from './orders.ts'
import type { Nodes } from './ports.ts'
import { type Entry, type JobRecord, nextVersion, type PlacedTask, recordKey } from './record.ts'
import type { Replica } from './replica.ts'
import { judge } from './verdict.ts'

/** Where tasks are to run; nothing where they have to wait, and why. */
export type Placement =
  | {
      readonly kind: 'placed'
      readonly tasks: readonly { readonly task: string; readonly node: string }[]
      /** For people: what speaks for each place. */
      readonly why: readonly string[]
    }
  /** `yields` are tasks to be given up, so that others may begin. */
  | { readonly kind: 'wait'; readonly reason: string; readonly yields: readonly string[] }

/** What leading needs. */
export interface LeaderMeans {
  readonly replica: Replica
  readonly nodes: Nodes
  /** Finds places for the tasks of the job that have none, on other nodes than those that are to be avoided. */
  readonly place: (record: JobRecord, avoided: ReadonlySet<string>) => Promise<Placement>
  /** Another node keeps a copy from now on: it needs the blobs too. */
  readonly keeperAdded: (nodeId: string) => void
  readonly log: (line: string) => void
  readonly clock: Clock
  /** Milliseconds since 1970. */
  readonly today: () => number
  /** The job is over, or somebody else leads it. */
  readonly ended: (why: 'over' | 'superseded') => void
}

/** How long a node that was lost may take to come back before its tasks count as lost. */
const lostAfterMs = 3000
/** Of all documents of a job together: they travel in one message when another node begins to keep them. */
const mostDocuments = 10_000_000
/** A gang that has lost a task cannot finish anything: it is to make room soon. */
const restartGraceMs = 1000

type Change = { -readonly [K in keyof JobRecord]?: JobRecord[K] }

/** Leads one job from `lead` until it is over, or somebody leads it in a higher term. */
export class Leader {
  readonly #means: LeaderMeans
  readonly #copies: Copies
  readonly #orders: Orders
  /** Calls off the judgement of nodes that are not there. */
  readonly #missing = new Map<string, () => void>()
  readonly #gone = new Set<string>()
  readonly #history: JobHistory
  readonly #avoided: Avoided
  #record: JobRecord
  /** Nodes that tasks were ever given to, as far as this leader knows. */
  #hosts: Set<string> | undefined
  #turn: Promise<void> = Promise.resolve()
  #over = false
  /** Was it told since it is queued that it has to wait? */
  #saysWaiting = false
  /** Is it to be looked at soon anyhow? */
  #isDue = false

  /** Call `lead` next. The record says who leads. */
  constructor(means: LeaderMeans, record: JobRecord) {
    this.#means = means
    this.#record = record
    const { replica, nodes } = means
    this.#orders = new Orders(nodes)
    this.#copies = new Copies({
      replica,
      nodes,
      record: () => this.#record,
      superseded: () => this.supersede(),
    })
    this.#history = new JobHistory(replica, this.#copies)
    this.#avoided = new Avoided(means.clock, () => this.reconsider())
  }

  /** The job as it is now. */
  get record(): JobRecord {
    return this.#record
  }

  /** Begins: makes its term known, asks the nodes for what runs there, and goes on from there. */
  async lead(): Promise<void> {
    const { nodes, today } = this.#means
    const { id, term, leader } = this.#record
    await this.#history.recall()
    await this.#change({}, [{ v: 1, job: id, at: today(), kind: 'led', node: leader, term }])
    nodes.changed()
    for (const { node, state } of this.#record.tasks)
      if (state === 'running' && !this.#isThere(node)) this.nodeLeft(node)
    await this.#inTurn(async () => {
      await Promise.all(nodes.present().map(({ nodeId }) => this.#compare(nodeId)))
    })
    this.reconsider()
  }

  /** The document of a key. */
  read(key: string): { readonly version: number; readonly value: Json } {
    this.#demand()
    const entry = this.#means.replica.documents.get(key)
    return entry ? { version: entry.version, value: entry.value } : { version: 0, value: null }
  }

  /** Writes a document of a task; settles when another node has it, where there is one. Answers nothing where there is another version by now. */
  async write(key: string, ifVersion: number, value: Json): Promise<number | undefined> {
    this.#demand()
    if (key.startsWith('~')) throw new SecurityError(`'${key}' is a key of the leader's own`)
    if ((this.#means.replica.documents.get(key)?.version ?? 0) !== ifVersion) return undefined
    const size = this.#means.replica.documents.sizeWithout(key) + JSON.stringify(value).length
    if (size > mostDocuments)
      throw new LimitError(
        `job ${this.#record.id}: '${key}' would make its documents larger than ${mostDocuments} characters together: keep large things as blobs`,
      )
    const entry = this.#entry(key, value)
    await this.#history.keep([entry])
    return entry.version
  }

  /** Makes sure that tasks of the job are or were on a node: no other writes what is theirs. @throws SecurityError. */
  demandHost(nodeId: string): void {
    this.#hosts ??= new Set(this.#record.tasks.map(({ node }) => node))
    if (!this.#hosts.has(nodeId))
      throw new SecurityError(`no task of job ${this.#record.id} runs on '${nodeId}'`)
  }

  /** Takes what has happened to tasks; settles when another node has it, where there is one. */
  async report(events: readonly JobEvent[]): Promise<void> {
    this.#demand()
    await this.#history.append(events)
    await this.#history.keep([])
  }

  /** Settles when another node has the first so many events, where there is one. */
  keepEvents(count: number): Promise<void> {
    return this.#history.keepEvents(count)
  }

  /** Takes the end of a task. One that was begun again meanwhile is of no interest. */
  taskEnded(ended: {
    readonly task: string
    readonly attempt: number
    readonly node: string
    readonly end: TaskEnd
    readonly sent: number
    readonly received: number
  }): Promise<void> {
    this.#demand()
    const { task, attempt, node, end, sent, received } = ended
    return this.#inTurn(async () => {
      const known = this.#record.tasks.find((each) => each.task === task)
      if (!known || known.attempt !== attempt || known.node !== node || known.state !== 'running') return
      const reason = end.kind === 'failed' ? end.message : end.kind === 'stopped' ? 'it was stopped' : ''
      const said = { v: 1 as const, job: this.#record.id, at: this.#means.today(), task, attempt, node }
      await this.#change(
        {
          tasks: this.#with({ ...known, state: this.#stateAfter(end) }),
          ...(end.kind === 'failed' && { failures: this.#record.failures + 1, reason: `${task}: ${reason}` }),
        },
        [
          { ...said, kind: 'taskEnded', reason },
          { ...said, kind: 'traffic', sent, received },
        ],
      )
      await this.#proceed()
    })
  }

  /** Ends the job. */
  stop(reason: string): Promise<void> {
    this.#demand()
    return this.#inTurn(() => this.#finish('stopped', reason))
  }

  /** A node is there that was not. */
  nodeCame(nodeId: string): void {
    this.#missing.get(nodeId)?.()
    this.#missing.delete(nodeId)
    // The end of a job is the last that is told of it.
    if (this.#gone.delete(nodeId) && !isOver(this.#record.state))
      void this.report([
        { v: 1, job: this.#record.id, at: this.#means.today(), kind: 'node', node: nodeId, state: 'back' },
      ]).catch(() => undefined)
    void this.#inTurn(async () => {
      await this.#refillKeepers()
      await this.#compare(nodeId)
      await this.#proceed()
    })
  }

  /** A node is not there any more. If it does not come back soon, its tasks are lost. */
  nodeLeft(nodeId: string): void {
    const { clock } = this.#means
    this.#copies.drop(nodeId)
    if (this.#missing.has(nodeId)) return
    this.#missing.set(
      nodeId,
      clock.after(lostAfterMs, () => {
        this.#missing.delete(nodeId)
        void this.#inTurn(() => this.#lose(nodeId))
      }),
    )
  }

  /** Something has changed that may give waiting tasks a place. */
  reconsider(): void {
    if (this.#isDue) return
    this.#isDue = true
    void this.#inTurn(() => {
      this.#isDue = false
      return this.#proceed()
    })
  }

  /** Somebody leads in a higher term: from now on nothing is done here. */
  supersede(): void {
    if (this.#over) return
    this.#close()
    this.#means.ended('superseded')
  }

  /** Does nothing any more; the job goes on without this node. */
  close(): void {
    this.#close()
  }

  #close(): void {
    this.#over = true
    for (const disarm of this.#missing.values()) disarm()
    this.#missing.clear()
    this.#avoided.close()
    this.#copies.close()
  }

  #demand(): void {
    if (this.#over) throw new NotLeaderError(`this node does not lead job ${this.#record.id} any more`)
  }

  #isThere(nodeId: string): boolean {
    return this.#means.nodes.present().some((node) => node.nodeId === nodeId)
  }

  /** One thing after the other; what goes wrong is said, and does not hold up what follows. */
  #inTurn(action: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(async () => {
      if (!this.#over) await action()
    })
    this.#turn = done.catch((error: unknown) => {
      if (!this.#over) this.#means.log(`job ${this.#record.id}: ${asError(error).message}`)
    })
    return done
  }

  #entry(key: string, value: Json): Entry {
    const { documents } = this.#means.replica
    return { key, version: nextVersion(documents.version, this.#record.term), value }
  }

  /** Changes the job itself, and tells its history. */
  async #change(change: Change, events: readonly JobEvent[]): Promise<void> {
    const { nodes } = this.#means
    // The history first: whoever sees that a job is over can read there that it is.
    await this.#history.append(events)
    this.#record = { ...this.#record, ...change }
    await this.#history.keep([this.#entry(recordKey, this.#record as unknown as Json)])
    if (change.state !== undefined) nodes.changed()
  }

  /** One that was stopped because all is done has done its part. */
  #stateAfter({ kind }: TaskEnd): PlacedTask['state'] {
    if (kind === 'stopped') return isOver(this.#record.state) ? 'done' : 'lost'
    return kind
  }

  #with(task: PlacedTask): PlacedTask[] {
    return this.#record.tasks.map((each) => (each.task === task.task ? task : each))
  }

  /** Holds what a node runs against what it should. */
  async #compare(nodeId: string): Promise<void> {
    const there = await this.#orders.tasksOf(this.#record, nodeId)
    // It is noticed elsewhere that it is not there.
    if (!there) return
    const isWanted = (task: string, attempt: number): boolean =>
      this.#record.tasks.some(
        (own) =>
          own.task === task && own.attempt === attempt && own.node === nodeId && own.state === 'running',
      )
    for (const { task, attempt } of there)
      if (!isWanted(task, attempt))
        this.#orders.end(this.#record, nodeId, task, attempt, 'the job has gone on without it')
    const missing = this.#record.tasks.filter(
      ({ task, attempt, node, state }) =>
        node === nodeId &&
        state === 'running' &&
        !there.some((own) => own.task === task && own.attempt === attempt),
    )
    if (missing.length > 0) await this.#markLost(missing)
  }

  async #lose(nodeId: string): Promise<void> {
    this.#gone.add(nodeId)
    const { id: job, tasks } = this.#record
    if (!isOver(this.#record.state))
      await this.#history.append([
        { v: 1, job, at: this.#means.today(), kind: 'node', node: nodeId, state: 'lost' },
      ])
    await this.#refillKeepers()
    const lost = tasks.filter(({ node, state }) => node === nodeId && state === 'running')
    if (lost.length === 0) return
    await this.#markLost(lost)
    await this.#proceed()
  }

  #markLost(lost: readonly PlacedTask[]): Promise<void> {
    const { id: job, tasks } = this.#record
    return this.#change(
      { tasks: tasks.map((each) => (lost.includes(each) ? { ...each, state: 'lost' } : each)) },
      lost.map(({ task, attempt, node }) => ({
        v: 1,
        job,
        at: this.#means.today(),
        kind: 'taskEnded',
        task,
        attempt,
        node,
        reason: `node '${node}' was lost`,
      })),
    )
  }

  /** Sees to it that as many nodes keep copies as there are, up to `copies`, and that those have all that is known. */
  async #refillKeepers(): Promise<void> {
    const before = this.#record.keepers
    const keepers = this.#copies.refilled()
    if (keepers === before) return
    await this.#change({ keepers: [...keepers] }, [])
    for (const nodeId of keepers) if (!before.includes(nodeId)) this.#means.keeperAdded(nodeId)
  }

  /** Does what is to be done next. */
  async #proceed(): Promise<void> {
    if (this.#over || isOver(this.#record.state)) return
    const verdict = judge(this.#record)
    switch (verdict.kind) {
      case 'goOn':
        return
      case 'finish':
        return this.#finish(verdict.state, verdict.reason)
      case 'restart':
        // All others first, since none of them can do anything without the ones that are gone.
        for (const { task, node, attempt, state } of this.#record.tasks)
          if (state === 'running')
            this.#orders.end(this.#record, node, task, attempt, verdict.reason, restartGraceMs)
        await this.#change({ tasks: [], state: 'queued', reason: verdict.reason }, [
          this.#stateEvent('queued', verdict.reason),
        ])
        return this.#place()
      case 'place':
        return this.#place()
      default:
        return verdict satisfies never
    }
  }

  async #place(): Promise<void> {
    const placement = await this.#means.place(this.#record, this.#avoided.nodes)
    if (this.#over) return
    if (placement.kind === 'wait') {
      for (const { task, node, attempt, state } of this.#record.tasks)
        if (state === 'running' && placement.yields.includes(task))
          this.#orders.end(this.#record, node, task, attempt, 'it makes room for another job', restartGraceMs)
      if (this.#record.tasks.length === 0 && placement.reason !== this.#record.reason)
        // What it waits for changes with every other job; that it has to wait is said once.
        await this.#change(
          { reason: placement.reason },
          this.#saysWaiting ? [] : [this.#stateEvent('queued', placement.reason)],
        )
      this.#saysWaiting = true
      return
    }
    this.#saysWaiting = false
    const { attempt, spec, id: job, tasks } = this.#record
    for (const line of placement.why) this.#means.log(`job ${job}: ${line}`)
    const isGang = spec.scheduling === 'gang'
    const attemptOf = (task: string): number =>
      isGang ? attempt : (tasks.find((each) => each.task === task)?.attempt ?? -1) + 1
    const placed = placement.tasks.map(({ task, node }) => ({
      task,
      node,
      attempt: attemptOf(task),
      state: 'running' as const,
    }))
    this.#hosts ??= new Set(tasks.map(({ node }) => node))
    for (const { node } of placed) this.#hosts.add(node)
    const wasQueued = this.#record.state === 'queued'
    const replaced = new Set(placed.map(({ task }) => task))
    // Written before anything is begun: whoever takes over knows what may be running.
    await this.#change(
      {
        tasks: [...tasks.filter(({ task }) => !replaced.has(task)), ...placed],
        attempt: isGang ? attempt + 1 : attempt + placed.length,
        state: 'running',
        reason: '',
      },
      [
        ...(wasQueued ? [this.#stateEvent('running', '')] : []),
        ...placed.map(({ task, node, attempt: own }) => ({
          v: 1 as const,
          job,
          at: this.#means.today(),
          kind: 'taskStarted' as const,
          task,
          attempt: own,
          node,
        })),
      ],
    )
    const began = await Promise.allSettled(
      placed.map((task) => this.#orders.begin(this.#record, task, placed)),
    )
    const refused = began.flatMap((each, i) =>
      each.status === 'rejected' ? [[placed[i]!, asError(each.reason)] as const] : [],
    )
    if (refused.length === 0) return
    const [first, why] = refused[0]!
    this.#means.log(`job ${job}: ${first.task} could not be begun on '${first.node}': ${why.message}`)
    // One that did not answer in time may begin it yet.
    for (const [{ task, node, attempt: own }] of refused)
      this.#orders.end(this.#record, node, task, own, 'it was not begun in time', 0)
    await this.#markLost(refused.map(([task]) => this.#record.tasks.find((own) => own.task === task.task)!))
    if (this.#over) return
    for (const [{ node }, error] of refused) this.#avoided.add(node, error)
    this.reconsider()
  }

  async #finish(state: 'succeeded' | 'failed' | 'stopped', reason: string): Promise<void> {
    if (isOver(this.#record.state)) return
    for (const { task, node, attempt, state: of } of this.#record.tasks)
      if (of === 'running') this.#orders.end(this.#record, node, task, attempt, reason || 'the job is done')
    await this.#change({ state, reason, endedAt: this.#means.today() }, [this.#stateEvent(state, reason)])
    this.#means.ended('over')
  }

  #stateEvent(state: JobRecord['state'], reason: string): JobEvent {
    const { id: job, attempt } = this.#record
    return { v: 1, job, at: this.#means.today(), kind: 'state', state, attempt, reason }
  }
}
