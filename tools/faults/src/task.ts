// One task of a cluster as a process of its own: a parameter server, or a worker that trains until all steps are done.
import { exitCodeOf, ServerDef } from '@shoal/distributed'
import { startServer } from '@shoal/distributed/node'
import { openDevice } from '@shoal/example-parts'
import { trainMember } from './allReduce.ts'
import { trainAsynchronously } from './asynchronous.ts'
import type { News, TaskOptions } from './protocol.ts'
import { trainSynchronously } from './synchronous.ts'

const options = JSON.parse(process.argv[2]!) as TaskOptions
/** Whoever has started this process, and is gone, has no more use for it. */
process.on('disconnect', () => process.exit())
const tell = (news: News): void => void process.send?.(news)
const log = (line: string): void => tell({ kind: 'log', line })

async function serve(): Promise<void> {
  const { job, credentials, arrangement } = options
  const devices = [await openDevice('cpu', 1)]
  await using server = await startServer(new ServerDef(options), { devices, credentials, log })
  tell({ kind: 'serves' })
  if (job === 'ps') {
    process.once('SIGTERM', () => void server.close())
    await server.join()
  } else if (arrangement === 'synchronous') await trainSynchronously(server, options, tell)
  else await trainAsynchronously(server, options, tell)
}

try {
  await (options.arrangement === 'allReduce' ? trainMember(options, tell) : serve())
} catch (error) {
  log(`ends: ${String(error)}`)
  process.exitCode = exitCodeOf(error)
}
process.removeAllListeners('disconnect')
process.disconnect?.()
