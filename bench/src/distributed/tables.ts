// What was measured between processes, in Markdown: rates beside those of others, and the processor time that they cost.
import { digits, markdownTable, spread } from '../report/tables.ts'
import { ratio, summary } from '../statistics.ts'
import type { WireBook } from './counts.ts'
import type { Transfer } from './measure.ts'
import type { TransferMemory } from './memory.ts'
import type { RingCounts } from './ring.ts'
import type { Spent } from './rounds.ts'
import type { WireWork } from './works.ts'

type Kind = WireWork['kind']

const how = { TLS: 'under TLS', clear: 'in clear', threads: 'between threads' } as const
const titles: { readonly [kind in Kind]: string } = {
  pull: 'Fetched',
  echo: 'Small calls',
  nullStep: 'Null steps',
  dense: 'Dense steps',
  rows: 'Sparse steps',
}

/** The tables of all kinds and links that were measured. */
export function transferTables(transfers: readonly Transfer[]): string[] {
  const groups = Map.groupBy(transfers, ({ work }) => `${titles[work.kind]}, ${how[work.link]}`)
  return [...groups].flatMap(([title, own]) => [`### ${title}`, '', ...tableOf(own), ''])
}

const msOf = (spent: readonly Spent[]): number[] => spent.map(({ ms }) => ms)

/** Bytes that a run moves, where that is what counts. */
const movedBytes = (work: WireWork): number =>
  work.kind === 'pull' ? work.bytes : work.kind === 'dense' ? 2 * work.bytes : 0

function tableOf(transfers: readonly Transfer[]): string[] {
  const names = [...new Set(transfers.flatMap(({ samples }) => [...samples.keys()]))]
  const [first, ...others] = names
  const rows = transfers.map(({ work, samples }) => {
    const ours = samples.get(first!)!
    const moved = movedBytes(work)
    const { median } = summary(msOf(ours))
    const ratios = others.map((name) => {
      const theirs = samples.get(name)
      return theirs ? spread(ratio(msOf(theirs), msOf(ours))!) : '–'
    })
    const costs = names.map((name) => {
      const spent = samples.get(name)
      if (!spent) return '–'
      const cpu = summary(spent.map(({ cpuMs }) => cpuMs)).median
      return digits(moved > 0 ? (cpu * 1e6) / moved : cpu * 1000)
    })
    return [
      work.title,
      median < 1 ? `${digits(median * 1000)} µs` : `${digits(median)} ms`,
      moved > 0 ? `${digits(moved / median / 1000)} MB/s` : `${digits(1000 / median)} a second`,
      ...ratios,
      ...costs,
    ]
  })
  const unit = movedBytes(transfers[0]!.work) > 0 ? 's/GB' : 'µs'
  const head = [
    '',
    first!,
    'rate',
    ...others.map((name) => `${name}, ×`),
    ...names.map((name) => `${name}, ${unit}`),
  ]
  return markdownTable(head, rows)
}

const KiB = 2 ** 10

/** What both ends hold while 64 MiB are fetched. */
export function memoryTable(memory: readonly TransferMemory[]): string[] {
  const rows = memory.map(({ carrier, receiver, sender }) => [
    `${carrier.name}, ${how[carrier.link]}`,
    digits(receiver.rss / KiB ** 2),
    digits(sender.rss / KiB ** 2),
    carrier.name.startsWith('shoal') ? digits(sender.queued / KiB) : '–',
  ])
  return [
    '### Memory',
    '',
    ...markdownTable(['', 'receiver, MiB', 'sender, MiB', "sender's queue, KiB"], rows),
    '',
  ]
}

/** What travels beside the bytes that are asked for. */
export const callTable = (counts: WireBook): string[] => [
  '### Bytes beside the tensors',
  '',
  ...markdownTable(
    ['call', 'asking', 'answering'],
    Object.entries(counts).map(([name, { asking, answering }]) => [name, `${asking}`, `${answering}`]),
  ),
  '',
]

/** What a sum over a ring costs on the wire. */
export const ringTable = (rings: readonly RingCounts[]): string[] => [
  '### Bytes of a ring',
  '',
  ...markdownTable(
    ['', 'must be sent, bytes', 'are sent, bytes', '×'],
    rings.map(({ members, bytes, least, sent }) => [
      `${members} members, ${bytes / KiB ** 2} MiB`,
      `${least}`,
      `${sent}`,
      (sent / least).toFixed(4),
    ]),
  ),
  '',
]
