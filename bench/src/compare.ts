// One work, all contenders, in turn: checked first, warmed up, then sampled round by round so that what disturbs the machine disturbs all.
import type { Contender, Side } from './contender.ts'
import { checkedWork, expectation, faultOf } from './expectation.ts'
import type { Samples } from './statistics.ts'
import type { Work } from './work.ts'

/** What was measured of one work. */
export interface Comparison {
  readonly work: Work
  /** Milliseconds by contender, one entry for each round. */
  readonly samples: ReadonlyMap<string, Samples>
  /** Contenders whose answers were wrong, and what was. */
  readonly faults: ReadonlyMap<string, string>
  /** Contenders that would have taken too long. */
  readonly tooSlow: readonly string[]
}

/** How long things may take, in milliseconds. */
export interface Patience {
  /** All rounds of one work together, unless that were too few rounds. */
  readonly work: number
  /** One run; whoever is expected to take longer is left out. */
  readonly run: number
  /** The warm-up of one contender, which ends earlier when its runs get no faster. */
  readonly warmUp: number
}

const defaultPatience: Patience = { work: 3_000, run: 4_000, warmUp: 3_000 }
const rounds = { least: 5, most: 41, ofSlow: 3 }
/** A sample is at least so long, in ms, so that the clock does not matter; a slow side sits rounds out. */
const sample = { least: 4, slow: 400 }
/** Optimised code may come after hundreds of runs: a batch is long, and several of them must take about the same. */
const warmUp = { batchMs: 150, steady: 0.85, steadyBatches: 3 }

/** Compares contenders. It learns from each work how long the next one of its kind will take them. */
export class Comparator {
  readonly #contenders: readonly Contender[]
  readonly #patience: Patience
  /** Milliseconds per unit of cost, by contender and kind. */
  readonly #rates = new Map<string, number>()

  constructor(contenders: readonly Contender[], patience: Patience = defaultPatience) {
    this.#contenders = contenders
    this.#patience = patience
  }

  async compare(work: Work): Promise<Comparison> {
    const [patient, tooSlow] = this.#split(work)
    const faults = await findFaults(checkedWork(work), patient)
    const sides = new Map<string, Side>()
    for (const contender of patient) {
      const side = faults.has(contender.name) ? undefined : await contender.prepare(work)
      if (side) sides.set(contender.name, side)
    }
    const samples = await sampled(sides, this.#patience)
    for (const [name, times] of samples) this.#rates.set(rateKey(name, work), times[0]! / costOf(work))
    for (const side of sides.values()) await side.close()
    return { work, samples, faults, tooSlow: tooSlow.map(({ name }) => name) }
  }

  #split(work: Work): [patient: readonly Contender[], tooSlow: readonly Contender[]] {
    const slow = this.#contenders.filter(({ name }) => {
      const rate = this.#rates.get(rateKey(name, work))
      return rate !== undefined && rate * costOf(work) > this.#patience.run
    })
    return [this.#contenders.filter((contender) => !slow.includes(contender)), slow]
  }
}

const rateKey = (name: string, work: Work): string =>
  `${name} ${work.kind} ${'model' in work ? work.model : 'pass' in work ? work.pass : ''}`
const costOf = (work: Work): number =>
  work.flops || work.bytes || ('batch' in work ? work.batch : 'length' in work ? work.length : 1)

/** Compares everybody's answer with the reference device's. */
async function findFaults(work: Work, contenders: readonly Contender[]): Promise<Map<string, string>> {
  const faults = new Map<string, string>()
  const expected = await expectation(work)
  for (const contender of contenders) {
    try {
      const side = await contender.prepare(work)
      if (!side) continue
      const result = await side.result()
      // Peaks compute nothing.
      const fault = result.length === 0 ? undefined : faultOf(expected, result)
      if (fault) faults.set(contender.name, fault)
      await side.close()
    } catch (error) {
      faults.set(contender.name, `did not come: ${String(error)}`)
    }
  }
  return faults
}

async function sampled(sides: ReadonlyMap<string, Side>, patience: Patience): Promise<Map<string, Samples>> {
  const plans = new Map<string, { readonly side: Side; readonly repeats: number; readonly ms: number }>()
  for (const [name, side] of sides) {
    const ms = await warm(side, patience.warmUp)
    plans.set(name, { side, repeats: Math.max(1, Math.ceil(sample.least / ms)), ms })
  }
  const samples = new Map<string, (number | undefined)[]>([...sides.keys()].map((name) => [name, []]))
  const start = performance.now()
  for (let round = 0; round < rounds.most; round++) {
    if (round >= rounds.least && performance.now() - start > patience.work) break
    for (const [name, { side, repeats, ms }] of plans) {
      const sitsOut = ms > sample.slow && round >= rounds.ofSlow
      samples.get(name)!.push(sitsOut ? undefined : await side.sample(repeats))
    }
  }
  return samples
}

/** Runs until compilers have done their work, which shows in runs that get no faster; answers how long a run takes by then, in ms. */
async function warm(side: Side, mostMs: number): Promise<number> {
  // The first run builds, compiles and tunes: it says nothing of the others, and takes no time from their warm-up.
  await side.sample(1)
  const start = performance.now()
  let ms = await side.sample(1)
  let steady = 0
  while (steady < warmUp.steadyBatches && performance.now() - start + ms < mostMs) {
    const next = await side.sample(Math.ceil(warmUp.batchMs / ms))
    steady = next > warmUp.steady * ms ? steady + 1 : 0
    ms = Math.min(ms, next)
  }
  return ms
}
