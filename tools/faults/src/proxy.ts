// A road between two tasks on which anything may happen to bytes: they are late, they stand still, they are lost, cut short or changed.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/**
 * What befalls what passes: nothing; each piece comes so many milliseconds late; nothing goes on, and nobody is told; whoever is connected is cut
 * off, and nobody gets through; each connection ends after so many more bytes; in each connection one bit of the next bytes is another.
 */
export type Mischief =
  | { readonly kind: 'none' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'stall' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'truncate'; readonly bytes: number }
  | { readonly kind: 'flip' }

/** Both directions of one connection. */
interface Passage {
  readonly sockets: readonly [Socket, Socket]
  /** Bytes that have passed since the mischief began. */
  passed: number
  flipped: boolean
  /** When the last piece that is late will have gone. */
  readonly lastAt: Map<Socket, number>
}

/** Listens in the place of a task, and passes on what it gets. */
export class Proxy implements AsyncDisposable {
  private readonly server: Server
  private to = { host: '', port: 0 }
  private readonly passages = new Set<Passage>()
  private mischief: Mischief = { kind: 'none' }

  private constructor(server: Server) {
    this.server = server
    server.on('connection', (socket) => this.pass(socket))
  }

  /** A proxy at a free port of this machine. */
  static async listen(): Promise<Proxy> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Proxy(server)
  }

  /** Stands in front of this address, and answers its own. */
  before(address: string): string {
    const [host = '', port] = address.split(':')
    this.to = { host, port: Number(port) }
    return this.address
  }

  /** Where it listens. */
  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** From now on this happens to all that passes, on the connections that there are as well. */
  play(mischief: Mischief): void {
    this.mischief = mischief
    for (const passage of this.passages) {
      passage.passed = 0
      passage.flipped = false
      if (mischief.kind === 'drop') this.cut(passage)
      else if (mischief.kind !== 'stall') for (const socket of passage.sockets) socket.resume()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server.close(), 'close')
    for (const passage of this.passages) this.cut(passage)
    await closed
  }

  private pass(from: Socket): void {
    if (this.mischief.kind === 'drop') return void from.destroy()
    const to = connect({ ...this.to, allowHalfOpen: true })
    const passage: Passage = { sockets: [from, to], passed: 0, flipped: false, lastAt: new Map() }
    this.passages.add(passage)
    for (const [here, there] of [
      [from, to],
      [to, from],
    ] as const) {
      here.on('data', (bytes) => this.carry(passage, here, there, bytes))
      here.on('end', () => this.after(passage, there, () => there.end()))
      here.on('error', () => this.cut(passage))
      here.on('close', () => this.cut(passage))
    }
  }

  private carry(passage: Passage, here: Socket, there: Socket, bytes: Buffer): void {
    const { mischief } = this
    const before = passage.passed
    passage.passed += bytes.length
    if (mischief.kind === 'stall') {
      here.pause()
      return here.unshift(bytes)
    }
    if (mischief.kind === 'truncate' && passage.passed > mischief.bytes) {
      there.write(bytes.subarray(0, Math.max(0, mischief.bytes - before)))
      return this.cut(passage, 'end')
    }
    if (mischief.kind === 'flip' && !passage.flipped) {
      passage.flipped = true
      bytes[bytes.length >> 1]! ^= 1
    }
    this.after(passage, there, () => {
      if (!there.write(bytes)) {
        here.pause()
        there.once('drain', () => here.resume())
      }
    })
  }

  /** Does something to a socket, in order, and late where things are late. */
  private after(passage: Passage, socket: Socket, action: () => void): void {
    const { mischief } = this
    const now = performance.now()
    const lateMs = mischief.kind === 'delay' ? mischief.ms : 0
    const at = Math.max(now + lateMs, passage.lastAt.get(socket) ?? 0)
    if (at <= now) return action()
    passage.lastAt.set(socket, at)
    setTimeout(action, at - now)
  }

  private cut(passage: Passage, how: 'destroy' | 'end' = 'destroy'): void {
    if (!this.passages.delete(passage)) return
    for (const socket of passage.sockets) {
      if (how === 'end') socket.destroySoon()
      else socket.destroy()
    }
  }
}
