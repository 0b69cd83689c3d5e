// One task of the cluster, as TF_CONFIG says which: it serves until it is asked to end, or does its part of the training.
import { readFile } from 'node:fs/promises'
import { readTfConfig, Server } from '@shoal/distributed'
import { type NodeCredentials, ThreadedTransport } from '@shoal/distributed/node'
import { openDevice } from '@shoal/example-parts'
import { arrangementOf } from './arrangements.ts'
import { claimsMark, type TrainingOptions } from './training.ts'

const config = readTfConfig(process.env)
if (!config) throw new Error('TF_CONFIG says which task this is: start main.ts, which sets it')
const { arrangement, device, threads, ...options } = JSON.parse(process.argv[2]!) as TrainingOptions & {
  readonly arrangement: string
  readonly device: string
  readonly threads: number
}
const { serving, run } = arrangementOf(arrangement)!
const credentials = JSON.parse(await readFile(process.env['SHOAL_CREDENTIALS']!, 'utf8')) as NodeCredentials

// In a thread of its own, so that computing delays nobody.
await using transport = new ThreadedTransport({ credentials })
await using server = await Server.start(config.server, {
  devices: [await openDevice(device, threads)],
  transport,
  log: (line) => console.log(line),
})
if (serving.includes(server.def.job)) {
  process.once('SIGTERM', () => void server.close())
  console.log(`serves at ${server.address}`)
  await server.join()
} else {
  const claims = await run(server, options)
  if (claims.length > 0) console.log(`${claimsMark}${JSON.stringify(claims)}`)
}
