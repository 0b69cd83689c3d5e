// The health service: probes ask whether a service is served, or watch until it is not.
import { type ServerWritableStream, status as grpcStatus } from '@grpc/grpc-js'
import { type HealthAnswer, type healthFile, type HealthRequest, servingStates } from './proto/health.ts'
import { type Handlers, StatusError } from './rpc.ts'

type Watcher = ServerWritableStream<HealthRequest, HealthAnswer>

/** What is served, all of it or nothing. */
export class Health {
  readonly #services: ReadonlySet<string>
  readonly #watchers = new Set<Watcher>()
  #serving = true

  /** @param services the full names of the services that there are. */
  constructor(services: readonly string[]) {
    // The empty name is that of the node as a whole.
    this.#services = new Set(['', ...services])
  }

  readonly handlers: Handlers<typeof healthFile.definition> = {
    Check: {
      one: ({ service }) => {
        if (!this.#services.has(service))
          throw new StatusError(grpcStatus.NOT_FOUND, `there is no service '${service}' here`)
        return { status: this.#statusOf(service) }
      },
    },
    Watch: {
      answers: (stream) => {
        this.#watchers.add(stream)
        stream.on('cancelled', () => this.#watchers.delete(stream))
        stream.write({ status: this.#statusOf(stream.request.service) })
      },
    },
  }

  /** Serves from now on, or does not. Whoever watches is told. */
  set(serving: boolean): void {
    if (serving === this.#serving) return
    this.#serving = serving
    for (const stream of this.#watchers) stream.write({ status: this.#statusOf(stream.request.service) })
  }

  /** Serves nothing any more; whoever watches is told. */
  close(): void {
    this.set(false)
    for (const stream of this.#watchers) stream.end()
    this.#watchers.clear()
  }

  #statusOf(service: string): number {
    if (!this.#services.has(service)) return servingStates.SERVICE_UNKNOWN
    return this.#serving ? servingStates.SERVING : servingStates.NOT_SERVING
  }
}
