// Two ends of one stream within this machine, neither of which has been read: each can be handed to another process.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Makes pairs of sockets: of the Unix domain in a folder of this user's alone, or over loopback where there is no such thing. */
export class SocketPairs implements AsyncDisposable {
  readonly #server: Server
  readonly #folder: string
  /** One pair after the other, so that it is known which two belong together. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(server: Server, folder: string) {
    this.#server = server
    this.#folder = folder
  }

  /** Begins to listen. @param platform what the machine runs. */
  static async open(platform: NodeJS.Platform = process.platform): Promise<SocketPairs> {
    // Paths of sockets are short, at most 103 bytes on some systems: that of the state folder may be longer.
    const folder = await mkdtemp(join(tmpdir(), 'shoal-'))
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
    if (platform === 'win32') server.listen(0, '127.0.0.1')
    else server.listen(join(folder, 'pairs'))
    await once(server, 'listening')
    return new SocketPairs(server, folder)
  }

  /** Two ends of a new stream. */
  pair(): Promise<readonly [Socket, Socket]> {
    const made = this.#turn.then(() => this.#pair())
    this.#turn = made.catch(() => undefined)
    return made
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn
    this.#server.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #pair(): Promise<readonly [Socket, Socket]> {
    const address = this.#server.address()
    const where = typeof address === 'string' ? { path: address } : { port: address!.port, host: '127.0.0.1' }
    const near = connect({ ...where, allowHalfOpen: true }).pause()
    const connected = once(near, 'connect')
    for (;;) {
      const [[far]] = (await Promise.all([once(this.#server, 'connection'), connected])) as [
        [Socket],
        unknown,
      ]
      // On loopback anybody may come between.
      if (far.remotePort === near.localPort) return [near, far]
      far.destroy()
    }
  }
}
