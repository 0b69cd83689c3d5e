// One task of the cluster, as TF_CONFIG says which: a parameter server serves until it is asked to end, a worker trains.
import { readFile } from 'node:fs/promises'
import { readTfConfig, Server } from '@shoal/distributed'
import { type NodeCredentials, ThreadedTransport } from '@shoal/distributed/node'
import { openDevice } from '@shoal/example-parts'
import { trainAsynchronously } from './asynchronous.ts'
import { outcomeMark, type TrainingOptions } from './training.ts'

const config = readTfConfig(process.env)
if (!config) throw new Error('TF_CONFIG says which task this is: start main.ts, which sets it')
const options = JSON.parse(process.argv[2]!) as TrainingOptions & {
  readonly device: string
  readonly threads: number
}
const credentials = JSON.parse(await readFile(process.env['SHOAL_CREDENTIALS']!, 'utf8')) as NodeCredentials

// In a thread of its own, so that computing delays nobody.
await using transport = new ThreadedTransport({ credentials })
await using server = await Server.start(config.server, {
  devices: [await openDevice(options.device, options.threads)],
  transport,
  log: (line) => console.log(line),
})
if (server.def.job === 'ps') {
  process.once('SIGTERM', () => void server.close())
  console.log(`serves at ${server.address}`)
  await server.join()
} else {
  const outcome = await trainAsynchronously(server, options)
  if (outcome) console.log(`${outcomeMark}${JSON.stringify(outcome)}`)
}
