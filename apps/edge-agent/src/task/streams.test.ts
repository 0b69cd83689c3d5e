// Streams between tasks on one node and on two, over real sockets and TLS.
import { ClusterAuthority, dial, type Listener, SocketTransport } from '@shoal/distributed/peers'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { SocketPairs } from './socketPairs.ts'
import { type StreamHeader, streamProtocol, StreamRelay } from './streams.ts'
import { allOf } from './testing/launching.ts'

const authority = await ClusterAuthority.create()
const jobId = 'j-000000000000'
const header: StreamHeader = { jobId, attempt: 1, from: 'worker:0', to: 'ps:0' }
const { signal } = new AbortController()
const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})

/** A node on which `ps:0` runs in attempt 1, and `worker:0` on that named. */
async function node(name: string, workerOn = name) {
  const credentials = await authority.issue({ node: name })
  const incoming: (readonly [string, Socket])[] = []
  const arrived = Promise.withResolvers<void>()
  const task = {
    incoming(from: string, socket: Socket) {
      incoming.push([from, socket])
      arrived.resolve()
    },
  }
  const relay = await StreamRelay.start({
    credentials,
    mayConnect: ({ from }, peer) => from === 'worker:0' && peer.node === workerOn,
    task: ({ to, attempt }) => (to === 'ps:0' && attempt === 1 ? task : undefined),
  })
  const transport = new SocketTransport({ credentials, protocols: { [streamProtocol]: relay.protocol } })
  const listener: Listener = await transport.listen('127.0.0.1:0', { connected: () => undefined })
  closing.push(async () => {
    await listener.close()
    await relay[Symbol.asyncDispose]()
  })
  const place = { nodeId: name, address: listener.address }
  return { relay, credentials, incoming, arrived: arrived.promise, place }
}

const [anna, ben] = await Promise.all([node('anna'), node('ben', 'anna')])

describe('a stream', () => {
  it('connects two tasks of one node directly', async () => {
    const near = await anna.relay.connect(header, 'here', { signal })
    await anna.arrived
    const [from, far] = anna.incoming.pop()!
    expect(from).toBe('worker:0')
    near.end('there')
    far.end('and back')
    expect(await Promise.all([allOf(near), allOf(far)])).toEqual(['and back', 'there'])
    expect(anna.relay.traffic(jobId, 'worker:0')).toEqual({ sent: 0, received: 0 })
  })

  it('goes from node to node, whole, both ways, and is counted', async () => {
    const near = await anna.relay.connect(header, ben.place, { signal })
    await ben.arrived
    const [, far] = ben.incoming.pop()!
    const bytes = new Uint8Array(5_000_000).map((_, at) => at % 251)
    const hash = createHash('sha256')
    near.write(bytes)
    far.resume().write('begin')
    let received = 0
    far.on('data', (part: Buffer) => {
      hash.update(part)
      received += part.length
      if (received === bytes.length) far.end('done')
    })
    expect(await allOf(near)).toBe('begindone')
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    near.end()
    await once(far, 'close')
    expect(anna.relay.traffic(jobId, 'worker:0')).toEqual({ sent: bytes.length, received: 9 })
    expect(ben.relay.traffic(jobId, 'ps:0')).toEqual({ sent: 9, received: bytes.length })
    anna.relay.forget(jobId)
    expect(anna.relay.traffic(jobId, 'worker:0')).toEqual({ sent: 0, received: 0 })
  })

  it('ends at one side when the other breaks', async () => {
    const near = await anna.relay.connect(header, ben.place, { signal })
    const [, far] = ben.incoming.pop()!
    far.destroy()
    // As sockets do by default.
    near
      .on('error', () => undefined)
      .once('end', () => near.end())
      .resume()
    await once(near, 'close')
    expect(near.destroyed).toBe(true)
  })

  it('is refused to whoever is not the node of the task that opens it', async () => {
    const carl = await node('carl')
    await expect(carl.relay.connect(header, ben.place, { signal })).rejects.toThrow(
      "no stream to ps:0: 'ben' refuses: worker:0 of j-000000000000 does not run on 'carl'",
    )
    await expect(anna.relay.connect({ ...header, attempt: 0 }, ben.place, { signal })).rejects.toThrow(
      "'ben' refuses: ps:0 of j-000000000000 does not run here in attempt 0",
    )
    await expect(anna.relay.connect({ ...header, to: 'ps:1' }, 'here', { signal })).rejects.toThrow(
      'ps:1 of j-000000000000 does not run here',
    )
    const wrong = { ...ben.place, nodeId: 'dora' }
    await expect(anna.relay.connect(header, wrong, { signal })).rejects.toThrow("is 'ben', not 'dora'")
    expect(ben.incoming).toEqual([])
  })

  it('is withdrawn by its signal', async () => {
    const gone = AbortSignal.abort(new Error('no matter'))
    await expect(anna.relay.connect(header, ben.place, { signal: gone })).rejects.toThrow('no matter')
  })

  it('begins with a line, and no endless one', async () => {
    const say = async (text: string): Promise<string> => {
      const { credentials } = anna
      const options = { credentials, protocol: streamProtocol, deadlineMs: 5000 }
      const { socket } = await dial(ben.place.address, options)
      socket.on('error', () => undefined).write(text)
      return allOf(socket).catch(() => '')
    }
    expect(await say('x'.repeat(2000))).toBe('')
    expect(await say('{}\n')).toContain('"refused"')
    expect(await say('nonsense\n')).toContain('"refused"')
  })
})

describe('pairs', () => {
  it('are made over loopback where there is no Unix domain', async () => {
    await using pairs = await SocketPairs.open('win32')
    const both = await Promise.all([pairs.pair(), pairs.pair()])
    const said = both.map(([near, far], at) => {
      near.end(`stream ${at}`)
      far.end()
      return allOf(far)
    })
    expect(await Promise.all(said)).toEqual(['stream 0', 'stream 1'])
  })
})
