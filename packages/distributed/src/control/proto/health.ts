// grpc.health.v1.Health as it is on the wire: the service that load balancers and probes ask.
import { protoFile } from './file.ts'
import { enumeration, field, message, method, type ValueOf } from './table.ts'

/** What a service can be. */
export const servingStates = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const

const servingStatus = enumeration('ServingStatus', servingStates)
/** `service` is empty for the node as a whole. */
const request = message('HealthCheckRequest', { service: field.string(1) })
const answer = message('HealthCheckResponse', { status: field.enumeration(servingStatus, 1) }, [
  servingStatus,
])

/** The file, its service and the codecs. */
export const healthFile = protoFile({
  name: 'grpc/health/v1/health.proto',
  package: 'grpc.health.v1',
  messages: [request, answer],
  service: {
    name: 'Health',
    methods: { Check: method(request, answer), Watch: method(request, answer, { answers: 'stream' }) },
  },
})

/** Which service is asked for. */
export type HealthRequest = ValueOf<typeof request>
/** What it is. */
export type HealthAnswer = ValueOf<typeof answer>
