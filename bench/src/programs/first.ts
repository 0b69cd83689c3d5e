// A program that does as little as possible: its time is what starting costs.
import { matmul, placeholder, Session } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'

const x = placeholder({ shape: [2, 2], name: 'x' })
await using session = new Session({ devices: [cpu({ threads: 1 })] })
const feed = [
  [1, 2],
  [3, 4],
]
console.log((await session.run(matmul(x, x), { x: feed })).toArray())
