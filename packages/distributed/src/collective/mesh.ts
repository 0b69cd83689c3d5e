// One member and its connections to the others: who is reached, and what each of them is served.
import { ClosedError, ValueError } from '@shoal/core'
import type { Clock } from '../clock.ts'
import { systemClock } from '../clock.ts'
import { asError, ConnectionLostError, ProtocolError } from '../errors.ts'
import type { CallOptions, Connection, Handler, Message } from '../transport/contract.ts'
import type { HeadValue } from './heads.ts'
import { encodeHead, encodeRow, Head } from './heads.ts'

/** Serves one method to all peers; `from` is the member at the other end of the connection. */
export type Service = (from: string, head: Head, signal: AbortSignal) => Message | Promise<Message>

const methodNames = ['take', 'confirm', 'broken', 'gather', 'prepare', 'install'] as const
/** What members ask of each other. */
export type MeshMethod = (typeof methodNames)[number]

/** Data is asked for often: what it is asked by travels without names. The last is said once for each part and member. */
const takeFields = ['generation', 'number', 'part', 'tag', 'signature']
const namesOf = (method: MeshMethod): readonly string[] | undefined =>
  method === 'take' ? takeFields : undefined

/** An answer that says nothing but that it is one. */
export const acknowledged: Message = { head: new Uint8Array(0), tensors: [] }

/** A member of groups: its name, and a connection to each of the others. */
export class Mesh {
  readonly id: string
  readonly clock: Clock
  readonly #connections = new Map<string, Connection>()
  readonly #services = new Map<MeshMethod, Service>()
  readonly #watchers = new Set<(id: string, error: Error) => void>()

  /** @param id the name of this member, which no other has. @param clock default: the system's. */
  constructor(id: string, clock: Clock = systemClock) {
    this.id = id
    this.clock = clock
  }

  /**
   * States over which connection a member is reached, in place of one that was lost. Data is pulled: where only the side that dials reads
   * into memory of its choice, let each dial the member before it.
   * @param options.serve whether the connection serves this mesh alone. A connection that has more to serve is given `methods` besides. Default true.
   * @throws ValueError for this member itself.
   */
  connect(id: string, connection: Connection, { serve = true }: { readonly serve?: boolean } = {}): void {
    if (id === this.id) throw new ValueError(`'${id}' needs no connection to itself`)
    const replaced = this.#connections.has(id)
    this.#connections.set(id, connection)
    if (replaced) this.#tellLost(id, 'it came back')
    if (serve) connection.serve(this.methods(id))
    void connection.closed.then((reason) => {
      if (this.#connections.get(id) !== connection) return
      this.#connections.delete(id)
      this.#tellLost(id, reason?.message ?? 'it closed its connection')
    })
  }

  #tellLost(id: string, why: string): void {
    const error = new ConnectionLostError(`'${id}' was lost: ${why}`)
    for (const watch of this.#watchers) watch(id, error)
  }

  /** What the connection to member `id` is to serve. */
  methods(id: string): Readonly<Record<string, Handler>> {
    const handler =
      (name: MeshMethod): Handler =>
      async ({ head }, { signal }) => {
        const service = this.#services.get(name)
        if (!service) throw new ProtocolError(`'${this.id}' takes part in no group that knows '${name}'`)
        return await service(id, new Head(head, namesOf(name)), signal)
      }
    return Object.fromEntries(methodNames.map((name) => [methodOf(name), handler(name)]))
  }

  /** States who serves a method. */
  serve(method: MeshMethod, service: Service): void {
    this.#services.set(method, service)
  }

  /** Is there a connection to a member, as far as is known? A member reaches itself. */
  reaches(id: string): boolean {
    return id === this.id || this.#connections.has(id)
  }

  /** The others that are reached. */
  get reached(): readonly string[] {
    return [...this.#connections.keys()]
  }

  /** Calls another member. @throws ConnectionLostError where it is not reached, and as calls do. */
  async call(
    id: string,
    method: MeshMethod,
    fields: Readonly<Record<string, HeadValue>>,
    options: CallOptions,
  ): Promise<Message> {
    const connection = this.#connections.get(id)
    const names = namesOf(method)
    const head = names ? encodeRow(fields, names) : encodeHead(fields)
    if (!connection) throw new ConnectionLostError(`'${this.id}' has no connection to '${id}'`)
    try {
      return await connection.call(methodOf(method), { head, tensors: [] }, options)
    } catch (thrown) {
      const error = asError(thrown)
      if (error instanceof ClosedError)
        throw new ConnectionLostError(`'${id}': ${error.message}`, { cause: error })
      throw error
    }
  }

  /** Calls `watch` with each member that is lost from now on. The answer calls it off. */
  onLost(watch: (id: string, error: Error) => void): () => void {
    this.#watchers.add(watch)
    return () => this.#watchers.delete(watch)
  }
}

const methodOf = (name: MeshMethod): string => `collective/${name}`
