// One task of the cluster, as TF_CONFIG says which: it serves until it is asked to end, or does its part of the training.
import { readFile } from 'node:fs/promises'
import { readTfConfig, Server } from '@shoal/distributed'
import { type NodeCredentials, ThreadedTransport } from '@shoal/distributed/node'
import { openDevice } from '@shoal/example-parts'
import { arrangementOf } from './arrangements.ts'
import { claimsMark, type Task, type TrainingOptions } from './training.ts'

const config = readTfConfig(process.env)
if (!config) throw new Error('TF_CONFIG says which task this is: start main.ts, which sets it')
const { arrangement, device, threads, ...options } = JSON.parse(process.argv[2]!) as TrainingOptions & {
  readonly arrangement: string
  readonly device: string
  readonly threads: number
}
const { serving, run } = arrangementOf(arrangement)!
const credentials = JSON.parse(await readFile(process.env['SHOAL_CREDENTIALS']!, 'utf8')) as NodeCredentials

await using transport = new ThreadedTransport({ credentials })
await using servers = new AsyncDisposableStack()
const task: Task = {
  def: config.server,
  transport,
  openDevice: () => openDevice(device, threads),
  async startServer() {
    const log = (line: string): void => console.log(line)
    return servers.use(await Server.start(this.def, { devices: [await this.openDevice()], transport, log }))
  },
}
if (serving.includes(task.def.job)) {
  const server = await task.startServer()
  process.once('SIGTERM', () => void server.close())
  console.log(`serves at ${server.address}`)
  await server.join()
} else {
  const claims = await run(task, options)
  if (claims.length > 0) console.log(`${claimsMark}${JSON.stringify(claims)}`)
}
