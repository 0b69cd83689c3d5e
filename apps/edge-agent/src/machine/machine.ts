// This machine as the others see it: looked at every second, told when it has changed, and measured once.
import { statfsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { asError, type Clock, systemClock } from '@shoal/distributed/peers'
import { isWorthTelling } from './change.ts'
import { HeatSensors } from './heat.ts'
import type { Inventory, LinkQuality } from './inventory.ts'
import { Load, readProcessorTime } from './load.ts'
import { type Allowance, readMemory } from './memory.ts'
import { processorName } from './processor.ts'
import { runSelfTest, type SelfTest, type SelfTestOptions } from './selfTest.ts'
import { machineKey, readSpeed, storeSpeed } from './speedFile.ts'
import { SystemFiles } from './systemFiles.ts'

/** What to look at, and how. */
export interface MachineOptions {
  /** The state folder: there the result of the self-test is kept, and the free disk is that of its file system. It has to be there. */
  readonly folder: string
  /** Told in words of what a person should know: a self-test that failed, a file that could not be written. */
  readonly log: (line: string) => void
  /** Default: the system's. */
  readonly clock?: Clock
  /** Ends what it does, as disposing does. */
  readonly signal?: AbortSignal | undefined
  /** Where `proc` and `sys` are. Default '/'. */
  readonly root?: string
  /** Milliseconds from one look to the next. Default 1000. */
  readonly everyMs?: number
  /** Answers with what the system lets this process have. Default: as Node tells. */
  readonly allowance?: () => Allowance
  /** Measures the machine. Default: `runSelfTest`. */
  readonly selfTest?: (options: SelfTestOptions) => Promise<SelfTest>
}

/** The first look comes so soon, for before the second reading of its counters nobody knows how busy the processor is. */
const firstLookMs = 200

const nodesAllowance = (): Allowance => ({
  cores: availableParallelism(),
  memoryBytes: process.constrainedMemory() || Infinity,
  freeMemoryBytes: process.availableMemory(),
})

type Listener = (inventory: Inventory) => void

/** What this node has to offer, from moment to moment. */
export class Machine implements AsyncDisposable {
  readonly #options: Required<Omit<MachineOptions, 'signal'>>
  readonly #files: SystemFiles
  readonly #heat: HeatSensors
  readonly #load: Load
  readonly #processor: string
  readonly #links = new Map<string, LinkQuality>()
  readonly #listeners = new Set<Listener>()
  readonly #ending = new AbortController()
  readonly #signal: AbortSignal
  #selfTest: SelfTest | undefined
  #measuring: Promise<void> | undefined
  #freeDiskBytes: number
  #diskFault = ''
  #now: Inventory
  #told: Inventory
  #disarm: () => void

  private constructor(options: MachineOptions, selfTest: SelfTest | undefined) {
    const defaults = {
      clock: systemClock,
      root: '/',
      everyMs: 1000,
      allowance: nodesAllowance,
      selfTest: runSelfTest,
    }
    const { signal, ...given } = options
    this.#options = { ...defaults, ...given }
    this.#signal = signal ? AbortSignal.any([signal, this.#ending.signal]) : this.#ending.signal
    this.#files = new SystemFiles(this.#options.root)
    this.#heat = new HeatSensors(this.#files)
    this.#load = new Load(readProcessorTime(this.#files))
    this.#processor = processorName(this.#files)
    this.#selfTest = selfTest
    this.#freeDiskBytes = freeBytesOf(options.folder)
    this.#now = this.#told = this.#take()
    this.#disarm = this.#options.clock.after(firstLookMs, this.#look)
    this.#signal.addEventListener('abort', () => this.#disarm(), { once: true })
  }

  /**
   * Looks at this machine, and begins to measure it where that is not known yet: nobody waits for it, and the speed is told once it is there.
   * @throws the reason of the signal, and what the file system throws where the folder is not there.
   */
  static async open(options: MachineOptions): Promise<Machine> {
    const key = await machineKey()
    const known = await readSpeed(options.folder, key)
    options.signal?.throwIfAborted()
    const machine = new Machine(options, known)
    if (!known) machine.#measuring = machine.#measure(key)
    return machine
  }

  /** What the machine has to offer, as of the last look. */
  inventory(): Inventory {
    return this.#now
  }

  /**
   * Tells the inventory whenever it has changed by something that matters: a reading by more than `isWorthTelling` lets pass, a link, the result of
   * the self-test. The answer ends that.
   */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Takes in how good the way to another node is; undefined: there is none any more. */
  setLink(nodeId: string, quality: LinkQuality | undefined): void {
    if (quality) this.#links.set(nodeId, quality)
    else this.#links.delete(nodeId)
    this.#now = { ...this.#now, links: Object.fromEntries(this.#links) }
    this.#tell()
  }

  /** Settles when the self-test is done, well or not; at once where its result was known. */
  async measured(): Promise<void> {
    await this.#measuring
  }

  /** Looks no more, and ends a self-test. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new DOMException('the machine is no longer looked at', 'AbortError'))
    this.#listeners.clear()
    await this.#measuring
  }

  readonly #look = (): void => {
    const { clock, everyMs, folder, log } = this.#options
    // First of all, so that a fault of a listener does not end it.
    this.#disarm = clock.after(everyMs, this.#look)
    this.#load.add(readProcessorTime(this.#files))
    try {
      this.#freeDiskBytes = freeBytesOf(folder)
      this.#diskFault = ''
    } catch (thrown) {
      const fault = asError(thrown).message
      if (fault !== this.#diskFault) log(`how much of the disk is free cannot be told: ${fault}`)
      this.#diskFault = fault
      this.#freeDiskBytes = 0
    }
    this.#now = this.#take()
    this.#tell()
  }

  #tell(): void {
    if (this.#signal.aborted || !isWorthTelling(this.#told, this.#now)) return
    this.#told = this.#now
    for (const listener of this.#listeners) listener(this.#now)
  }

  #take(): Inventory {
    const allowance = this.#options.allowance()
    const memory = readMemory(this.#files, allowance)
    const heat = this.#heat.read()
    const adapters = this.#selfTest?.adapters ?? []
    return {
      platform: process.platform,
      arch: process.arch,
      nodeVersion: process.versions.node,
      cores: allowance.cores,
      memoryBytes: memory.bytes,
      freeMemoryBytes: memory.freeBytes,
      freeDiskBytes: this.#freeDiskBytes,
      devices: [
        { type: 'cpu', model: this.#processor },
        ...adapters.map((model) => ({ type: 'webgpu' as const, model })),
      ],
      ...(this.#selfTest && { speed: this.#selfTest.speed }),
      ...(heat && { heat }),
      load: this.#load.value,
      links: Object.fromEntries(this.#links),
    }
  }

  async #measure(key: string): Promise<void> {
    const { selfTest, folder, log, clock } = this.#options
    try {
      this.#selfTest = await selfTest({ log, clock, signal: this.#signal })
      this.#now = this.#take()
      this.#tell()
      // What was measured on a slowed processor is not what it can do: the next start measures again.
      if (!this.#now.heat?.throttled) await storeSpeed(folder, key, this.#selfTest)
    } catch (thrown) {
      if (this.#signal.aborted) return
      const what = this.#selfTest
        ? 'the speed of this machine could not be kept'
        : 'the speed of this machine is not known'
      log(`${what}: ${asError(thrown).message}`)
    }
  }
}

function freeBytesOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
