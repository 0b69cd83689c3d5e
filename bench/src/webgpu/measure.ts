// A run on a GPU, `npm run bench -- webgpu`: counts first, then works beside the peers; on an adapter in software the counts alone.
import { asking } from '../asked.ts'
import type { Comparison } from '../compare.ts'
import { Comparator } from '../compare.ts'
import type { Contender } from '../contender.ts'
import { version } from '../contenders/shoals.ts'
import { torch } from '../contenders/torch.ts'
import { machine } from '../machine.ts'
import { sections, writePage } from '../report/page.ts'
import { comparisonTable } from '../report/tables.ts'
import type { Adapter } from './adapter.ts'
import { findAdapter } from './adapter.ts'
import { inChromium } from './chromium.ts'
import { countGpu } from './counts.ts'
import { gpuPeaks, gpuProbes, smallProbes } from './peaks.ts'
import { gpuShoal } from './shoal.ts'
import { gpuTargets } from './targets.ts'
import { gpuWorks, smallGpuWorks } from './works.ts'

/** Sides of small works say what they can say at once. */
const littlePatience = { work: 0, run: 4_000, warmUp: 100 }

/**
 * Measures what is asked for by the beginnings of names. Without names it measures everything, and writes its part of the page.
 * @param small tries the harness on whatever adapter there is, with small sizes, and writes nothing
 * @throws Error for beginnings that no work has
 */
export async function measureGpu(names: readonly string[], small: boolean): Promise<void> {
  const works = small ? smallGpuWorks : gpuWorks
  const asked = asking(
    names,
    works.map(({ name }) => name),
  )
  const adapter = await findAdapter()
  if (!adapter) return
  console.log(`${adapter.description}\n`)
  const timed = small || !adapter.software
  const everybody = timed ? await contenders(adapter, small) : []
  const comparator = small ? new Comparator(everybody, littlePatience) : new Comparator(everybody)
  const comparisons: Comparison[] = []
  for (const work of timed ? works.filter(({ name }) => asked(name)) : []) {
    const comparison = await comparator.compare(work)
    comparisons.push(comparison)
    console.log(`${comparisonTable([comparison]).join('\n')}\n`)
    for (const [name, fault] of comparison.faults) {
      console.error(`${name}, ${work.title}: the answer ${fault}`)
      process.exitCode = 1
    }
  }
  const whole = names.length === 0 && !small
  const report = {
    on: headOf(adapter, small),
    results: { comparisons, quantities: [], gpuCounts: await countGpu() },
    contenders: everybody,
    targets: gpuTargets,
    section: 'bench webgpu',
    complete: whole,
  } as const
  console.log(sections(report).join('\n'))
  if (whole) writePage(report)
  for (const contender of everybody) await contender.close?.()
}

async function contenders(adapter: Adapter, small: boolean): Promise<readonly Contender[]> {
  const pytorch = await torch(small ? 'cpu' : 'cuda')
  if (!pytorch)
    console.log(
      'PyTorch is left out: no python3 has torch with CUDA, and numpy (PYTHON may name one that does)',
    )
  return [
    gpuShoal({ name: 'shoal', version, clock: 'host' }),
    ...(adapter.timestamps ? [gpuShoal({ name: 'shoal, kernels', version, clock: 'kernels' })] : []),
    ...gpuPeaks(version, small ? smallProbes : gpuProbes),
    ...(await inChromium(version, small)),
    ...(pytorch ? [pytorch] : []),
  ]
}

function headOf({ description, software, timestamps }: Adapter, small: boolean): string {
  const adapter = `Adapter: ${description}.`
  if (software && !small)
    return `${adapter} It is one in software, whose times say nothing of a GPU's: only counts are told.`
  const parts = [machine(), adapter]
  if (small) parts.push('This run only tries the harness, with small sizes: its times say nothing.')
  if (!timestamps) parts.push('It has no `timestamp-query`: the time of kernels alone is not told.')
  return parts.join(' ')
}
