// A road between a worker and everybody else on which bytes are late, stand still, are lost, cut short and changed, one after the other.
import type { Cluster } from '../cluster.ts'
import { type Mischief, Proxy } from '../proxy.ts'
import { type Fault, survive } from '../survive.ts'

/** Whom the road leads to and from. */
const beyond = 'worker-1'

/** What makes connections end, what anybody says of it, and how. */
const breaking: readonly { readonly mischief: Mischief; readonly what: string; readonly said: RegExp }[] = [
  {
    mischief: { kind: 'flip' },
    what: 'that bytes were changed on their way',
    said: /bad record mac|decryption failed/,
  },
  {
    mischief: { kind: 'truncate', bytes: 5000 },
    what: 'that a connection ended in the middle',
    said: /lost its session.*(stream ended|closed it)/,
  },
  {
    mischief: { kind: 'stall' },
    what: 'that nothing came any more',
    said: /lost its session.*no sign of life/,
  },
  { mischief: { kind: 'drop' }, what: 'that a connection was cut', said: /lost its session.*was lost/ },
]

/** All of that, to the second worker; the first one does not notice. */
export const road: Fault = {
  name: 'road',
  about: 'what travels between a worker and the others is late, stands still, is lost, cut short and changed',
  inShort: true,
  async run(scale) {
    await using made = new AsyncDisposableStack()
    const proxies = new Map<string, Proxy>()
    for (const name of ['ps-0', 'worker-0', 'worker-1']) proxies.set(name, made.use(await Proxy.listen()))
    await survive({
      scale,
      steps: scale.short ? 700 : 1200,
      route: (from, to, address) =>
        from === beyond || to === beyond ? proxies.get(to)!.before(address) : address,
      strike: (cluster) => misfortunes(cluster, [...proxies.values()]),
      tells: breaking.map(({ what, said }) => ({ what, by: /worker|ps/, line: said })),
    })
  },
}

async function misfortunes({ journal }: Cluster, proxies: readonly Proxy[]): Promise<void> {
  const play = (mischief: Mischief): void => {
    journal.note(`the road: ${JSON.stringify(mischief)}`)
    for (const proxy of proxies) proxy.play(mischief)
  }
  play({ kind: 'delay', ms: 20 })
  await journal.more(beyond, 10)
  if (journal.find(/worker/, /lost its session/)) throw new Error('bytes that are late are not lost')
  for (const { mischief, said } of breaking) {
    const from = journal.entries.length
    play(mischief)
    await journal.heard(beyond, /lost its session/, { from })
    await journal.heard(/worker|ps/, said, { from })
    play({ kind: 'none' })
    await journal.heard(beyond, /ready at step/, { from })
    await journal.more(beyond, 3)
  }
  const noticed = journal.find('worker-0', /lost its session/)
  if (noticed) throw new Error(`it was no road of worker-0, who says: ${noticed.line}`)
}
