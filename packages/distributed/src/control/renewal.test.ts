// Certificates of the control plane that end while they are in use, and those that are of no use from the beginning.
import { Client } from '@grpc/grpc-js'
import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import { ClusterAuthority } from '../security/authority.ts'
import { checkCredentials, type NodeCredentials } from '../security/identity.ts'
import { RenewableCredentials } from '../security/renewable.ts'
import type { ControlOptions } from './controlOptions.ts'
import type { PeerEvent } from './failureDetector.ts'
import { controlFile } from './proto/control.ts'
import { channelOptions } from './rpc.ts'
import { type Control, startControl } from './startControl.ts'
import { channelCredentials } from './tls.ts'

const authority = await ClusterAuthority.create()
const heartbeat = { everyMs: 200, suspectAfterMs: 1000, deadAfterMs: 2000 }

/** A certificate that ends in three or four seconds: they know no parts of a second. */
const endingSoon = (node: string): Promise<NodeCredentials> =>
  authority.issue({ node, role: 'worker', from: new Date(Date.now() - 60_000), forMs: 64_000 })
const lasting = (node: string): Promise<NodeCredentials> => authority.issue({ node, role: 'worker' })

const open: (() => unknown)[] = []
afterAll(() => Promise.all(open.map((close) => close())))

async function start(
  task: number,
  credentials: NodeCredentials | RenewableCredentials,
  options: Partial<ControlOptions> = {},
): Promise<Control> {
  const base = { address: '127.0.0.1:0', task: `/job:worker/task:${task}`, credentials, heartbeat }
  const control = await startControl({ ...base, ...options } as ControlOptions)
  open.push(() => control.close())
  return control
}

describe('nodes whose certificates end', () => {
  it('attend each other under new ones, and are dead where there are none', async () => {
    const nodes = ['n0', 'n1', 'n2'].map(async (node) => new RenewableCredentials(await lasting(node)))
    const [mine, theirs, lost] = (await Promise.all(nodes)) as [
      RenewableCredentials,
      RenewableCredentials,
      RenewableCredentials,
    ]
    const events: PeerEvent[] = []
    const refusals: string[] = []
    const dead = Promise.withResolvers<PeerEvent>()
    const [hub, renewed, forgotten] = await Promise.all([
      start(0, mine, {
        onPeer: (event) => {
          events.push(event)
          if (event.state === 'dead') dead.resolve(event)
        },
        onRefused: (why) => refusals.push(why),
      }),
      start(1, theirs),
      start(2, lost),
    ])
    for (const credentials of [mine, theirs, lost]) credentials.renew(await endingSoon(nodeOf(credentials)))
    hub.follow({ '/job:worker/task:1': renewed.address, '/job:worker/task:2': forgotten.address })
    await expect.poll(() => events.length, { timeout: 20_000 }).toBe(2)
    mine.renew(await lasting('n0'))
    theirs.renew(await lasting('n1'))
    expect(await dead.promise).toMatchObject({ task: '/job:worker/task:2' })
    const states = async () => (await hub.peers()).map(({ task, state }) => [task, state])
    await expect.poll(states, { timeout: 20_000 }).toEqual([
      ['/job:worker/task:1', 'joined'],
      ['/job:worker/task:2', 'dead'],
    ])
    expect(events.filter(({ task, state }) => task === '/job:worker/task:1' && state === 'dead')).toEqual([])
    const over = /the certificate of 'n2' is valid .* which is not now/
    expect((await hub.peers())[1]!.trouble).toMatch(over)
    forgotten.follow({ '/job:worker/task:0': hub.address })
    await expect.poll(() => refusals, { timeout: 20_000 }).toContainEqual(expect.stringMatching(over))
  })
})

function nodeOf(credentials: RenewableCredentials): string {
  return checkCredentials(credentials.present).node
}

describe('a node that has no right', () => {
  it('is named in one line: strangers, the wrong job, the wrong node', async () => {
    const refusals: string[] = []
    const onRefused = (why: string): void => void refusals.push(why)
    const node = await start(0, await lasting('n0'), { onRefused })
    node.follow({ '/job:worker/task:5': { address: '127.0.0.1:9', node: 'n5' } })
    const elsewhere = await ClusterAuthority.create()
    const visitors: readonly [NodeCredentials, string, string][] = [
      [
        // It trusts this cluster, which does not trust it.
        { ...(await elsewhere.issue({ node: 'x' })), authority: authority.certificate },
        '/job:worker/task:3',
        `the certificate of 'x' was not issued by the authority of this cluster, ${authority.cluster}: it names cluster ${elsewhere.cluster}`,
      ],
      [
        await authority.issue({ node: 'p', role: 'ps' }),
        '/job:worker/task:4',
        "ps 'p' may not be /job:worker/task:4: its certificate is for job 'ps'",
      ],
      [
        await lasting('n9'),
        '/job:worker/task:5',
        "the certificate names 'n9' where 'n5' is expected, to be /job:worker/task:5",
      ],
    ]
    for (const [credentials, task] of visitors) await visit(node.address, credentials, task)
    // A client of gRPC tries again by itself.
    expect([...new Set(refusals)]).toEqual(visitors.map(([, , line]) => line))
    expect((await node.peers()).map(({ state }) => state)).toEqual(['absent'])
  })

  /** Says to be a task, and waits for the end of the stream. */
  async function visit(address: string, credentials: NodeCredentials, task: string): Promise<void> {
    const client = new Client(
      address,
      channelCredentials({ credentials }, systemClock, () => {}),
      channelOptions,
    )
    const { path, requestSerialize, responseDeserialize } = controlFile.definition.Attend
    const stream = client
      .makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
      .on('data', () => {})
    const hello = {
      cluster: authority.cluster,
      task,
      incarnation: 'i',
      sequence: 1,
      version: '',
      devices: [],
    }
    stream.write({ says: { case: 'hello', value: hello } })
    await new Promise((resolve) => stream.once('error', resolve))
    client.close()
  }
})
