import { describe, expect, it } from 'vitest'
import { meets } from '../targets.ts'
import { carriers } from './carriers/all.ts'
import type { WireResults } from './measure.ts'
import type { Spent } from './rounds.ts'
import { wireTargets } from './targets.ts'
import { wireWorks } from './works.ts'

/** Everybody takes what `take` says, of every work. */
const results = (take: (name: string, work: string) => Spent): WireResults => ({
  transfers: wireWorks.map((work) => ({
    work,
    samples: new Map(
      ['shoal', 'shoal, session', 'bare', 'grpc-js unary'].map((name) => [name, [take(name, work.name)]]),
    ),
  })),
  memory: carriers.map((carrier) => ({
    carrier,
    receiver: { rss: 0, queued: 0 },
    sender: { rss: 0, queued: 2 ** 19 },
  })),
  rings: [{ members: 4, bytes: 4000, least: 6000, sent: 6060 }],
})
const readings = (wire: WireResults) =>
  wireTargets.map(({ read, ...target }) => ({
    ...target,
    found: read({ comparisons: [], quantities: [], wire }),
  }))
const missed = (wire: WireResults): string[] =>
  readings(wire)
    .filter(({ bound, found }) => found.some(({ value }) => !meets(bound, value)))
    .map(({ group, says }) => `${group}: ${says}`)

const equal = (): Spent => ({ ms: 1, cpuMs: 1 })

describe('the targets between processes', () => {
  it('are each read from works and carriers that there are', () => {
    expect(readings(results(equal)).filter(({ found }) => found.length === 0)).toEqual([])
  })

  it('are met by whoever is as good as a bare socket, where gRPC is slow', () => {
    const good = results((name) => (name === 'grpc-js unary' ? { ms: 5, cpuMs: 5 } : equal()))
    expect(missed(good)).toEqual([])
  })

  it('see a transport that is slower, and one that takes more of the processor', () => {
    const slow = results((name) => ({ ms: name === 'shoal' ? 2 : 1, cpuMs: 1 }))
    expect(missed(slow)).toEqual([
      'throughput: under TLS, of a bare socket',
      'throughput: in clear, of a bare socket',
      'throughput: under TLS, as fast as unary gRPC',
      'latency: of a small call, times a bare echo',
      'latency: a null step through 16 peers, as fast as unary gRPC',
    ])
    const costly = results((name) => ({ ms: 1, cpuMs: name === 'shoal' ? 2 : 1 }))
    expect(missed(costly)).toEqual([
      'throughput: under TLS, as fast as unary gRPC',
      'processor time: under TLS, of a bare socket',
      'processor time: in clear, of a bare socket',
      'latency: a null step through 16 peers, as fast as unary gRPC',
    ])
  })

  it('see a sender that queues more than two chunks', () => {
    const good = results((name) => (name === 'grpc-js unary' ? { ms: 5, cpuMs: 5 } : equal()))
    const sender = { rss: 0, queued: 3 * 2 ** 19 }
    const memory = good.memory.map((held) => ({ ...held, sender }))
    expect(missed({ ...good, memory })).toEqual(["memory: chunks in a sender's queue"])
  })

  it('see a ring that sends more than it must', () => {
    const good = results((name) => (name === 'grpc-js unary' ? { ms: 5, cpuMs: 5 } : equal()))
    const rings = [{ members: 4, bytes: 4000, least: 6000, sent: 6200 }]
    expect(missed({ ...good, rings })).toEqual(['ring: bytes of a sum, times the least'])
  })
})
