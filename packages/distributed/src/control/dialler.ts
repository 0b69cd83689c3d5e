// Keeps one peer attended: dials it while nobody else has opened a stream between the two, and again whenever the last one ends.
import { Client, type ClientDuplexStream } from '@grpc/grpc-js'
import type { Clock } from '../clock.ts'
import type { Security } from '../transport/security.ts'
import type { Attendance } from './attendance.ts'
import { Backoff } from '../backoff.ts'
import { type AttendanceMessage, controlFile } from './proto/control.ts'
import { channelOptions } from './rpc.ts'
import { channelCredentials, type CheckPeer } from './tls.ts'

/** Where a peer is, and who it has to be. */
export interface PeerAddress {
  /** `host:port`. */
  readonly address: string
  /** The id that its certificate has to name. Default: any node of the cluster may be this task. */
  readonly node?: string
}

/** What a dialler needs. */
export interface DiallerMeans {
  readonly security: Security
  readonly clock: Clock
  /** Numbers from 0 to 1. */
  readonly random: () => number
  /** Is there nobody who attends the peer? */
  readonly wanted: () => boolean
  /** Makes sure by its certificate that the peer is who it has to be. */
  readonly check: CheckPeer
  readonly attend: (stream: ClientDuplexStream<AttendanceMessage, AttendanceMessage>) => Attendance
}

/** An attendance that lasted for so many milliseconds was a good one: what follows is tried at once. */
const goodMs = 1000
const { path, requestSerialize, responseDeserialize } = controlFile.definition.Attend

/** Dials one peer. */
export class Dialler {
  readonly target: PeerAddress
  readonly #means: DiallerMeans
  readonly #backoff: Backoff
  #client: Client | undefined
  #attendance: Attendance | undefined
  #closed = false
  #stopWaiting = (): void => {}

  constructor(target: PeerAddress, means: DiallerMeans) {
    this.target = target
    this.#means = means
    this.#backoff = new Backoff({ random: means.random })
    this.#wait(0)
  }

  /** The stream that was dialled, where there is one, greeted or not. */
  get attendance(): Attendance | undefined {
    return this.#attendance
  }

  /** To be told of every attendance of the peer that ended, whoever had dialled. */
  ended(attendance: Attendance): void {
    if (attendance === this.#attendance) {
      this.#client?.close()
      this.#client = this.#attendance = undefined
    }
    if (this.#closed) return
    const good = attendance.peer !== undefined && attendance.ageMs >= goodMs
    if (good) this.#backoff.reset()
    this.#wait(good ? 0 : this.#backoff.next())
  }

  /** Dials no more. The stream that there is has to be ended by whoever knows why. */
  close(): void {
    this.#closed = true
    this.#stopWaiting()
  }

  #wait(ms: number): void {
    this.#stopWaiting()
    this.#stopWaiting = this.#means.clock.after(ms, () => this.#dial())
  }

  // A client for each attempt: one of grpc-js would wait for its last attempt, which the network may have forgotten.
  #dial(): void {
    const { security, clock, wanted, check, attend } = this.#means
    if (this.#client || !wanted()) return
    const credentials = channelCredentials(security, clock, check)
    this.#client = new Client(this.target.address, credentials, channelOptions)
    this.#attendance = attend(this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize))
  }
}

/** Was the connection refused by the machine of the peer? Then nobody listens there any more. */
export const isRefusal = (error: Error): boolean => error.message.includes('ECONNREFUSED')
