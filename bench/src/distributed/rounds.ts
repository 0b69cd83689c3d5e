// Everybody in turn, round by round: what disturbs the machine disturbs all. The processor time of both ends is told beside the clock's.

/** What one run took. */
export interface Spent {
  readonly ms: number
  /** Processor time of all processes that take part, in ms. */
  readonly cpuMs: number
}

/** How long things may take. */
export interface Patience {
  readonly rounds: number
  /** Milliseconds of one sample, at least: runs in a row whose mean counts. */
  readonly sampleMs: number
  /** Milliseconds of processor time in which one contender warms up: on a busy machine the clock runs on while nothing is compiled. */
  readonly warmUpMs: number
}

/** Does something so many times in a row, and tells what one took. */
export type Sampler = (repeats: number) => Promise<Spent>

/** The processor time that this process has taken, in ms. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Measures by name: a warm-up of each, then rounds in which each gives one sample. */
export async function inTurn(
  samplers: ReadonlyMap<string, Sampler>,
  { rounds, sampleMs, warmUpMs }: Patience,
): Promise<ReadonlyMap<string, readonly Spent[]>> {
  const repeats = new Map<string, number>()
  for (const [name, sampler] of samplers)
    repeats.set(name, repeatsFor(sampleMs, await warm(sampler, warmUpMs)))
  const samples = new Map<string, Spent[]>([...samplers.keys()].map((name) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const [name, sampler] of samplers) samples.get(name)!.push(await sampler(repeats.get(name)!))
  return samples
}

const repeatsFor = (ms: number, ofOne: number): number => Math.max(1, Math.ceil(ms / ofOne))

/** Runs for a while; answers how long one took in the end, in ms. */
async function warm(sampler: Sampler, warmUpMs: number): Promise<number> {
  // The first run makes what the others use.
  await sampler(1)
  let spent = await sampler(1)
  for (let passed = 0; passed < warmUpMs; ) {
    // Half of what is left, so that an early and slow run does not decide.
    const count = repeatsFor((warmUpMs - passed) / 2, Math.max(spent.cpuMs, leastMs))
    spent = await sampler(count)
    passed += Math.max(1, spent.cpuMs * count)
  }
  return spent.ms
}

/** What the system counts of processor time comes in steps: one run may seem to take none. */
const leastMs = 0.01
