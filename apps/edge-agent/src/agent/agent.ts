// A node of one cluster, from the moment it listens until it is closed or changes clusters: its parts, and what each needs of the others.
import { mkdir } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { asError, type Handler, systemClock } from '@shoal/distributed/peers'
import { leastFreeBytes, mostBlobBytes } from '../blobs/allotment.ts'
import { BlobStore } from '../blobs/blobStore.ts'
import { BlobFetcher } from '../blobs/fetch.ts'
import { blobMethods } from '../blobs/service.ts'
import { knockProtocol, knockProtocolName } from '../doctor/knock.ts'
import { doctorMethods } from '../doctor/serve.ts'
import { numbersFor, openEndpoints } from '../endpoints/endpoints.ts'
import { EventLog } from '../history/eventLog.ts'
import type { Identity } from '../identity/identity.ts'
import { keepRenewed, renewalProtocol, renewalProtocolName } from '../identity/renewal.ts'
import type { StateFolder } from '../identity/stateFolder.ts'
import { Jobs } from '../jobs/jobs.ts'
import type { HostMeans } from '../jobs/taskHost.ts'
import type { PresentNode } from '../jobs/ports.ts'
import { jobMethods } from '../jobs/serve.ts'
import { TaskHost } from '../jobs/taskHost.ts'
import { linkMethods } from '../machine/link.ts'
import { Machine } from '../machine/machine.ts'
import { launchTask } from '../task/launch.ts'
import { StreamRelay, streamProtocol } from '../task/streams.ts'
import { endStrays } from '../task/strays.ts'
import { guarded } from './access.ts'
import { clusterBlobs, fetchingReads, writesForJobs } from './blobs.ts'
import { Door, rememberedMembers, rememberMembers } from './door.ts'
import { LinkWatch } from './linkWatch.ts'
import { Neighbours } from './neighbours.ts'
import { clusterNodes } from './nodes.ts'
import { nodeMethods } from './serve.ts'
import type { RunOptions } from './run.ts'
import { stateOf } from './state.ts'
import { version } from './version.ts'
import { Ways } from './ways.ts'

/** What an agent is made of. */
export interface AgentOptions extends RunOptions {
  readonly state: StateFolder
  readonly identity: Identity
}

/** Why an agent ends: it was told to, or it is another node from now on. */
type Ending = { readonly next: Identity | undefined }

/** All interfaces, by IPv6 and IPv4 where the machine has both. */
const everywhere = (): string =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6'))
    ? '::'
    : '0.0.0.0'

/** A running node. */
export class Agent implements AsyncDisposable {
  readonly #neighbours: Neighbours
  readonly #identity: Identity
  readonly #parts: AsyncDisposableStack
  readonly #ending: PromiseWithResolvers<Ending>

  private constructor(
    neighbours: Neighbours,
    identity: Identity,
    parts: AsyncDisposableStack,
    ending: PromiseWithResolvers<Ending>,
  ) {
    this.#neighbours = neighbours
    this.#identity = identity
    this.#parts = parts
    this.#ending = ending
  }

  /** Starts a node. @throws ConnectError where it cannot listen, StateError and StorageFullError for its folder. */
  static async open(options: AgentOptions): Promise<Agent> {
    const { state, identity, log, host = everywhere(), port = 0, peers = [], mdns = true } = options
    await using parts = new AsyncDisposableStack()
    const ending = Promise.withResolvers<Ending>()
    const over = new AbortController()
    parts.defer(() => over.abort())
    const { nodeId, clusterId, role } = identity
    const folders = {
      blobs: join(state.path, 'blobs'),
      // Another cluster's jobs are nothing to this one.
      jobs: join(state.path, 'jobs', clusterId.slice(0, 16)),
      tasks: join(state.path, 'tasks'),
    }
    for (const path of Object.values(folders)) await mkdir(path, { recursive: true, mode: 0o700 })
    const strays = await endStrays(folders.tasks)
    if (strays > 0) log(`${strays} tasks of an agent that has died were ended`)

    const machine = parts.use(await Machine.open({ folder: state.path, log, signal: over.signal }))
    const store = parts.use(
      await BlobStore.open({
        folder: folders.blobs,
        maxBytes: mostBlobBytes,
        minFreeBytes: leastFreeBytes,
        log,
      }),
    )
    const fetcher = new BlobFetcher({ store, sources: () => nodes.connections(), log })
    const door = await Door.open({ state, identity, log, neighbours: () => neighbours })

    const view = (): PresentNode => ({
      nodeId,
      role,
      inventory: machine.inventory(),
      taken: [...tasks.taken],
      jobs: [...jobs.heads],
    })
    const nodes = clusterNodes({
      self: { nodeId, role, clusterId },
      neighbours: () => neighbours,
      view,
      methods: () => methods,
    })
    const blobs = clusterBlobs(store, fetcher, () => neighbours)
    const relay = parts.use(
      await StreamRelay.start({
        credentials: identity.credentials,
        mayConnect: (header, peer) => tasks.mayConnect(header, peer),
        task: ({ jobId, attempt, to }) => tasks.running(jobId, attempt, to),
      }),
    )
    const metrics = await numbersFor(options)
    const today = (): number => Date.now()
    const means = { nodes, blobs, clock: systemClock, today, log }
    const jobs = parts.use(
      await Jobs.open({
        ...means,
        folder: folders.jobs,
        openLog: (path) =>
          EventLog.open(path, {
            log,
            added: (events) => events.forEach((event) => metrics?.happened(event)),
          }),
      }),
    )
    let launched = 0
    const launch: HostMeans['launch'] = (assignment, { program, services, memoryBytes, timeMs }) => {
      const task = `${assignment.task.job}:${assignment.task.index}`
      // What an earlier attempt has sent from here is counted already.
      const before = relay.traffic(assignment.jobId, task)
      return launchTask({
        assignment,
        program,
        services,
        folder: join(
          folders.tasks,
          `${assignment.jobId}-${task.replace(':', '-')}-${process.pid}-${launched++}`,
        ),
        limits: { memoryBytes, timeMs },
        traffic: () => {
          const { sent, received } = relay.traffic(assignment.jobId, task)
          return { sent: sent - before.sent, received: received - before.received }
        },
      })
    }
    const ways = new Ways((node) => neighbours.addressesTo(node))
    const tasks = new TaskHost({
      ...means,
      launch,
      leaderOf: (id) => jobs.leaderOf(id),
      keepersOf: (id) => jobs.keepersOf(id),
      connect: (header, node, aborted) =>
        node === nodeId
          ? relay.connect(header, 'here', { signal: aborted })
          : ways.reach(node, (address) =>
              relay.connect(header, { nodeId: node, address }, { signal: aborted }),
            ),
    })
    const methods: Readonly<Record<string, Handler>> = {
      ...Object.fromEntries(linkMethods),
      ...blobMethods(store),
      ...fetchingReads(store, fetcher, nodeId),
      ...writesForJobs(store, nodeId),
      ...jobMethods({ jobs, host: tasks, nodes }),
      ...doctorMethods({
        credentials: identity.credentials,
        neighbours: () => neighbours,
        clock: systemClock,
        today,
      }),
      ...nodeMethods({
        identity,
        door,
        machine,
        neighbours: () => neighbours,
        ended: (next) => ending.resolve({ next }),
      }),
    }
    const served = guarded(methods, nodeId)
    const neighbours = parts.use(
      await Neighbours.open({
        self: { nodeId, clusterId, role },
        credentials: identity.credentials,
        address: `${host.includes(':') ? `[${host}]` : host}:${port}`,
        peers,
        remembered: await rememberedMembers(state, clusterId),
        multicast: mdns,
        admit: identity.removals.admit,
        protocols: {
          ...door.protocols,
          [streamProtocol]: relay.protocol,
          [knockProtocolName]: knockProtocol(identity),
          ...(identity.authority && { [renewalProtocolName]: renewalProtocol(identity) }),
        },
        methods: () => served,
        news: () => ({
          version,
          inventory: machine.inventory(),
          taken: [...tasks.taken],
          removed: [...identity.removals.list],
          jobs: [...jobs.heads],
        }),
        log,
      }),
    )
    jobs.begin()
    // Before the others are left, so that they hear what has become of them.
    parts.use(tasks)
    const links = parts.use(new LinkWatch({ machine, neighbours, log }))
    parts.defer(
      neighbours.subscribe((event) => {
        if (event.kind === 'left') {
          jobs.nodeLeft(event.nodeId)
          links.left(event.nodeId)
        } else {
          const { neighbour } = event
          identity.removals
            .merge(neighbour.news.removed)
            .catch((error: unknown) =>
              log(`'${neighbour.nodeId}' says who was removed: ${asError(error).message}`),
            )
          jobs.nodeCame(neighbour.nodeId, event.kind === 'came')
          if (event.kind === 'came') {
            links.came(neighbour)
            const known = neighbours.members.slice(1).flatMap(({ addresses }) => addresses)
            rememberMembers(state, clusterId, known).catch((error: unknown) => log(asError(error).message))
          }
        }
        tasks.nodesChanged()
      }),
    )
    parts.defer(
      machine.subscribe(() => {
        neighbours.changed()
        jobs.reconsider()
      }),
    )
    parts.defer(
      identity.removals.onRemoved((removed) => {
        log(`'${removed}' was removed from the cluster`)
        neighbours.changed()
        void neighbours.expel(removed)
      }),
    )
    jobs.begin()
    keepRenewed(identity, {
      signal: over.signal,
      log,
      managers: () =>
        neighbours.present
          .filter((neighbour) => neighbour.role === 'manager')
          .flatMap((neighbour) => neighbours.addressesTo(neighbour.nodeId)),
    })
    const { credentials, removals } = identity
    parts.use(
      await openEndpoints({
        ...options,
        host,
        version,
        credentials,
        metrics,
        state: () => stateOf({ machine, neighbours, jobs, tasks, store, fetcher }),
        admit: removals.admit,
      }),
    )
    return new Agent(neighbours, identity, parts.move(), ending)
  }

  get nodeId(): string {
    return this.#identity.nodeId
  }
  get clusterId(): string {
    return this.#identity.clusterId
  }
  /** Where it listens. */
  get address(): string {
    return this.#neighbours.address
  }
  /** The port that it listens at. */
  get port(): number {
    return this.#neighbours.port
  }

  /** Settles when the signal aborts or it is told to end; with another identity where this node is another one from now on. */
  async ended(signal: AbortSignal): Promise<Identity | undefined> {
    const stop = (): void => this.#ending.resolve({ next: undefined })
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    const { next } = await this.#ending.promise
    signal.removeEventListener('abort', stop)
    return next
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync()
  }
}
