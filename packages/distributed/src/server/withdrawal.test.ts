import { add, constant, device, less, placeholder, whileLoop } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { startCluster } from './testCluster.ts'

describe('a step that was withdrawn', () => {
  it('may still be ending at its workers when the graph is run again', async () => {
    await using cluster = await startCluster({ worker: ['w:1', 'w:2'] })
    await using session = await cluster.servers[0]!.session()
    const n = placeholder({ shape: [], name: 'n' })
    const counted = device('/job:worker/task:1', () =>
      whileLoop(
        (i) => less(i!, n),
        (i) => [add(i!, 1)],
        [constant(0)],
      ),
    )
    const quick = device('/job:worker/task:0', () => add(constant(1), 1))
    const reason = new Error('enough')
    const withdrawn = new AbortController()
    const endless = session.run(counted, { n: Infinity }, { signal: withdrawn.signal })
    // Others have had their turns: from here to the next run nobody has one, and the loop no chance to end before.
    await session.run(quick)
    await session.run(quick)
    withdrawn.abort(reason)
    expect(await endless.catch((error: unknown) => error)).toBe(reason)
    expect((await session.run(counted, { n: 3 }))[0]!.number()).toBe(3)
  })
})
