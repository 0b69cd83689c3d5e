import { describe, expect, it } from 'vitest'
import { ConnectError, UnavailableError } from '../errors.ts'
import { QuickClock } from '../supervise/testing/quickClock.ts'
import type { Connection } from '../transport/contract.ts'
import { InProcessTransport } from '../transport/inProcess.ts'
import { connectMesh } from './connectMesh.ts'
import { Mesh } from './mesh.ts'

const identity = (node: string) => ({ cluster: 'test', node, role: 'worker' })

/** A mesh that says whom it was connected to, and over which connection. */
class SeenMesh extends Mesh {
  readonly connections: Connection[] = []
  private awaited = Promise.withResolvers<void>()
  override connect(id: string, connection: Connection): void {
    super.connect(id, connection)
    this.connections.push(connection)
    this.awaited.resolve()
  }
  /** Settles when it was connected so often. */
  async connected(times: number): Promise<void> {
    while (this.connections.length < times) {
      await this.awaited.promise
      this.awaited = Promise.withResolvers()
    }
  }
}

describe('members that dial each other', () => {
  const clock = new QuickClock()
  const network = new InProcessTransport(identity('network'), { clock })

  it('reach again whom they have lost, until they are closed', async () => {
    const [first, second] = [new SeenMesh('w0', clock), new SeenMesh('w1', clock)]
    const listener = await connectMesh(first, 'a:1', network.as(identity('w0')), { others: [] })
    const dialler = await connectMesh(second, 'a:2', network.as(identity('w1')), { others: [['w0', 'a:1']] })
    expect([first.reached, second.reached]).toEqual([['w1'], ['w0']])
    for (const times of [2, 3]) {
      await second.connections.at(-1)!.close(new Error('the cable was pulled'))
      await Promise.all([first.connected(times), second.connected(times)])
      expect([first.reached, second.reached]).toEqual([['w1'], ['w0']])
    }
    await dialler.close()
    await second.connections.at(-1)!.close()
    await listener.close()
    expect(second.reached).toEqual([])
  })

  it('are an error where they are missing, unless nobody waits for them', async () => {
    const mesh = new SeenMesh('w1', clock)
    const transport = network.as(identity('w1'))
    const others = [['w0', 'b:1']] as const
    const waiting = connectMesh(mesh, 'b:2', transport, { others, deadlineMs: 500 })
    await expect(waiting).rejects.toThrow(UnavailableError)
    await expect(waiting).rejects.toThrow("'w0' at b:1 was not reached within 500 ms")
    // Nothing of the attempt is left: nobody can reach it, and its address is free.
    await expect(network.connect('b:2', {})).rejects.toThrow(ConnectError)

    const patient = await connectMesh(mesh, 'b:2', transport, { others, wait: false })
    const late = new SeenMesh('w0', clock)
    const listener = await connectMesh(late, 'b:1', network.as(identity('w0')), { others: [] })
    await mesh.connected(1)
    expect(mesh.reached).toEqual(['w0'])
    await patient.close()
    await listener.close()
  })
})
