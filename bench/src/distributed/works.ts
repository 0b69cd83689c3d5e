// What is measured between processes: each work is plain data, and everybody who carries bytes over its link takes part.
import type { Link } from './carrier.ts'

/** One thing to do, over one kind of link. */
export type WireWork = {
  /** What it is asked for by on the command line. */
  readonly name: string
  readonly title: string
  readonly link: Link
} & (
  | { readonly kind: 'pull'; readonly bytes: number }
  | { readonly kind: 'echo' }
  /** Four bytes fetched from each of so many peers at once, then four brought to each. */
  | { readonly kind: 'nullStep'; readonly peers: number }
  /** So many bytes fetched, then as many brought back. */
  | { readonly kind: 'dense'; readonly bytes: number }
  /** 32 rows of a table of so many, gathered where it is and fetched by a worker. */
  | { readonly kind: 'rows'; readonly rows: number; readonly columns: number }
)

const KiB = 2 ** 10
const MiB = 2 ** 20
/** '64 KiB' */
const sizeName = (bytes: number): string => (bytes >= MiB ? `${bytes / MiB} MiB` : `${bytes / KiB} KiB`)
const dashed = (text: string): string => text.replaceAll(' ', '-').toLowerCase()

const pull = (link: Link, bytes: number): WireWork => ({
  kind: 'pull',
  link,
  bytes,
  name: dashed(`pull ${sizeName(bytes).replace(' ', '')} ${link}`),
  title: sizeName(bytes),
})
const echo = (link: Link): WireWork => ({
  kind: 'echo',
  link,
  name: dashed(`echo ${link}`),
  title: '100 bytes and back',
})
const nullStep = (link: Link, peers: number): WireWork => ({
  kind: 'nullStep',
  link,
  peers,
  name: dashed(`null-step ${peers} ${link}`),
  title: `${peers} ${peers === 1 ? 'peer' : 'peers'}`,
})
const dense = (bytes: number): WireWork => ({
  kind: 'dense',
  link: 'clear',
  bytes,
  name: 'dense',
  title: `${bytes / 1e6} MB there and back`,
})
const rows = (count: number, columns: number): WireWork => ({
  kind: 'rows',
  link: 'TLS',
  rows: count,
  columns,
  name: 'rows',
  title: `32 rows of ${count} × ${columns} float32`,
})

/** All links. */
export const links: readonly Link[] = ['TLS', 'clear', 'threads']
const sockets: readonly Link[] = ['TLS', 'clear']

const worksOf = (sizes: readonly number[], tableRows: number, denseBytes: number): readonly WireWork[] => [
  ...links.flatMap((link) => sizes.map((bytes) => pull(link, bytes))),
  ...links.map(echo),
  ...sockets.flatMap((link) => [1, 4, 16].map((peers) => nullStep(link, peers))),
  dense(denseBytes),
  rows(tableRows, 128),
]

/** All works, in the order of the tables. */
export const wireWorks = worksOf([4 * KiB, 64 * KiB, MiB, 4 * MiB, 64 * MiB], 2 ** 21, 1e8)
/** Of the same kinds, to try the harness. */
export const smallWireWorks = worksOf([4 * KiB, MiB], 2 ** 10, 1e6)
