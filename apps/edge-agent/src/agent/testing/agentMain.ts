// One agent in a process of its own, for tests that kill it. Its options are the argument, in JSON; it tells its parent what happens, and ends with it.
import { runAgent, type RunOptions } from '../run.ts'

const ending = new AbortController()
for (const event of ['SIGTERM', 'disconnect']) process.once(event, () => ending.abort())
const tell = (message: object): void => {
  if (process.connected) process.send!(message)
}
await runAgent({
  ...(JSON.parse(process.argv[2]!) as Partial<RunOptions>),
  signal: ending.signal,
  log: (line) => tell({ line }),
  listening: (at) => tell({ at }),
})
if (process.connected) process.disconnect()
