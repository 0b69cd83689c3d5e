// A method of the runtime: its name, and what its requests and answers say besides tensors. Both ends read the same description.
import type { NDArray } from '@shoal/core'
import { z } from 'zod'
import { ProtocolError } from '../errors.ts'
import type { CallOptions, Connection, Handler, ServedCall } from '../transport/contract.ts'
import { revived } from './revived.ts'

/** A method that is called with `Q` and answers `A`, each beside tensors. */
export interface Method<Q, A> {
  readonly name: string
  readonly request: z.ZodType<Q>
  readonly answer: z.ZodType<A>
}

/** Something to say, and tensors. */
export interface Said<T> {
  readonly says: T
  readonly tensors: readonly NDArray[]
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Describes a method. */
export const method = <Q, A>(name: string, request: z.ZodType<Q>, answer: z.ZodType<A>): Method<Q, A> => ({
  name,
  request,
  answer,
})

/** The answer of a method that says nothing. */
export const nothing = z.object({})

function read<T>(schema: z.ZodType<T>, head: Uint8Array, what: string): T {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(head))
  } catch (cause) {
    throw new ProtocolError(`${what} is no JSON`, { cause })
  }
  const result = schema.safeParse(value)
  if (!result.success) throw new ProtocolError(`${what}: ${z.prettifyError(result.error)}`)
  return result.data
}

const written = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value))

/**
 * Calls a method of a peer.
 * @throws what the peer threw, where it is an error of Shoal's as an error of the same class; else as `Connection.call`.
 */
export async function callMethod<Q, A>(
  connection: Connection,
  { name, answer }: Method<Q, A>,
  request: Q,
  options: CallOptions & { readonly tensors?: readonly NDArray[] },
): Promise<Said<A>> {
  const { tensors = [], ...how } = options
  let message
  try {
    message = await connection.call(name, { head: written(request), tensors }, how)
  } catch (error) {
    throw revived(error)
  }
  return { says: read(answer, message.head, `the answer of '${name}'`), tensors: message.tensors }
}

/** Serves a method: an entry of what `Connection.serve` takes. */
export const serving = <Q, A>(
  { name, request }: Method<Q, A>,
  handle: (request: Said<Q>, call: ServedCall) => Said<A> | Promise<Said<A>>,
): readonly [string, Handler] => [
  name,
  async ({ head, tensors }, call) => {
    const answer = await handle({ says: read(request, head, `a call of '${name}'`), tensors }, call)
    return { head: written(answer.says), tensors: answer.tensors }
  },
]
