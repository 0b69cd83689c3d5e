// The session: the one thing that holds devices, variables and compiled programs, and the one thing to close.
import { stagesOf } from '../compile/compileGraph.ts'
import { bind } from '../compile/bind.ts'
import { ClosedError, ValueError } from '../errors.ts'
import type { OptionRules } from '../options.ts'
import { checkOptions, optionRules } from '../options.ts'
import type { Graph, Tensor } from '../graph/graph.ts'
import type { NDArray } from '../ndarray.ts'
import type { Variable } from '../ops/state/variable.ts'
import type { Pass } from '../passes/pass.ts'
import { standardPasses } from '../passes/index.ts'
import { StreamNames } from '../passes/streams.ts'
import { reference } from '../reference/device.ts'
import type { AnyResource } from '../resource.ts'
import type { ConcreteType } from '../shape.ts'
import type { Pause } from './awaitable.ts'
import type { Program } from './program.ts'
import { after, lastly, otherwise, takingTurns, type TurnClock } from './awaitable.ts'
import type { RunContext } from './context.ts'
import type { Awaitable, Device } from './device.ts'
import { ExecutableCache } from './executableCache.ts'
import type { Fetched, Fetches } from './fetches.ts'
import { flattenFetches, tensorFinder } from './fetches.ts'
import type { Feeds } from './feeds.ts'
import { resolveFeeds } from './feeds.ts'
import { initialAssignments, resourcesOf, variablesToStart } from './initialize.ts'
import { Declarations } from './declarations.ts'
import { LocalTarget } from './localTarget.ts'
import { LocalRendezvous } from './rendezvous.ts'
import type { StagedGraph } from './staged.ts'
import { runStaged, isStaged } from './staged.ts'
import type { CompileOptions, Executable, SessionTarget } from './target.ts'
import { RunScope } from './scope.ts'
import type { RunState } from './state.ts'
import type { TraceEvent } from './trace.ts'
import { Trace } from './trace.ts'

/** How a session is made. */
export interface SessionOptions {
  /**
   * In order of preference; the first that can run a node gets it, unless the node asks for another. They belong to this session from now on,
   * which closes them. Default: the reference device.
   */
  readonly devices?: readonly Device[]
  /** Where graphs run instead of on devices of this process: a cluster's master. The session closes it. */
  readonly target?: SessionTarget
  /** What random numbers follow from: the same seed and the same runs give the same numbers. Default 0. */
  readonly seed?: number
  /** Default: `standardPasses`. */
  readonly passes?: Pass
  /** false gives every node a kernel of its own, for debugging and measuring. Default true. */
  readonly fusion?: boolean
  /**
   * What feeds and intermediate values of a program may take on a device; while they take more, values are computed again instead of being kept, as
   * far as that helps: it is an aim, and where it cannot be met `log` and `inspectProgram` say what it came to. Compiling takes many times as long. Variables, constants and
   * scratch memory of kernels are not counted; each body of a branch or loop is a program of its own. From 0; default: no limit.
   */
  readonly maxActivationBytes?: number
  /** May a node run elsewhere when the device that it asks for cannot run it? Default true. */
  readonly softPlacement?: boolean
  /** Compiled graphs kept; the least recently run one goes first. Default 64. */
  readonly maxPrograms?: number
  /** Where lines go that ops print, and that tell where soft placement moved a node, and where `maxActivationBytes` cannot be met. Default: nowhere. */
  readonly log?: (line: string) => void
  /** The time after which runs that follow each other, and rounds of loops, leave turns to others. Default: the platform's. */
  readonly clock?: TurnClock
}

/** How one run is made. */
export interface RunOptions {
  /** Ends every wait of the run. */
  readonly signal?: AbortSignal
  /** Called at the end of the run with what ran when; tracing runs kernels one by one. */
  readonly onTrace?: (events: readonly TraceEvent[]) => void
}

const isDevice = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'caps' in value &&
  typeof value.caps === 'object' &&
  ['alloc', 'kernel', 'fuse'].every((method) => typeof Reflect.get(value, method) === 'function')

const sessionRules: OptionRules<SessionOptions> = {
  devices: optionRules.list('a list of devices, as in [cpu()]', isDevice),
  target: {
    wanted: 'the target of a session, which a server or a connection to one gives',
    accepts: (value) => typeof value === 'object' && value !== null && 'compile' in value,
  },
  seed: optionRules.whole(),
  passes: {
    wanted: 'a pass, with a name and a function run',
    accepts: (value) =>
      typeof value === 'object' && value !== null && 'run' in value && typeof value.run === 'function',
  },
  fusion: optionRules.boolean,
  maxActivationBytes: optionRules.from(0),
  softPlacement: optionRules.boolean,
  maxPrograms: optionRules.whole(0),
  log: optionRules.function,
  clock: {
    wanted: 'a clock, with functions now and after',
    accepts: (value) => typeof value === 'object' && value !== null && 'now' in value && 'after' in value,
  },
}

const runRules: OptionRules<RunOptions> = {
  signal: {
    wanted: 'an AbortSignal',
    accepts: (value) => typeof value === 'object' && value !== null && 'aborted' in value,
  },
  onTrace: optionRules.function,
}

/** What all stages of a run have in common. */
type GraphRun = Omit<RunState, 'rendezvous'> & {
  /** Is it free to forget what it compiles? */
  readonly once: boolean
}

/** Devices that a session was given, which closes them. */
const taken = new WeakSet<Device>()

/** Makes devices a session's own. @throws ValueError for one that is another's: closing either session would end both. */
function ownDevices(devices: readonly Device[]): readonly Device[] {
  const shared = devices.find((device, i) => taken.has(device) || devices.indexOf(device) < i)
  if (shared)
    throw new ValueError(
      `the ${shared.type} device was given to a session already, which closes it with itself: a device belongs to one session, open another`,
    )
  devices.forEach((device) => taken.add(device))
  return devices
}

/** Runs graphs on devices, and keeps variables, queues and compiled programs between runs. Close it when done. */
export class Session implements AsyncDisposable {
  private readonly options: SessionOptions
  private readonly target: SessionTarget
  private readonly compileOptions: CompileOptions
  private readonly declarations = new Declarations()
  private readonly streams = new StreamNames()
  private readonly states = new Map<string, object>()
  private readonly cache: ExecutableCache
  private readonly closing = new AbortController()
  /** Turns between runs. Each run takes those within it for itself, so that one that is short is not parted where the last one ended late. */
  private readonly turns: Pause
  private readonly running = new Set<Promise<unknown>>()
  private closed: Promise<void> | undefined
  private step = 0

  /** @throws ValueError for options that there are not, or out of range, and for devices of another session. */
  constructor(options: SessionOptions = {}) {
    checkOptions('Session', options, sessionRules)
    this.options = options
    this.turns = takingTurns({ clock: options.clock })
    if (options.target && options.devices)
      throw new ValueError('a session runs on its devices or on its target: give one of them')
    this.target = options.target ?? new LocalTarget(ownDevices(options.devices ?? [reference()]))
    this.compileOptions = {
      passes: options.passes ?? standardPasses,
      fusion: options.fusion ?? true,
      maxActivationBytes: options.maxActivationBytes,
      softPlacement: options.softPlacement ?? true,
      log: this.log,
    }
    this.cache = new ExecutableCache(options.maxPrograms ?? 64)
  }

  /** Devices of this process; none where its target is elsewhere. */
  get devices(): readonly Device[] {
    return this.target.devices
  }

  /**
   * Computes what is fetched, in the structure in which it is asked for, and runs what it depends on and nothing else.
   * @throws MissingFeedError, ShapeError, DTypeError, UninitializedError, PlacementError, and whatever the ops throw. The session stays usable.
   */
  run<const F extends Fetches>(fetches: F, feeds: Feeds = [], options: RunOptions = {}): Promise<Fetched<F>> {
    return this.start(() =>
      this.execute(fetches, feeds, options, { pause: takingTurns({ clock: this.options.clock }) }),
    ) as Promise<Fetched<F>>
  }

  /** As `run`, for graphs in which nothing waits, on devices that compute at once. @throws ValueError when something would have to wait. */
  runSync<const F extends Fetches>(fetches: F, feeds: Feeds = [], options: RunOptions = {}): Fetched<F> {
    const result = this.execute(fetches, feeds, options, {})
    if (result instanceof Promise) {
      // It goes on and may fail later; nobody is there to hear it.
      result.catch(() => undefined)
      throw new ValueError(
        'something in this graph waits (a queue, another device, an asynchronous one): use run instead of runSync',
      )
    }
    return result as Fetched<F>
  }

  /**
   * The programs that `run` would run with these fetches and feeds, one for each device, to be looked at: `inspectProgram`. They stay the
   * session's own.
   * @throws ValueError for a graph with sizes that only a run can tell, which is compiled as it runs.
   */
  programs(fetches: Fetches, feeds: Feeds = []): Promise<readonly Program[]> {
    return this.start(() => {
      this.demandOpen()
      const { graph } = flattenFetches(fetches)
      const arrays = resolveFeeds(feeds, tensorFinder(graph))
      const key = this.cache.keyOf(graph, arrays)
      return after(this.cache.take(key) ?? this.compile(graph, arrays), (compiled) => {
        this.cache.put(key, compiled)
        if (isStaged(compiled))
          throw new ValueError(
            'this graph has sizes that only a run can tell: its programs are made as it runs',
          )
        return compiled.programs
      })
    }) as Promise<readonly Program[]>
  }

  /** Gives every variable that these depend on, and that has no value yet, its initial one; variables that others start from come first. */
  async initialize(...roots: readonly Fetches[]): Promise<void> {
    this.demandOpen()
    const candidates = variablesToStart(flattenFetches(roots).graph)
    candidates.forEach((variable) => this.declarations.claim(variable))
    const initialized = await this.target.initialized(candidates)
    const known = new Set(candidates.filter((_, i) => initialized[i]))
    for (const assignments of initialAssignments(candidates, known))
      await this.start(() =>
        this.execute(assignments, [], {}, { pause: takingTurns({ clock: this.options.clock }), once: true }),
      )
  }

  /** Has a variable a value? */
  async isInitialized(variable: Variable): Promise<boolean> {
    return (await this.uninitialized([variable])).length === 0
  }

  /** Those of the variables that have no value, in their order. Whoever keeps some of them is asked once. */
  async uninitialized(variables: readonly Variable[]): Promise<Variable[]> {
    this.demandOpen()
    const resources = variables.map(({ resource }) => resource)
    resources.forEach((resource) => this.declarations.claim(resource))
    const initialized = await this.target.initialized(resources)
    return variables.filter((_, i) => !initialized[i])
  }

  /**
   * Sets a variable to a host value: what restoring a checkpoint does. One that was never used is made where its initial value would be made.
   * @throws ShapeError or DTypeError when it does not fit, ClosedError.
   */
  async write({ resource }: Variable, value: NDArray): Promise<void> {
    this.demandOpen()
    this.declarations.claim(resource)
    await this.target.write(resource, value, this.compileOptions)
  }

  /** Ends running work, waits for it, and gives all memory and all devices back. */
  async close(): Promise<void> {
    this.closed ??= this.shutDown()
    await this.closed
  }
  private async shutDown(): Promise<void> {
    this.closing.abort(new ClosedError('the session was closed'))
    await Promise.allSettled(this.running)
    this.cache.clear()
    await this.target[Symbol.asyncDispose]()
  }
  /** @see close */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private demandOpen(): void {
    if (this.closing.signal.aborted) throw new ClosedError('the session was closed')
  }

  /** Work that closing waits for. */
  private start(work: () => Awaitable<unknown>): Promise<unknown> {
    // Runs that follow each other without waiting for anything leave turns to others as one long run does.
    const started = Promise.resolve(this.turns()).then(work)
    this.running.add(started)
    return started.finally(() => this.running.delete(started))
  }

  private execute(
    fetches: Fetches,
    feeds: Feeds,
    options: RunOptions,
    manner: { readonly pause?: Pause; readonly once?: boolean },
  ): Awaitable<unknown> {
    this.demandOpen()
    checkOptions('run', options, runRules)
    options.signal?.throwIfAborted()
    const { graph, restore } = flattenFetches(fetches)
    const arrays = resolveFeeds(feeds, tensorFinder(graph))
    const trace = options.onTrace && new Trace()
    return this.scoped(options.signal, (scope) =>
      after(
        this.runGraph(graph, arrays, { ...scope, once: false, pause: undefined, trace, ...manner }),
        (values) => {
          if (trace) options.onTrace?.(trace.events)
          return restore(values)
        },
      ),
    )
  }

  private runGraph(graph: Graph, feeds: ReadonlyMap<Tensor, NDArray>, run: GraphRun): Awaitable<NDArray[]> {
    const key = this.cache.keyOf(graph, feeds)
    return after(this.cache.take(key) ?? this.compile(graph, feeds), (compiled) => {
      if (isStaged(compiled)) {
        if (!run.once) this.cache.put(key, compiled)
        return runStaged(compiled, feeds, (g, f) => this.runGraph(g, f, run))
      }
      checked(compiled)
      return lastly(
        () =>
          after(this.target.pace?.(), () =>
            compiled.run({ ...run, rendezvous: new LocalRendezvous() }, [...feeds.values()]),
          ),
        () => (run.once ? compiled.free() : this.cache.put(key, compiled)),
      )
    })
  }

  private compile(graph: Graph, feeds: ReadonlyMap<Tensor, NDArray>): Awaitable<Executable | StagedGraph> {
    const types = new Map<Tensor, ConcreteType>(
      [...feeds].map(([t, { dtype, shape }]) => [t, { dtype, shape }]),
    )
    const fed = bind(graph, types)
    const bound = { ...fed, graph: this.streams.apply(fed.graph) }
    resourcesOf(bound.graph).forEach((resource) => this.declarations.claim(resource))
    return stagesOf(bound) ?? this.target.compile(bound, this.compileOptions)
  }

  /** Runs work with a context of its own; what it holds is released when the work ends. */
  private scoped<T>(
    signal: AbortSignal | undefined,
    work: (scope: Pick<RunState, 'context' | 'abort'>) => Awaitable<T>,
  ): Awaitable<T> {
    const scope = new RunScope(signal ? [this.closing.signal, signal] : [this.closing.signal])
    const context: RunContext = {
      get signal() {
        return scope.signal
      },
      step: this.step++,
      seed: this.options.seed ?? 0,
      state: this.stateOf,
      onEnd: (release) => scope.onEnd(release),
      log: this.log,
    }
    // What else still waits in a run that failed must not wait for ever.
    const fail = (error: unknown): never => {
      scope.abort(error)
      throw error
    }
    return lastly(
      () => otherwise(() => work({ context, abort: (reason) => scope.abort(reason) }), fail),
      () => scope.end(),
    )
  }

  private readonly log = (line: string): void => this.options.log?.(line)

  private readonly stateOf = <S extends object>(resource: AnyResource, create: () => S): S => {
    const key = `${resource.kind}:${resource.name}`
    let state = this.states.get(key)
    if (!state) this.states.set(key, (state = create()))
    return state as S
  }
}

function checked(executable: Executable): void {
  try {
    executable.check()
  } catch (error) {
    executable.free()
    throw error
  }
}
