import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import type { FrameOptions } from '../frame/limits.ts'
import type { Connection } from './contract.ts'
import { SocketTransport } from './socket.ts'

const deadlineMs = 20_000
const empty = { head: new Uint8Array(0), tensors: [] }
const bytes = 2 ** 24
const log = (): void => {}

/** Another process: it says where it listens, and why its connection ended. */
const program = (frames: FrameOptions): string => `
  import { ndarray } from '@shoal/core'
  import { SocketTransport } from ${JSON.stringify(new URL('./socket.ts', import.meta.url).href)}
  const transport = new SocketTransport({ insecure: true, log() {}, frames: ${JSON.stringify(frames)} })
  const { address } = await transport.listen('127.0.0.1:0', {
    connected(connection) {
      const head = new Uint8Array(0)
      connection.serve({
        pull: async () => ({ head, tensors: [ndarray(new Uint8Array(${bytes}))] }),
        wait: () => new Promise(() => {}),
      })
      connection.closed.then((error) => console.log(error?.message))
    },
  })
  console.log(address)
`

describe('a peer in another process', () => {
  let peer: ChildProcess
  let lines: AsyncIterator<string>
  const nextLine = async (): Promise<string> => (await lines.next()).value

  async function connect(frames: FrameOptions = {}): Promise<Connection> {
    const args = ['--conditions=@shoal/source', '--input-type=module', '--eval', program(frames)]
    peer = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
    lines = createInterface(peer.stdout!)[Symbol.asyncIterator]()
    const transport = new SocketTransport({ insecure: true, log, frames })
    return transport.connect(await nextLine(), { deadlineMs })
  }

  afterEach(async () => {
    if (peer.exitCode !== null || peer.signalCode !== null) return
    peer.kill('SIGKILL')
    await once(peer, 'exit')
  })

  it('is lost at once when it is killed, in the middle of a transfer', async () => {
    const connection = await connect()
    const wait = connection.call('wait', empty, { deadlineMs }).catch((error: unknown) => error)
    const into = (): Uint8Array => {
      peer.kill('SIGKILL')
      return new Uint8Array(bytes)
    }
    // What is read next comes when it is dead; less than the window was on its way.
    await expect(connection.call('pull', empty, { deadlineMs, into })).rejects.toMatchObject({
      name: 'ConnectionLostError',
      message: expect.stringMatching(/was lost when 'pull' awaited its answer/),
    })
    expect(await wait).toMatchObject({ name: 'ConnectionLostError' })
  })

  it('is lost when it is stopped for too long, and learns of it when it goes on', async () => {
    const connection = await connect({ aliveMs: 200 })
    const wait = connection.call('wait', empty, { deadlineMs }).catch((error: unknown) => error)
    peer.kill('SIGSTOP')
    expect(await wait).toMatchObject({
      name: 'ConnectionLostError',
      message: expect.stringMatching(/no sign of life from the peer for 3 intervals of 200 ms/),
    })
    peer.kill('SIGCONT')
    expect(await nextLine()).toMatch(/the stream ended without a farewell|no sign of life/)
  })
})
