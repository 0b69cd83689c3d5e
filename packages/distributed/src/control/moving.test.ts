// A peer that was started anew is somewhere else: it has to be heard there, or it is missed.
import { describe, expect, it } from 'vitest'
import { ControlNode } from './controlNode.ts'
import type { PeerEvent } from './failureDetector.ts'

const heartbeat = { everyMs: 50, jitter: 0.1, suspectAfterMs: 150, deadAfterMs: 300 }
const ps = '/job:ps/task:0'

/** A node, its address, and what it learns of its peers. */
async function start(task: string, incarnation: string) {
  const events: PeerEvent[] = []
  const waiting = new Set<() => void>()
  const node = new ControlNode(
    {
      name: { cluster: 'test', task, incarnation, version: '' },
      address: '127.0.0.1:0',
      security: { insecure: true },
      peers: {},
      heartbeat,
      operators: [],
    },
    {
      peer(event) {
        events.push(event)
        waiting.forEach((look) => look())
      },
      news: () => {},
      stop: () => {},
      refused: () => {},
    },
    { mainWords: new Int32Array(1) },
  )
  const learns = (state: PeerEvent['state']): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = (): void => void (events.at(-1)?.state === state && resolve())
    waiting.add(look)
    look()
    return promise.finally(() => waiting.delete(look))
  }
  return { node, address: await node.start(), events, learns }
}

describe('a peer that is to be found elsewhere', () => {
  it('is the same task started anew when it is heard there, and dead when it is not', async () => {
    const watching = await start('/job:worker/task:0', 'w')
    const first = await start(ps, 'first')
    watching.node.follow({ [ps]: { address: first.address } })
    await watching.learns('joined')
    const second = await start(ps, 'second')
    watching.node.follow({ [ps]: { address: second.address } })
    await watching.learns('restarted')
    // It is gone before anybody heard of it.
    const third = await start(ps, 'third')
    await third.node.close('it was not to be')
    watching.node.follow({ [ps]: { address: third.address } })
    await watching.learns('dead')
    expect(watching.events.map(({ state, incarnation }) => [state, incarnation])).toEqual([
      ['joined', 'first'],
      ['restarted', 'second'],
      ['dead', 'second'],
    ])
    await Promise.all([watching, first, second].map(({ node }) => node.close('the test is over')))
  })
})
