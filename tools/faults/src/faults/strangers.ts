// Those who may not come in: without a certificate, with one of another cluster, with one that is too old; and those who talk nonsense.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect as connectClear, type Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { ClusterAuthority, type NodeCredentials, SocketTransport } from '@shoal/distributed/node'
import { expectThat } from '@shoal/example-parts'
import { Cluster } from '../cluster.ts'
import { randomNumbers } from '../random.ts'
import { type Fault, survive } from '../survive.ts'

const hourMs = 3_600_000

/** Certificates that are none here. */
export const certificates: Fault = {
  name: 'certificates',
  about: 'strangers with no certificate, one of another cluster, one that is too old',
  inShort: false,
  run: (scale) =>
    survive({
      scale,
      steps: scale.short ? 300 : 600,
      async strike(cluster) {
        const { authority } = cluster
        const other = await ClusterAuthority.create()
        const past = { from: new Date(Date.now() - 48 * hourMs), forMs: 24 * hourMs }
        const credentials: Readonly<Record<string, NodeCredentials | undefined>> = {
          'no certificate': undefined,
          'one of another cluster': await other.issue({ node: 'ps-0', role: 'ps' }),
          'one that is too old': await authority.issue({ node: 'ps-0', role: 'ps', ...past }),
        }
        for (const [what, shown] of Object.entries(credentials)) await showCertificate(cluster, what, shown)
        await undisturbed(cluster)
      },
      tells: [
        { what: 'that there was no certificate', by: 'ps-0', line: /showed no certificate/ },
        { what: 'that one was not accepted', by: 'ps-0', line: /was not issued by|is valid from/ },
      ],
    }),
}

/** Shows a certificate to the data plane and the control plane of a server, and listens for as much as one byte. */
async function showCertificate(
  cluster: Cluster,
  what: string,
  shown: NodeCredentials | undefined,
): Promise<void> {
  for (const [plane, port] of await planesOf(cluster)) {
    const socket = connectSecure({
      host: '127.0.0.1',
      port,
      ALPNProtocols: [plane === 'data' ? 'shoal/1' : 'h2'],
      // A stranger does not care whom it speaks to.
      rejectUnauthorized: false,
      ...(shown && { cert: shown.certificate, key: shown.privateKey }),
    })
    const answer = await answerOf(socket)
    expectThat(
      `${what} is no way into the ${plane} plane`,
      answer.bytes === 0 && answer.ended,
      inWords(answer),
    )
  }
}

/** A node of the cluster, though none of this job, at the address of a parameter server. */
export const impostor: Fault = {
  name: 'impostor',
  about: 'a worker listens in the place of a parameter server',
  inShort: false,
  async run({ seed, verbose }) {
    const training = { arrangement: 'asynchronous', steps: 100, batch: 32, paceMs: 0, starts: 4 } as const
    await using cluster = await Cluster.prepare({
      training: { ...training, seed, saveEverySteps: 10 },
      ps: 1,
      workers: 1,
      verbose,
    })
    const mallory = await cluster.authority.issue({ node: 'mallory', role: 'worker' })
    const heard: string[] = []
    const listener = await new SocketTransport({ credentials: mallory }).listen(
      cluster.addresses.get('ps-0')!,
      {
        connected: (connection) =>
          connection.serve((method) => {
            heard.push(method)
            return undefined
          }),
      },
    )
    cluster.start('worker-0')
    const code = await cluster.process('worker-0').ended
    await listener.close()
    const entry = cluster.journal.find('worker-0', /ends: SecurityError.*mallory/)
    expectThat(
      'the worker says whom it has found',
      entry !== undefined,
      entry?.line ?? 'it said nothing of it',
    )
    expectThat('it asked for nothing', heard.length === 0, `${heard.length} calls`)
    expectThat('its exit code says that a person has to look', code === 1, `exit code ${code}`)
  },
}

/** Bytes that are no messages, in clear and from peers with good certificates. */
export const garbage: Fault = {
  name: 'garbage',
  about: 'garbage, unfinished and oversized messages at the ports of a parameter server',
  inShort: true,
  run: (scale) =>
    survive({
      scale,
      steps: scale.short ? 650 : 1000,
      strike: talkNonsense,
      tells: [{ what: 'that it was refused', by: 'ps-0', line: /refused a connection/ }],
    }),
}

async function talkNonsense(cluster: Cluster): Promise<void> {
  const random = randomNumbers(7)
  const noise = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, () => Math.floor(256 * random())))
  const { pid } = cluster.process('ps-0')
  const before = await residentBytes(pid)
  for (const [plane, port] of await planesOf(cluster)) {
    const clear = { 'random bytes': noise(100_000), 'a page': Buffer.from('GET / HTTP/1.1\r\n\r\n') }
    for (const [what, bytes] of Object.entries(clear)) {
      const socket = connectClear({ host: '127.0.0.1', port })
      socket.write(bytes)
      const answer = await answerOf(socket)
      expectThat(`${what} in clear at the ${plane} plane`, answer.ended, inWords(answer))
    }
  }
  const [[, port] = ['', 0]] = await planesOf(cluster)
  const known = await cluster.authority.issue({ node: 'babbler', role: 'worker' })
  const frames = { 'random frames': noise(100_000), 'a frame of 4 GB': Buffer.alloc(64, 0xff) }
  for (const [what, bytes] of Object.entries(frames)) {
    const { certificate: cert, privateKey: key, authority: ca } = known
    const tls = { cert, key, ca, ALPNProtocols: ['shoal/1'], checkServerIdentity: () => undefined }
    const socket = connectSecure({ host: '127.0.0.1', port, ...tls })
    await once(socket, 'secureConnect')
    socket.write(bytes)
    const answer = await answerOf(socket)
    expectThat(`${what} of a known peer`, answer.ended, inWords(answer))
  }
  // A hundred that begin to shake hands, and leave it at that.
  const idle = Array.from({ length: 100 }, () => connectClear({ host: '127.0.0.1', port }))
  for (const socket of idle) socket.write(Buffer.from([0x16, 0x03, 0x01]))
  const ends = await Promise.all(idle.map(answerOf))
  const slowest = Math.max(...ends.map(({ ms }) => ms))
  expectThat(
    'a hundred unfinished handshakes',
    ends.every(({ ended }) => ended),
    `all were ended after ${(slowest / 1000).toFixed(1)} s`,
  )
  await undisturbed(cluster)
  const megabytes = ((await residentBytes(pid)) - before) / 2 ** 20
  expectThat('it cost little memory', megabytes < 256, `${megabytes.toFixed(0)} MiB more than before`)
}

/** All workers go on, and none has noticed anything. */
async function undisturbed({ journal }: Cluster): Promise<void> {
  await journal.more('worker-0', 5)
  await journal.more('worker-1', 5)
  const lost = journal.find(/worker/, /lost its session/)
  if (lost) throw new Error(`nobody of the cluster was spoken to, but ${lost.name} said: ${lost.line}`)
}

/** The ports at which a server listens: that of tensors, and that of signs of life, which it tells those who may ask. */
async function planesOf({
  authority,
  addresses,
}: Cluster): Promise<(readonly [plane: string, port: number])[]> {
  const address = addresses.get('ps-0')!
  const transport = new SocketTransport({
    credentials: await authority.issue({ node: 'asker', role: 'worker' }),
  })
  const connection = await transport.connect(address, { deadlineMs: 10_000 })
  const asked = { head: new TextEncoder().encode('{}'), tensors: [] }
  const { head } = await connection.call('server.watch', asked, { deadlineMs: 10_000 })
  await connection.close()
  const { port } = JSON.parse(new TextDecoder().decode(head)) as { readonly port: number }
  return [
    ['data', Number(address.split(':')[1])],
    ['control', port],
  ]
}

interface Answer {
  /** What came from the other side once it knew whom it spoke to. */
  readonly bytes: number
  /** Did it end the connection? */
  readonly ended: boolean
  readonly ms: number
}

/** Milliseconds in which whoever is not welcome has to be sent away: more than a handshake may take. */
const patienceMs = 10_000

async function answerOf(socket: Socket): Promise<Answer> {
  const begun = performance.now()
  let bytes = 0
  socket.on('data', (piece) => (bytes += piece.length))
  socket.on('error', () => {})
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.on('close', () => resolve(true))
  const late = setTimeout(() => resolve(false), patienceMs)
  const ended = await promise
  clearTimeout(late)
  socket.destroy()
  return { bytes, ended, ms: performance.now() - begun }
}

const inWords = ({ bytes, ended, ms }: Answer): string =>
  ended ? `ended after ${(ms / 1000).toFixed(1)} s, with ${bytes} bytes` : `still open after ${ms / 1000} s`

async function residentBytes(pid: number): Promise<number> {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return 1024 * Number(kilobytes)
}
