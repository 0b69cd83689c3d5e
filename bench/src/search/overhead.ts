// What a trial costs that does nothing, with a study on disk.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStudy, tpeSampler } from '@shoal/tune'
import { SqliteStorage } from '@shoal/tune/node'
import { float } from '@shoal/tune'

/** Empty trials per second of one process: proposed by TPE among `trials` of two parameters, begun, reported once and ended in SQLite. */
export async function emptyTrialsPerSecond(trials: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-search-'))
  try {
    await using storage = SqliteStorage.open(join(folder, 'studies.db'))
    const space = { x: float(0, 1), y: float(1e-5, 1, { log: true }) }
    const study = await createStudy({ space, storage, sampler: tpeSampler() })
    const start = performance.now()
    await study.optimize(
      async (trial) => {
        await trial.report(1, trial.params.x)
        return trial.params.x
      },
      { trials },
    )
    return (trials * 1000) / (performance.now() - start)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
