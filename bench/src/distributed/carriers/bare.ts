// Sockets and nothing else: the peak of the moment. A request says how many bytes follow and how many are wanted.
import { once } from 'node:events'
import { connect as connectClear, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { connect as connectSecure, createServer as createSecureServer } from 'node:tls'
import type { NodeCredentials } from '@shoal/distributed/node'
import type { Caller, Carrier, Served } from '../carrier.ts'
import { echoBytes, host, sourceBytes, targetBytes } from '../carrier.ts'

/** Two numbers of 32 bits: bytes that follow, bytes that are wanted. */
const headBytes = 8
/** So much is handed to a socket at a time. */
const pieceBytes = 2 ** 18
/** A socket reads so much at a time, into one buffer. */
const readBytes = 2 ** 20

const settings = ({ certificate, privateKey, authority }: NodeCredentials) => ({
  cert: certificate,
  key: privateKey,
  ca: authority,
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: 'TLSv1.3' as const,
  checkServerIdentity: () => undefined,
})

/** Writes as fast as the socket takes it, and no faster. */
function send(socket: Socket, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += pieceBytes)
    if (!socket.write(bytes.subarray(at, at + pieceBytes)))
      return void socket.once('drain', () => send(socket, bytes.subarray(at + pieceBytes)))
}

/** Answers the requests of one socket. */
function answer(socket: Socket): void {
  const head = Buffer.alloc(headBytes)
  let got = 0
  let missing = 0
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes) => {
    let at = 0
    while (at < bytes.length) {
      if (got < headBytes) {
        const copied = bytes.copy(head, got, at)
        got += copied
        at += copied
        if (got < headBytes) return
        missing = head.readUInt32BE(0)
      }
      const taken = Math.min(missing, bytes.length - at)
      missing -= taken
      at += taken
      if (missing > 0) return
      got = 0
      send(socket, sourceBytes(head.readUInt32BE(4)))
    }
  })
}

async function serve(credentials: NodeCredentials | undefined): Promise<Served> {
  const server: Server = credentials
    ? createSecureServer(settings(credentials), answer)
    : createServer(answer)
  await once(server.listen(0, host), 'listening')
  return { address: String((server.address() as AddressInfo).port) }
}

async function connect(
  port: number,
  credentials: NodeCredentials | undefined,
  placed: boolean,
): Promise<Caller> {
  let at = 0
  let wanted = 0
  let done = (): void => {}
  const onread = {
    buffer: Buffer.alloc(readBytes),
    callback(count: number, bytes: Uint8Array): boolean {
      if (placed) targetBytes(wanted).set(bytes.subarray(0, count), at)
      at += count
      if (at >= wanted) done()
      return true
    },
  }
  const to = { host, port, onread }
  const socket = credentials ? connectSecure({ ...settings(credentials), ...to }) : connectClear(to)
  socket.setNoDelay(true)
  await once(socket, credentials ? 'secureConnect' : 'connect')
  const ask = (sent: number, answered: number): Promise<void> =>
    new Promise((resolve) => {
      at = 0
      wanted = answered
      done = resolve
      const head = Buffer.alloc(headBytes)
      head.writeUInt32BE(sent, 0)
      head.writeUInt32BE(answered, 4)
      socket.cork()
      socket.write(head)
      send(socket, sourceBytes(sent))
      socket.uncork()
    })
  return {
    pull: (bytes) => ask(0, bytes),
    push: (bytes) => ask(bytes, 1),
    echo: () => ask(echoBytes, echoBytes),
    async close() {
      socket.destroy()
    },
  }
}

/**
 * A socket that reads into one buffer of its own.
 * @param placed whether the bytes are then copied to where they belong
 */
export const bare = (link: 'clear' | 'TLS', placed: boolean): Carrier => ({
  name: placed ? 'bare, copied' : 'bare',
  version: `sockets of Node ${process.version}`,
  link,
  serve: (credentials) => serve(link === 'TLS' ? credentials : undefined),
  connect: (address, credentials) =>
    connect(Number(address), link === 'TLS' ? credentials : undefined, placed),
})
