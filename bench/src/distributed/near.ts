// The program of a process that fetches, and tells what memory that took.
import { once } from 'node:events'
import type { NodeCredentials } from '@shoal/distributed/node'
import { targetBytes } from './carrier.ts'
import { carriers } from './carriers/all.ts'
import { watchMemory } from './memory.ts'

const [order] = (await once(process, 'message')) as [
  {
    readonly name: string
    readonly link: string
    readonly address: string
    readonly credentials: NodeCredentials
    readonly bytes: number
    readonly pulls: number
  },
]
const carrier = carriers.find(({ name, link }) => name === order.name && link === order.link)!
const caller = await carrier.connect(order.address, order.credentials)
targetBytes(1)
for (let i = 0; i < 20; i++) await caller.pull(2 ** 16)
process.send!('ready')
await once(process, 'message')
const watched = watchMemory(() => 0)
for (let i = 0; i < order.pulls; i++) await caller.pull(order.bytes)
process.send!(watched())
await once(process, 'disconnect')
process.exit()
