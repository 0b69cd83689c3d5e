// A small server for the page, with the headers that let it share memory with its threads.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import sirv from 'sirv'

/** Where a server listens. */
export interface ServeOptions {
  /** Default 127.0.0.1: this machine alone. */
  readonly host?: string
  /** Default 0: one that is free. */
  readonly port?: number
}

/** A server that runs. Dispose it when done. */
export interface Served extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string
}

/** What a page must be served with to be cross-origin isolated: see the HTML standard. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
} as const

/** Serves the files of a folder, as they are at each request. @throws Error when the port is taken. */
export async function serve(
  folder: string,
  { host = '127.0.0.1', port = 0 }: ServeOptions = {},
): Promise<Served> {
  const files = sirv(folder, { dev: true, etag: true })
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(isolation)) response.setHeader(name, value)
    files(request, response, () => {
      response.writeHead(404).end('There is no such file.\n')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve)
  })
  const { address, port: actual, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}/`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      // Browsers keep connections open.
      server.closeAllConnections()
      await closed
    },
  }
}
