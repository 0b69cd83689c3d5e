// Something between two peers that fails them: it passes bytes on until it is told not to.
import { connect, createServer, type Socket } from 'node:net'

/** A proxy in front of one address of this machine. */
export interface Proxy {
  /** Where to connect instead. */
  readonly address: string
  /** Breaks all connections at once. */
  kill(): void
  /** Passes nothing on any more, and tells nobody. */
  stall(): void
  close(): Promise<void>
}

/** Opens a proxy at a free port in front of `host:port`. */
export async function openProxy(target: string): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const port = Number(target.slice(target.lastIndexOf(':') + 1))
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    const both = [near, far]
    for (const [from, to] of [both, both.toReversed()] as [Socket, Socket][]) {
      sockets.add(from)
      from.setNoDelay(true)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const kill = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    address: `127.0.0.1:${(server.address() as { readonly port: number }).port}`,
    kill,
    stall() {
      for (const socket of sockets) socket.unpipe().pause()
    },
    async close() {
      kill()
      server.close()
    },
  }
}
