// A process that searches, for tests that kill it: `node searching.ts FILE LEASE-MS HANG-AT` says `number attempt` of each trial that it begins.
import { randomSampler } from '../samplers/random.ts'
import { float } from '../space/domain.ts'
import { SqliteStorage } from '../storage/sqlite.ts'
import { createStudy } from '../study/study.ts'

const [path, leaseMs, hangAt] = process.argv.slice(2)
await using storage = SqliteStorage.open(path!)
const study = await createStudy({
  space: { x: float(0, 1) },
  storage,
  sampler: randomSampler(),
  leaseMs: Number(leaseMs),
})
await study.optimize(
  async ({ number, attempt, params }) => {
    process.stdout.write(`${number} ${attempt}\n`)
    if (number === Number(hangAt)) await new Promise((resolve) => setInterval(resolve, 2 ** 30))
    return params.x
  },
  { trials: 8 },
)
