// The agent of this machine as commands speak to it: each method of its interface, with a deadline.
import {
  callMethod,
  ConnectError,
  type Connection,
  type Method,
  SocketTransport,
} from '@shoal/distributed/peers'
import {
  agentMethods,
  blobMethods,
  doctorMethods,
  jobMethods,
  type JobRequest,
  type Role,
} from '@shoal/edge-agent/client'
import { NoAgentError } from '../errors.ts'
import { placeOf } from './place.ts'

const connectMs = 5000
const answerMs = 30_000
/** Joining goes over the network, and proves things on both sides. */
const joinMs = 60_000

/** How one question is asked. */
interface Asking {
  readonly deadlineMs?: number
  readonly signal?: AbortSignal | undefined
}

/** The answers of `agent.status`, `blobs.read` and so on are those of their methods: see `@shoal/edge-agent/client`. */
export class Agent implements AsyncDisposable {
  readonly connection: Connection

  private constructor(connection: Connection) {
    this.connection = connection
  }

  /** Connects to the agent whose state folder this is. @throws NoAgentError where none answers. */
  static async connect(folder: string, signal?: AbortSignal): Promise<Agent> {
    const { address, credentials } = await placeOf(folder)
    const transport = new SocketTransport({ credentials })
    try {
      return new Agent(await transport.connect(address, { deadlineMs: connectMs, signal }))
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      throw new NoAgentError(`the agent of ${folder} does not answer: ${error.message}`, { cause: error })
    }
  }

  status = () => this.#ask(agentMethods.status, {})
  nodes = () => this.#ask(agentMethods.nodes, {})
  invite = (role: Role, minutes: number) => this.#ask(agentMethods.invite, { role, minutes })
  join = (code: string, how: { readonly address?: string; readonly name?: string } = {}) =>
    this.#ask(agentMethods.join, { code, ...how }, { deadlineMs: joinMs })
  leave = () => this.#ask(agentMethods.leave, {})
  remove = (nodeId: string) => this.#ask(agentMethods.remove, { nodeId })
  stop = () => this.#ask(agentMethods.stop, {})
  survey = () => this.#ask(doctorMethods.survey, {})

  jobs = () => this.#ask(jobMethods.list, {})
  job = async (job: string) => (await this.#ask(jobMethods.show, { job })).view
  submit = async (spec: JobRequest) =>
    // What is left out is filled in at the other end.
    (await this.#ask(jobMethods.submit, { spec: spec as never })).job
  stopJob = (job: string, reason: string) => this.#ask(jobMethods.stopJob, { job, reason })
  /** Events of a job from some one on; waits so long for one where there is none yet. */
  events = (job: string, from: number, { waitMs, signal }: { waitMs: number; signal?: AbortSignal }) =>
    this.#ask(jobMethods.events, { job, from, waitMs }, { deadlineMs: waitMs + answerMs, signal })
  document = (job: string, key: string) => this.#ask(jobMethods.readDocument, { job, key })

  releaseBlobs = (keepFor: string) => this.#ask(blobMethods.release, { keepFor })
  /** All bytes of a blob that the agent has. */
  readBlob = async (hash: string): Promise<Uint8Array> => {
    let whole: Uint8Array | undefined
    for (let offset = 0; offset < (whole?.byteLength ?? 1); ) {
      const { says, tensors } = await callMethod(
        this.connection,
        blobMethods.read,
        { hash, offset },
        { deadlineMs: answerMs },
      )
      whole ??= new Uint8Array(says.bytes)
      const piece = tensors[0]?.bytes
      if (!piece?.byteLength) break
      whole.set(piece, offset)
      offset += piece.byteLength
    }
    return whole ?? new Uint8Array(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close()
  }

  async #ask<Q, A>(method: Method<Q, A>, request: Q, how: Asking = {}): Promise<A> {
    const options = { deadlineMs: answerMs, ...how }
    return (await callMethod(this.connection, method, request, options)).says
  }
}
