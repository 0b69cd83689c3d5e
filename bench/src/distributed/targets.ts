// What is to be reached between processes, as shares of what a bare socket does and as times of what gRPC takes.
import { ratio, summary } from '../statistics.ts'
import type { Results, Target } from '../targets.ts'
import { targetsOf } from '../targets.ts'

import type { Transfer } from './measure.ts'
import type { Spent } from './rounds.ts'

/** The bytes of a chunk: part of the protocol. */
const chunkBytes = 2 ** 19

type Read = Target['read']

const transfersOf = ({ wire }: Results, names: readonly string[]): readonly Transfer[] =>
  (wire?.transfers ?? []).filter(({ work }) => names.includes(work.name))

/** What `a` takes, in units of what `b` takes, by pairs from the same round. */
const compared =
  (a: string, b: string, what: keyof Spent, names: readonly string[]): Read =>
  (results) =>
    transfersOf(results, names).flatMap(({ work, samples }) => {
      const [of, by] = [samples.get(a), samples.get(b)]
      const found =
        of &&
        by &&
        ratio(
          of.map((spent) => spent[what]),
          by.map((spent) => spent[what]),
        )
      return found ? [{ of: work.name, value: found.median }] : []
    })

const milliseconds =
  (side: string, names: readonly string[]): Read =>
  (results) =>
    transfersOf(results, names).flatMap(({ work, samples }) => {
      const taken = samples.get(side)
      return taken ? [{ of: work.name, value: summary(taken.map(({ ms }) => ms)).median }] : []
    })

/** Bytes in a sender's queue, in chunks. */
const queuedChunks: Read = ({ wire }) =>
  (wire?.memory ?? [])
    .filter(({ carrier }) => carrier.name === 'shoal')
    .map(({ carrier, sender }) => ({ of: carrier.link, value: sender.queued / chunkBytes }))

const ringBytes: Read = ({ wire }) =>
  (wire?.rings ?? []).map(({ members, sent, least }) => ({ of: `${members} members`, value: sent / least }))

const large = (link: string): string[] => [`pull-4mib-${link}`, `pull-64mib-${link}`]
const both = (name: string): string[] => [`${name}-tls`, `${name}-clear`]

/** All targets between processes. */
export const wireTargets: readonly Target[] = targetsOf([
  [
    'throughput',
    [
      ['under TLS, of a bare socket', { atLeast: 0.8 }, compared('bare', 'shoal', 'ms', large('tls'))],
      ['in clear, of a bare socket', { atLeast: 0.7 }, compared('bare', 'shoal', 'ms', large('clear'))],
      [
        'under TLS, as fast as unary gRPC',
        { atLeast: 3 },
        compared('grpc-js unary', 'shoal', 'ms', large('tls')),
        '×',
      ],
    ],
  ],
  [
    'processor time',
    [
      ['under TLS, of a bare socket', { atMost: 1.3 }, compared('shoal', 'bare', 'cpuMs', large('tls')), '×'],
      [
        'in clear, of a bare socket',
        { atMost: 1.3 },
        compared('shoal', 'bare', 'cpuMs', large('clear')),
        '×',
      ],
    ],
  ],
  [
    'latency',
    [
      [
        'of a small call, times a bare echo',
        { atMost: 1.5 },
        compared('shoal', 'bare', 'ms', both('echo')),
        '×',
      ],
      [
        'a null step through 16 peers, times bare sockets',
        { atMost: 2 },
        compared('shoal', 'bare', 'ms', both('null-step-16')),
        '×',
      ],
      [
        'a null step through 16 peers, as fast as unary gRPC',
        { atLeast: 5 },
        compared('grpc-js unary', 'shoal', 'ms', both('null-step-16')),
        '×',
      ],
    ],
  ],
  [
    'steps',
    [
      [
        'a session through 16 tasks',
        { atMost: 1.8 },
        milliseconds('shoal, session', both('null-step-16')),
        'ms',
      ],
      ['32 rows of a table of 1 GB', { atMost: 5 }, milliseconds('shoal, session', ['rows']), 'ms'],
      ['100 MB there and back, in clear', { atMost: 147 }, milliseconds('shoal', ['dense']), 'ms'],
      [
        'a session, 100 MB there and back in clear',
        { atMost: 147 },
        milliseconds('shoal, session', ['dense']),
        'ms',
      ],
    ],
  ],
  ['ring', [['bytes of a sum, times the least', { atMost: 1.02 }, ringBytes, '×']]],
  ['memory', [["chunks in a sender's queue", { atMost: 2 }, queuedChunks]]],
])
