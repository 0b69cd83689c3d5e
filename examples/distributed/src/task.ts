// One task of the cluster, as TF_CONFIG says which: it serves until it is asked to end, or does its part of the training.
import { readFile } from 'node:fs/promises'
import { readTfConfig } from '@shoal/distributed'
import { type NodeCredentials, startServer } from '@shoal/distributed/node'
import { openDevice } from '@shoal/example-parts'
import { readOptions } from './options.ts'
import { claimsMark, type Task } from './training.ts'

const config = readTfConfig(process.env)
if (!config) throw new Error('TF_CONFIG says which task this is: start main.ts, which sets it')
const file = process.env['SHOAL_CREDENTIALS']
if (!file)
  throw new Error('SHOAL_CREDENTIALS names the file of the certificate: start main.ts, which sets it')
const { arrangement, device, threads, ...options } = readOptions()
const { serving, run } = arrangement
const credentials = JSON.parse(await readFile(file, 'utf8')) as NodeCredentials

await using servers = new AsyncDisposableStack()
const task: Task = {
  def: config.server,
  credentials,
  openDevice: () => openDevice(device, threads),
  async startServer() {
    return servers.use(await startServer(this.def, { devices: [await this.openDevice()], credentials }))
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
