import { fromBinary, createFileRegistry, type MessageShape, toJson } from '@bufbuild/protobuf'
import { BinaryReader } from '@bufbuild/protobuf/wire'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import {
  type ChannelCredentials,
  Client,
  credentials as grpcCredentials,
  Metadata,
  type MethodDefinition,
  status,
} from '@grpc/grpc-js'
import { once } from 'node:events'
import { connect as connectClear } from 'node:net'
import { type ConnectionOptions, connect as connectSecure } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { ClusterAuthority } from '../security/authority.ts'
import { systemClock } from '../clock.ts'
import type { NodeCredentials } from '../security/identity.ts'
import type { Security } from '../transport/security.ts'
import type { StopRequest } from './controlService.ts'
import type { PeerEvent } from './failureDetector.ts'
import { controlFile, nodeStates } from './proto/control.ts'
import { healthFile, servingStates } from './proto/health.ts'
import { channelCredentials } from './tls.ts'
import type { ControlOptions } from './controlOptions.ts'
import { type Control, startControl } from './startControl.ts'

const authority = await ClusterAuthority.create()
const stranger = await ClusterAuthority.create()
const worker = await authority.issue({ node: 'w', role: 'worker' })
const chief = await authority.issue({ node: 'c', role: 'chief' })
const server = await authority.issue({ node: 's', role: 'ps' })
const task = '/job:worker/task:1'
const device = {
  name: `${task}/device:cpu:0`,
  type: 'cpu',
  dtypes: ['float32', 'int8'],
  memoryBytes: 2 ** 33,
}

const open: (() => unknown)[] = []
afterAll(async () => {
  for (const end of open.splice(0).toReversed()) await end()
})

async function start(options: Security & Partial<ControlOptions>): Promise<Control> {
  const control = await startControl({ address: '127.0.0.1:0', task, ...options } as ControlOptions)
  open.push(() => control.close())
  return control
}
function clientOf({ address }: Control, credentials: ChannelCredentials): Client {
  const client = new Client(address, credentials, {
    'grpc.enable_retries': 0,
    'grpc.ssl_target_name_override': 'node',
  })
  open.push(() => client.close())
  return client
}
const as = (credentials: NodeCredentials): ChannelCredentials =>
  channelCredentials({ credentials }, systemClock, () => {})

/** What grpc-js does without what is tested here: certificates as it takes them, bytes as they are. */
const plainTls = ({ certificate, privateKey, authority: ca }: NodeCredentials): ChannelCredentials =>
  grpcCredentials.createSsl(Buffer.from(ca), Buffer.from(privateKey), Buffer.from(certificate), {
    checkServerIdentity: () => undefined,
  })
const same = (bytes: Buffer): Buffer => bytes

const { GetStatus, ListDevices, Drain, Stop } = controlFile.definition
const { Check, Watch } = healthFile.definition

function call<Q, A>(client: Client, method: MethodDefinition<Q, A>, request: Q): Promise<A> {
  const { path, requestSerialize, responseDeserialize } = method
  const { promise, resolve, reject } = Promise.withResolvers<A>()
  const deadline = Date.now() + 20_000
  client.makeUnaryRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    new Metadata(),
    { deadline },
    (error, value) => (error ? reject(error) : resolve(value!)),
  )
  return promise
}

const stops: StopRequest[] = []
const control = await start({
  credentials: worker,
  version: '1.2.3',
  status: { devices: [device] },
  onStop: (request) => stops.push(request),
})
const client = clientOf(control, as(worker))

describe('a node that is asked', () => {
  it('says who it is and what it has', async () => {
    control.update({ runningSteps: 3 })
    const said = await call(client, GetStatus, {})
    expect(said).toMatchObject({
      task,
      job: 'worker',
      index: 1,
      incarnation: control.incarnation,
      version: '1.2.3',
      state: nodeStates.SERVING,
      load: { runningSteps: 3 },
      devices: [{ ...device, memoryBytes: 2n ** 33n, incarnation: control.incarnation }],
    })
    expect(said.uptimeMs).toBeGreaterThan(0)
    expect(said.load!.residentBytes).toBeGreaterThan(1_000_000n)
    expect(control.incarnation).toMatch(/^[0-9a-f]{16}$/)
  })

  it('stops for those who may stop it, and for nobody else', async () => {
    const refused = call(client, Stop, { reason: 'because', graceMs: 10 })
    await expect(refused).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      details: `worker 'w' may not stop ${task}: only nodes with the role chief or master may`,
    })
    const boss = clientOf(control, as(chief))
    await expect(call(boss, Drain, { reason: 'enough', graceMs: NaN })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    })
    expect(stops).toEqual([])
    expect(await call(boss, Drain, { reason: 'enough', graceMs: 50 })).toMatchObject({
      state: nodeStates.DRAINING,
    })
    await expect.poll(() => stops).toHaveLength(1)
    expect(stops[0]).toMatchObject({
      kind: 'drain',
      by: { cluster: authority.cluster, node: 'c', role: 'chief' },
      reason: 'enough',
      graceMs: 50,
    })
  })

  it('tells probes whether it serves, and those who watch when that changes', async () => {
    expect(await call(client, Check, { service: '' })).toMatchObject({ status: servingStates.SERVING })
    expect(await call(client, Check, { service: 'shoal.v1.Control' })).toMatchObject({
      status: servingStates.SERVING,
    })
    await expect(call(client, Check, { service: 'x' })).rejects.toMatchObject({ code: status.NOT_FOUND })
    const { path, requestSerialize, responseDeserialize } = Watch
    const watch = (service: string) =>
      client
        .makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service })
        .on('error', () => {})
    const [known, unknown] = [watch('shoal.v1.Control'), watch('x')]
    expect(await once(known, 'data')).toMatchObject([{ status: servingStates.SERVING }])
    expect(await once(unknown, 'data')).toMatchObject([{ status: servingStates.SERVICE_UNKNOWN }])
    control.update({ state: 'draining' })
    expect(await once(known, 'data')).toMatchObject([{ status: servingStates.NOT_SERVING }])
    expect(await call(client, GetStatus, {})).toMatchObject({ state: nodeStates.DRAINING })
    control.update({ state: 'serving' })
    expect(await once(known, 'data')).toMatchObject([{ status: servingStates.SERVING }])
    known.cancel()
    unknown.cancel()
  })
})

describe('a client that knows nothing of this server', () => {
  /** Asks the reflection service with bytes, and reads bytes: field numbers are those of the published protocol. */
  async function reflect(version: string, field: number, text: string): Promise<Map<number, Uint8Array[]>> {
    const plain = clientOf(control, plainTls(worker))
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`
    const stream = plain.makeBidiStreamRequest(path, same, same)
    stream.write(Buffer.concat([Buffer.from([(field << 3) | 2, text.length]), Buffer.from(text)]))
    const [bytes] = (await once(stream, 'data')) as [Buffer]
    stream.end()
    return fieldsOf(bytes)
  }
  /** The fields of a message that are bytes, by number. */
  function fieldsOf(bytes: Uint8Array): Map<number, Uint8Array[]> {
    const reader = new BinaryReader(bytes)
    const found = new Map<number, Uint8Array[]>()
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag()
      if (wireType === 2) found.set(number, [...(found.get(number) ?? []), reader.bytes()])
      else reader.skip(wireType)
    }
    return found
  }
  const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)

  it.each(['v1', 'v1alpha'])('finds the services by reflection %s', async (version) => {
    const answer = await reflect(version, 7, '')
    const services = fieldsOf(answer.get(6)![0]!).get(1)!
    expect(services.map((service) => text(fieldsOf(service).get(1)![0]))).toEqual([
      'shoal.v1.Control',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ])
  })

  it('finds descriptors by any symbol, and calls a method by nothing but these', async () => {
    const answer = await reflect('v1', 4, 'shoal.v1.Control.GetStatus')
    const file = fromBinary(FileDescriptorProtoSchema, fieldsOf(answer.get(4)![0]!).get(1)![0]!)
    expect(toJson(FileDescriptorProtoSchema, file)).toMatchObject({
      name: 'shoal/v1/control.proto',
      syntax: 'proto3',
      service: [
        {
          method: [
            { name: 'Attend', clientStreaming: true, serverStreaming: true },
            { name: 'GetStatus', outputType: '.shoal.v1.Status' },
            { name: 'ListDevices' },
            { name: 'Drain' },
            { name: 'Stop' },
          ],
        },
      ],
    })
    const registry = createFileRegistry(file, () => undefined)
    const { output } = registry.getService('shoal.v1.Control')!.method['getStatus']!
    const plain = clientOf(control, plainTls(worker))
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      plain.makeUnaryRequest('/shoal.v1.Control/GetStatus', same, same, Buffer.alloc(0), (error, value) =>
        error ? reject(error) : resolve(value!),
      )
    })
    const said: MessageShape<typeof output> = fromBinary(output, bytes)
    expect(toJson(output, said)).toMatchObject({
      task,
      uptimeMs: expect.any(Number),
      devices: [{ memoryBytes: '8589934592', dtypes: ['float32', 'int8'] }],
    })
    const nested = await reflect('v1alpha', 4, 'grpc.health.v1.HealthCheckResponse.ServingStatus')
    expect(nested.has(4)).toBe(true)
    const byName = await reflect('v1', 3, 'grpc/health/v1/health.proto')
    expect(byName.get(4)).toEqual(nested.get(4))
  })

  it('is told what is not there', async () => {
    expect(text(fieldsOf((await reflect('v1', 4, 'no.Such')).get(7)![0]!).get(2)![0])).toBe(
      "there is no 'no.Such' here",
    )
  })
})

describe('a node that is not asked kindly', () => {
  /** Attends with raw bytes, and answers with what the stream ended with. */
  async function attend(
    credentials: ChannelCredentials,
    ...messages: readonly Uint8Array[]
  ): Promise<string> {
    const plain = clientOf(control, credentials)
    const stream = plain.makeBidiStreamRequest('/shoal.v1.Control/Attend', same, same).on('data', () => {})
    for (const bytes of messages) stream.write(Buffer.from(bytes))
    const [error] = (await once(stream, 'error', { signal: AbortSignal.timeout(20_000) }).catch(
      (thrown: unknown) => [thrown],
    )) as [Error]
    return error.message
  }
  const says = (message: Parameters<typeof controlFile.definition.Attend.requestSerialize>[0]['says']) =>
    controlFile.definition.Attend.requestSerialize({ says: message })
  const hello = {
    cluster: authority.cluster,
    task: '/job:worker/task:9',
    incarnation: 'i',
    sequence: 1,
    version: '',
    devices: [],
  }

  /** What a TLS client is told that does not mind whom it speaks with. */
  function handshake(options: ConnectionOptions): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    const [host, port] = control.address.split(':')
    connectSecure({ host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['h2'], ...options })
      .once('error', ({ message }) => resolve(message))
      .once('close', () => resolve('closed'))
      .once('data', () => resolve('served'))
    return promise
  }

  it('refuses who shows no certificate, and who shows one of another cluster', async () => {
    expect(await handshake({})).toMatch(/closed|ECONNRESET/)
    const foreign = await stranger.issue({ node: 'w', role: 'chief' })
    expect(await handshake({ cert: foreign.certificate, key: foreign.privateKey })).toMatch(
      /closed|ECONNRESET/,
    )
    const other = clientOf(control, plainTls({ ...foreign, authority: authority.certificate }))
    await expect(call(other, GetStatus, {})).rejects.toMatchObject({ code: status.UNAVAILABLE })
    const trusting = clientOf(control, as(foreign))
    await expect(call(trusting, GetStatus, {})).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringMatching(/certificate/),
    })
    const clear = clientOf(control, grpcCredentials.createInsecure())
    await expect(call(clear, GetStatus, {})).rejects.toMatchObject({ code: status.UNAVAILABLE })
  })

  it('speaks TLS 1.3 and nothing older', async () => {
    const own = { cert: worker.certificate, key: worker.privateKey }
    expect(await handshake(own)).toBe('served')
    expect(await handshake({ ...own, maxVersion: 'TLSv1.2' })).toMatch(/protocol version/)
  })

  it('ends a stream that begins with no hello, and one that speaks for others', async () => {
    const beat = says({ case: 'heartbeat', value: { sequence: 1, load: undefined } })
    expect(await attend(as(worker), beat)).toContain('the first message has to be a hello')
    const other = says({ case: 'hello', value: { ...hello, cluster: 'x' } })
    expect(await attend(as(worker), other)).toContain("not 'x'")
    const own = says({ case: 'hello', value: { ...hello, task } })
    expect(await attend(as(worker), own)).toContain(`another process says that it is ${task}`)
    const [one, two] = [
      says({ case: 'hello', value: hello }),
      says({ case: 'hello', value: { ...hello, task: '/job:ps/task:0' } }),
    ]
    expect(await attend(as(worker), one, two)).toContain('one stream speaks for one process')
  })

  it('refuses messages that are too large or are none, and serves others as before', async () => {
    expect(await attend(as(worker), new Uint8Array(100_000))).toMatch(/RESOURCE_EXHAUSTED/)
    expect(await attend(as(worker), new Uint8Array(1000).fill(0xff))).toMatch(/INTERNAL/)
    // Groups within groups, which a careless reader follows down until its stack is full.
    expect(await attend(as(worker), new Uint8Array(60_000).fill(0x0b))).toMatch(/INTERNAL|PRECONDITION/)
    const [host, port] = control.address.split(':')
    const socket = connectClear({ host: host!, port: Number(port) })
    socket.on('error', () => {})
    socket.write(Buffer.alloc(100_000, 'garbage'))
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
    expect(await call(client, GetStatus, {})).toMatchObject({ task })
  })
})

describe('two clusters on one machine', () => {
  /** Starts a node that attends an address, and answers with its first trouble there, and all that happened. */
  async function trouble(options: Security & Partial<ControlOptions>, address: string) {
    const events: PeerEvent[] = []
    const peers = { [task]: address }
    const node = await start({
      task: '/job:worker/task:0',
      peers,
      onPeer: (event) => events.push(event),
      ...options,
    })
    const seen = async () => (await node.peers())[0]
    await expect.poll(async () => (await seen())?.trouble, { timeout: 20_000, interval: 100 }).not.toBe('')
    return { seen: await seen(), events }
  }

  it('do not mix where each has an authority of its own', async () => {
    const { seen, events } = await trouble(
      { credentials: await stranger.issue({ node: 'n', role: 'worker' }) },
      control.address,
    )
    expect(seen).toMatchObject({ state: 'absent', trouble: expect.stringMatching(/certificate/) })
    expect(events).toEqual([])
  })

  it('do not mix without certificates either, where they have names', async () => {
    const lines: string[] = []
    const log = (line: string) => lines.push(line)
    const first = await start({ insecure: true, cluster: 'first', log })
    const { seen } = await trouble({ insecure: true, cluster: 'second', log }, first.address)
    expect(seen).toMatchObject({
      state: 'absent',
      trouble: expect.stringMatching(/cluster '(first|second)'/),
    })
    expect(lines).toEqual([expect.stringMatching(/^insecure: /), expect.stringMatching(/^insecure: /)])
  })

  it('are not taken for each other where a peer is not the one that it should be', async () => {
    const { seen } = await trouble(
      { credentials: chief, peers: { [task]: { address: control.address, node: 'x' } } },
      '',
    )
    expect(seen).toMatchObject({
      state: 'absent',
      trouble: expect.stringContaining("names 'w' where 'x' is expected"),
    })
    const wrong = await trouble({ credentials: worker, peers: { '/job:worker/task:7': control.address } }, '')
    expect(wrong.seen!.trouble).toContain(`there is ${task} where /job:worker/task:7 should be`)
    const role = await trouble({ credentials: worker, peers: { '/job:ps/task:0': control.address } }, '')
    expect(role.seen!.trouble).toContain(
      "worker 'w' may not be /job:ps/task:0: its certificate is for job 'worker'",
    )
  })
})

describe('nodes that attend each other', () => {
  it('know the devices of each other, share one stream, and tell when they leave', async () => {
    const events: PeerEvent[] = []
    const news: string[] = []
    const one = await start({
      credentials: chief,
      task: '/job:chief/task:0',
      onPeer: (event) => events.push(event),
      onNews: ({ from, task: of, state }) => news.push(`${from}: ${of} ${state}`),
    })
    const two = await start({
      credentials: server,
      task: '/job:ps/task:0',
      peers: { '/job:chief/task:0': one.address },
    })
    const three = await start({
      credentials: server,
      task: '/job:ps/task:1',
      peers: { '/job:chief/task:0': one.address, '/job:ps/task:0': two.address },
    })
    one.follow({ '/job:ps/task:0': two.address, '/job:ps/task:1': three.address })
    two.follow({ '/job:chief/task:0': one.address, '/job:ps/task:1': three.address })
    await expect.poll(() => events.length, { timeout: 20_000 }).toBe(2)
    await expect.poll(() => news, { timeout: 20_000 }).toContain('/job:ps/task:0: /job:ps/task:1 joined')
    const asked = clientOf(one, as(worker))
    const names = async () => (await call(asked, ListDevices, {})).devices.map(({ name }) => name).toSorted()
    two.update({ devices: [{ ...device, name: '/job:ps/task:0/device:cpu:0' }] })
    one.update({ devices: [{ ...device, name: '/job:chief/task:0/device:cpu:0' }] })
    await expect
      .poll(names, { timeout: 20_000 })
      .toEqual(['/job:chief/task:0/device:cpu:0', '/job:ps/task:0/device:cpu:0'])
    await two.close('its work is done')
    await expect.poll(() => events.at(-1)?.state, { timeout: 20_000 }).toBe('dead')
    expect(events.at(-1)).toMatchObject({
      task: '/job:ps/task:0',
      incarnation: two.incarnation,
      reason: 'it left: its work is done',
    })
    await expect.poll(names, { timeout: 20_000 }).toEqual(['/job:chief/task:0/device:cpu:0'])
    expect(await two.closed).toBeUndefined()
    await expect(two.peers()).rejects.toMatchObject({ name: 'ClosedError' })
  })
})

describe('the thread', () => {
  it('is found where it is told to be, and missed where it is not', async () => {
    const thread = new URL('./thread.ts', import.meta.url)
    expect((await start({ credentials: worker, thread })).address).toMatch(/^127\.0\.0\.1:\d+$/)
    const nowhere = new URL('./nowhere.ts', import.meta.url)
    await expect(start({ credentials: worker, thread: nowhere })).rejects.toMatchObject({
      name: 'ClosedError',
      message: expect.stringContaining('nowhere.ts'),
    })
  })
})

describe('what makes no sense', () => {
  const base = { credentials: worker, address: '127.0.0.1:0', task }
  it.each<[object, string]>([
    [{ task: 'worker 1' }, 'ValueError'],
    [{ task: '/job:worker' }, 'ValueError'],
    [{ peers: { x: 'localhost:1' } }, 'ValueError'],
    [{ peers: { '/job:ps/task:0': 'nowhere' } }, 'ConnectError'],
    [{ heartbeat: { everyMs: 2000 } }, 'ValueError'],
    [{ heartbeat: { evry: 2000 } }, 'ValueError'],
    [{ address: control.address }, 'ConnectError'],
  ])('is refused: %j', async (options, name) => {
    await expect(startControl({ ...base, ...options } as ControlOptions)).rejects.toMatchObject({ name })
  })

  it('is refused: a certificate of one cluster with the authority of another', async () => {
    const credentials = { ...worker, authority: stranger.certificate }
    await expect(startControl({ ...base, credentials })).rejects.toMatchObject({ name: 'SecurityError' })
  })

  it('is refused: clear text to or from other machines', async () => {
    const insecure = { insecure: true as const, task, log: () => {} }
    await expect(startControl({ ...insecure, address: '0.0.0.0:0' })).rejects.toMatchObject({
      name: 'SecurityError',
    })
    const peers = { '/job:ps/task:0': '10.0.0.1:2222' }
    await expect(startControl({ ...insecure, address: '127.0.0.1:0', peers })).rejects.toMatchObject({
      name: 'SecurityError',
    })
  })
})
