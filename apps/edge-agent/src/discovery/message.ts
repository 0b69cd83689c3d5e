// Messages of DNS as nodes speak them: five kinds of records, read with limits, for everybody on the network may have written them.
import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet'

/** The most bytes of a packet that is read: RFC 6762, section 17. */
const maxBytes = 9000
/** The most records of a packet that is read: nodes send some ten. */
const maxRecords = 128
/** A record of one of the kinds that nodes speak in. `ttl` is in seconds. */
export type ServiceRecord = { readonly name: string; readonly ttl: number; readonly flush: boolean } & (
  | { readonly type: 'PTR' | 'A' | 'AAAA'; readonly data: string }
  | { readonly type: 'SRV'; readonly data: { readonly target: string; readonly port: number } }
  | { readonly type: 'TXT'; readonly data: readonly string[] }
)

/** A question for the records of a name. */
export interface Asked {
  readonly name: string
  readonly type: string
}

/** A message of DNS, as far as nodes speak it. */
export interface Message {
  readonly isResponse: boolean
  readonly id: number
  readonly questions: readonly Asked[]
  readonly answers: readonly ServiceRecord[]
  /** What the sender of a question would like to be the answer. */
  readonly authorities: readonly ServiceRecord[]
  readonly additionals: readonly ServiceRecord[]
}

/** The bit by which a response says that it comes from who it speaks of. */
const authoritative = 1 << 10

/** The names of DNS are the same in small and in capital letters. */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** A message as it travels; what is left out is empty. */
export function writeMessage(message: Partial<Message>): Uint8Array {
  const {
    isResponse = false,
    id = 0,
    questions = [],
    answers = [],
    authorities = [],
    additionals = [],
  } = message
  const records = (some: readonly ServiceRecord[]): Answer[] =>
    // The encoder changes lists of texts that it is given.
    some.map((record) => (record.type === 'TXT' ? { ...record, data: [...record.data] } : { ...record }))
  return encode({
    type: isResponse ? 'response' : 'query',
    id,
    flags: isResponse ? authoritative : 0,
    // The types of the encoder do not know ANY; it does.
    questions: questions as Question[],
    answers: records(answers),
    authorities: records(authorities),
    additionals: records(additionals),
  })
}

/** A message, or undefined for what is none, or larger than any that a node sends. */
export function readMessage(bytes: Uint8Array): Message | undefined {
  if (bytes.byteLength < 12 || bytes.byteLength > maxBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records = [4, 6, 8, 10].reduce((sum, at) => sum + view.getUint16(at), 0)
  if (records > maxRecords) return undefined
  try {
    const {
      type,
      id = 0,
      questions = [],
      answers,
      authorities,
      additionals,
    } = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) satisfies Packet
    return {
      isResponse: type === 'response',
      id,
      questions,
      answers: recordsIn(answers),
      authorities: recordsIn(authorities),
      additionals: recordsIn(additionals),
    }
  } catch {
    // Whatever it is, it is no message of DNS.
    return undefined
  }
}

const recordsIn = (answers: readonly Answer[] = []): readonly ServiceRecord[] =>
  answers.flatMap((answer): ServiceRecord[] => {
    if (answer.type === 'OPT' || !('ttl' in answer) || answer.class !== 'IN') return []
    const { name, ttl = 0, flush = false } = answer
    switch (answer.type) {
      case 'PTR':
      case 'A':
      case 'AAAA':
        return [{ type: answer.type, name, ttl, flush, data: answer.data }]
      case 'SRV':
        return [{ type: 'SRV', name, ttl, flush, data: answer.data }]
      case 'TXT': {
        const lines = Array.isArray(answer.data) ? answer.data : [answer.data]
        return [{ type: 'TXT', name, ttl, flush, data: lines.map((line) => line.toString('latin1')) }]
      }
      default:
        return []
    }
  })
