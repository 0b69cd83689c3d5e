// The page that Prometheus reads: https with the certificates of the cluster on both sides.
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import {
  asError,
  ConnectError,
  type Credentials,
  formatAddress,
  type NodeCredentials,
  type PeerIdentity,
  RenewableCredentials,
  SecurityError,
  verifyIdentity,
} from '@shoal/distributed/peers'

/** What the page is made of. */
export interface MetricsPageOptions {
  readonly credentials: Credentials
  readonly host: string
  readonly port: number
  /** Throws for those who were removed. */
  readonly admit: (peer: PeerIdentity) => void
  /** What it says at this moment. */
  readonly text: () => Promise<string>
  readonly contentType: string
}

/** Who asks has so long to finish asking. */
const askMs = 5000

/** `https://HOST:PORT/metrics`, for whoever shows a certificate of the cluster. */
export class MetricsPage implements AsyncDisposable {
  /** Where it is: `host:port`. */
  readonly address: string
  readonly #server: Server
  readonly #forget: () => void

  private constructor(server: Server, address: string, forget: () => void) {
    this.#server = server
    this.address = address
    this.#forget = forget
  }

  /** Listens. @throws ConnectError where it cannot. */
  static async open(options: MetricsPageOptions): Promise<MetricsPage> {
    const { credentials, host, port } = options
    const settings = contextOf(presentOf(credentials))
    const limits = { requestTimeout: askMs, headersTimeout: askMs }
    const server = createServer({ ...settings, ...limits }, (request, response) => {
      answer(request, response, options).catch((error: unknown) =>
        refuse(response, 500, asError(error).message),
      )
    })
    try {
      await once(server.listen({ host: host.replace(/^\[(.*)\]$/, '$1'), port }), 'listening')
    } catch (cause) {
      throw new ConnectError(`numbers cannot be served at ${host}:${port}: ${(cause as Error).message}`, {
        cause,
      })
    }
    const forget =
      credentials instanceof RenewableCredentials
        ? credentials.onRenewal((next) => server.setSecureContext(contextOf(next)))
        : () => {}
    const { address, port: bound } = server.address() as AddressInfo
    return new MetricsPage(server, formatAddress({ host: address, port: bound }), forget)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget()
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

const presentOf = (credentials: Credentials): NodeCredentials =>
  credentials instanceof RenewableCredentials ? credentials.present : credentials

const contextOf = ({ certificate, privateKey, authority }: NodeCredentials) => ({
  cert: certificate,
  key: privateKey,
  ca: authority,
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: 'TLSv1.3' as const,
})

async function answer(
  { socket, method, url }: IncomingMessage,
  response: ServerResponse,
  { credentials, admit, text, contentType }: MetricsPageOptions,
): Promise<void> {
  // Asked anew each time: connections stay, and who shows a certificate may have been removed, or it may have ended.
  try {
    const { raw } = (socket as TLSSocket).getPeerCertificate()
    admit(verifyIdentity(new X509Certificate(raw), presentOf(credentials).authority))
  } catch (error) {
    if (!(error instanceof SecurityError)) throw error
    return refuse(response, 403, error.message)
  }
  if (url !== '/metrics') return refuse(response, 404, 'there is /metrics, and nothing else')
  if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, 'it can be read only')
  const body = await text()
  response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
  response.end(method === 'GET' ? body : undefined)
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  response.end(`${why}\n`)
}
