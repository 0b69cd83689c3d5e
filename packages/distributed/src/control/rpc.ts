// gRPC services from plain functions: each call is let in by the certificate of its caller, or refused with a status that says why.
import {
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  status as grpcStatus,
  type MethodDefinition,
  type sendUnaryData,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { ShoalError } from '@shoal/core'
import { asError, SecurityError } from '../errors.ts'
import { presentOf } from '../security/renewable.ts'
import type { PeerIdentity } from '../transport/contract.ts'
import type { Security } from '../transport/security.ts'
import { identityOf } from './tls.ts'

/** What grpc-js is set to, on both sides. Nothing is repeated behind the caller's back, and nothing is large. */
export const channelOptions = {
  'grpc.enable_retries': 0,
  'grpc.enable_channelz': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.keepalive_time_ms': 2000,
  'grpc.keepalive_timeout_ms': 2000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
  'grpc.max_receive_message_length': 65_536,
  'grpc.max_send_message_length': 65_536,
  'grpc.max_concurrent_streams': 64,
} as const

/** A call that ends with a status of gRPC's. */
export class StatusError extends ShoalError {
  override readonly name: string = 'StatusError'
  readonly code: grpcStatus
  readonly details: string
  constructor(code: grpcStatus, details: string) {
    super(details)
    this.code = code
    this.details = details
  }
}

/** Serves a method with one request: with an answer, or by the stream that it writes to. */
type HandlerOf<D> =
  D extends MethodDefinition<infer Q, infer A>
    ? {
        readonly one?: (request: Q, caller: PeerIdentity) => A
        readonly answers?: (stream: ServerWritableStream<Q, A>, caller: PeerIdentity) => void
        readonly both?: (stream: ServerDuplexStream<Q, A>, caller: PeerIdentity) => void
      }
    : never

/** A function for each method, under the word for what of it is a stream: none, its answers, or both. */
export type Handlers<D> = { readonly [K in keyof D]: HandlerOf<D[K]> }

type AnyHandler = {
  readonly one?: (request: unknown, caller: PeerIdentity) => unknown
  readonly answers?: (stream: unknown, caller: PeerIdentity) => void
  readonly both?: (stream: unknown, caller: PeerIdentity) => void
}
type AnyCall = ServerUnaryCall<unknown, unknown>

/** The functions as `Server.addService` takes them; who calls is checked before they are called. */
export function implementation<D extends ServiceDefinition>(
  _definition: D,
  handlers: Handlers<D>,
  security: Security,
): UntypedServiceImplementation {
  const entries = Object.entries(handlers as Readonly<Record<string, AnyHandler>>).map(([name, handler]) => {
    const { one, answers, both } = handler
    const stream = answers ?? both
    return [
      name,
      (call: AnyCall, callback?: sendUnaryData<unknown>) => {
        try {
          const caller = callerOf(call, security)
          if (one) callback!(null, one(call.request, caller))
          else stream!(call, caller)
        } catch (thrown) {
          const status = statusOf(thrown)
          if (callback) callback(status)
          else call.emit('error', status)
        }
      },
    ]
  })
  return Object.fromEntries(entries) as UntypedServiceImplementation
}

function callerOf(call: AnyCall, security: Security): PeerIdentity {
  if (!('credentials' in security)) return { cluster: '', node: call.getPeer(), role: '' }
  return identityOf(call.getAuthContext().sslPeerCertificate, presentOf(security.credentials))
}

/** The status of what was thrown. */
function statusOf(thrown: unknown): StatusError {
  if (thrown instanceof StatusError) return thrown
  const { message } = asError(thrown)
  return new StatusError(
    thrown instanceof SecurityError ? grpcStatus.UNAUTHENTICATED : grpcStatus.INTERNAL,
    message,
  )
}
