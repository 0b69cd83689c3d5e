// Everybody who carries bytes here, Shoal first.
import { createRequire } from 'node:module'
import type { Carrier, Link } from '../carrier.ts'
import { bare } from './bare.ts'
import { sockets, threadedSockets, webSockets } from './shoal.ts'
import { threads } from './threads.ts'
import { unary } from './unary.ts'

const versionOf = (name: string): string => {
  const manifest = createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string }
  return `${name} ${manifest.version}`
}
const shoal = versionOf('@shoal/distributed')
const grpc = versionOf('@grpc/grpc-js')

/** All carriers. Names are unique among those of one link. */
export const carriers: readonly Carrier[] = [
  ...(['TLS', 'clear'] as const).flatMap((link) => [
    sockets(link, shoal),
    threadedSockets(link, shoal),
    webSockets(link, shoal),
    bare(link, false),
    bare(link, true),
    unary(link, grpc),
  ]),
  threads(false, shoal),
  threads(true, shoal),
]

/** What tells a carrier from others, also to another process. */
export interface CarrierName {
  readonly name: string
  readonly link: Link
}

/** The carrier of a name. @throws Error when there is none */
export function carrierOf({ name, link }: CarrierName): Carrier {
  const found = carriers.find((carrier) => carrier.name === name && carrier.link === link)
  if (!found) throw new Error(`nobody is called ${name} (${link})`)
  return found
}
