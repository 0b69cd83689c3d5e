// gRPC as it is used plainly: one unary call for each message, the bytes in a field of a protobuf message.
import {
  type ChannelOptions,
  Client,
  credentials as channels,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from '@grpc/grpc-js'
import type { NodeCredentials } from '@shoal/distributed/node'
import type { Carrier } from '../carrier.ts'
import { echoBytes, host, sourceBytes } from '../carrier.ts'

/** `message Blob { bytes data = 1; uint32 wanted = 2; }` */
interface Blob {
  readonly data: Uint8Array
  /** The bytes that the answer is to have. */
  readonly wanted: number
}

const [dataTag, wantedTag] = [0x0a, 0x10]

function varint(value: number): number[] {
  const bytes: number[] = []
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128)
  return [...bytes, value]
}

const serialize = ({ data, wanted }: Blob): Buffer =>
  Buffer.concat([
    Uint8Array.of(dataTag, ...varint(data.length)),
    data,
    Uint8Array.of(wantedTag, ...varint(wanted)),
  ])

function deserialize(bytes: Buffer): Blob {
  let at = 0
  const number = (): number => {
    for (let [value, shift] = [0, 0]; ; shift += 7) {
      const byte = bytes[at++]!
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  let [data, wanted] = [bytes.subarray(0, 0), 0]
  while (at < bytes.length) {
    if (bytes[at++] === dataTag) {
      const length = number()
      data = bytes.subarray(at, (at += length))
    } else wanted = number()
  }
  return { data, wanted }
}

const path = '/bench.Bytes/Exchange'
const service: ServiceDefinition = {
  exchange: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  },
}

/** Sizes without a bound; every channel has a connection of its own; an address is no name that TLS would take. */
const options: ChannelOptions = {
  'grpc.ssl_target_name_override': 'bench',
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.use_local_subchannel_pool': 1,
}

const ofServer = ({ authority, privateKey, certificate }: NodeCredentials): ServerCredentials =>
  ServerCredentials.createSsl(
    Buffer.from(authority),
    [{ private_key: Buffer.from(privateKey), cert_chain: Buffer.from(certificate) }],
    true,
  )
const ofClient = ({ authority, privateKey, certificate }: NodeCredentials) =>
  channels.createSsl(Buffer.from(authority), Buffer.from(privateKey), Buffer.from(certificate), {
    checkServerIdentity: () => undefined,
  })

/** Unary calls of grpc-js. */
export const unary = (link: 'clear' | 'TLS', version: string): Carrier => ({
  name: 'grpc-js unary',
  version,
  link,
  async serve(credentials) {
    const server = new Server(options)
    server.addService(service, {
      exchange({ request }: { readonly request: Blob }, respond: (error: null, answer: Blob) => void) {
        respond(null, { data: sourceBytes(request.wanted), wanted: 0 })
      },
    })
    const security = link === 'TLS' ? ofServer(credentials) : ServerCredentials.createInsecure()
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(`${host}:0`, security, (error, bound) => (error ? reject(error) : resolve(bound))),
    )
    return { address: `${host}:${port}` }
  },
  async connect(address, credentials) {
    const client = new Client(
      address,
      link === 'TLS' ? ofClient(credentials) : channels.createInsecure(),
      options,
    )
    const exchange = (sent: number, wanted: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const request: Blob = { data: sourceBytes(sent), wanted }
        client.makeUnaryRequest(path, serialize, deserialize, request, (error, answer) =>
          error || answer?.data.length !== wanted
            ? reject(error ?? new Error('bytes are missing'))
            : resolve(),
        )
      })
    return {
      pull: (bytes) => exchange(0, bytes),
      push: (bytes) => exchange(bytes, 0),
      echo: () => exchange(echoBytes, echoBytes),
      async close() {
        client.close()
      },
    }
  },
})
