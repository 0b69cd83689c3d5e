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
  /** Milliseconds in which one contender warms up. */
  readonly warmUpMs: number
}

/**
 * Measures runs by name.
 * @param cpu the processor time so far of all processes that take part, in ms
 */
export async function inTurn(
  runs: ReadonlyMap<string, () => Promise<void>>,
  cpu: () => Promise<number>,
  { rounds, sampleMs, warmUpMs }: Patience,
): Promise<ReadonlyMap<string, readonly Spent[]>> {
  const repeats = new Map<string, number>()
  for (const [name, run] of runs) {
    // The first run makes what the others use.
    await run()
    const start = performance.now()
    let count = 0
    do {
      await run()
      count++
    } while (performance.now() - start < warmUpMs)
    const repeat = Math.ceil((sampleMs * count) / (performance.now() - start))
    repeats.set(name, Math.max(1, repeat))
  }
  const samples = new Map<string, Spent[]>([...runs.keys()].map((name) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const [name, run] of runs) samples.get(name)!.push(await sample(run, repeats.get(name)!, cpu))
  return samples
}

async function sample(run: () => Promise<void>, repeats: number, cpu: () => Promise<number>): Promise<Spent> {
  const cpuBefore = await cpu()
  const start = performance.now()
  for (let i = 0; i < repeats; i++) await run()
  const ms = performance.now() - start
  return { ms: ms / repeats, cpuMs: ((await cpu()) - cpuBefore) / repeats }
}
