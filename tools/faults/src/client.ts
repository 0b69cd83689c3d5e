// A client that belongs to no task, as a process of its own: it waits for a tensor that nobody sends, until it is killed.
import { Session } from '@shoal/core'
import { connectMaster } from '@shoal/distributed'
import { type NodeCredentials, SocketTransport } from '@shoal/distributed/node'
import { mailbox } from './mailbox.ts'

const { address, credentials } = JSON.parse(process.argv[2]!) as {
  readonly address: string
  readonly credentials: NodeCredentials
}
process.on('disconnect', () => process.exit())
const transport = new SocketTransport({ credentials })
const session = new Session({
  target: await connectMaster(transport, address, { deviceFilters: ['/job:ps'] }),
})
const { put, take } = mailbox()
await session.run(put)
await session.run(take)
const waiting = session.run(take)
process.send!('waits')
await waiting
process.send!('has taken what was not for it')
