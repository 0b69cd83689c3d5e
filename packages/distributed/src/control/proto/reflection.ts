// grpc.reflection.v1.ServerReflection as it is on the wire, and v1alpha, which differs in name only and which most clients still ask for.
import { protoFile } from './file.ts'
import { field, message, method, oneOf, type ValueOf } from './table.ts'

const extensionRequest = message('ExtensionRequest', {
  containingType: field.string(1),
  extensionNumber: field.int32(2),
})
const request = message('ServerReflectionRequest', {
  host: field.string(1),
  messageRequest: oneOf({
    fileByFilename: field.string(3),
    fileContainingSymbol: field.string(4),
    fileContainingExtension: field.message(extensionRequest, 5),
    allExtensionNumbersOfType: field.string(6),
    listServices: field.string(7),
  }),
})
const files = message('FileDescriptorResponse', { fileDescriptorProto: field.repeated(field.bytes(1)) })
const extensionNumbers = message('ExtensionNumberResponse', {
  baseTypeName: field.string(1),
  extensionNumber: field.repeated(field.int32(2)),
})
const service = message('ServiceResponse', { name: field.string(1) })
const services = message('ListServiceResponse', { service: field.repeated(field.message(service, 1)) })
const error = message('ErrorResponse', { errorCode: field.int32(1), errorMessage: field.string(2) })
const answer = message('ServerReflectionResponse', {
  validHost: field.string(1),
  originalRequest: field.message(request, 2),
  messageResponse: oneOf({
    fileDescriptorResponse: field.message(files, 4),
    allExtensionNumbersResponse: field.message(extensionNumbers, 5),
    listServicesResponse: field.message(services, 6),
    errorResponse: field.message(error, 7),
  }),
})

/** The file of one version. */
function reflectionFile<const V extends string>(version: V) {
  return protoFile({
    name: `grpc/reflection/${version}/reflection.proto`,
    package: `grpc.reflection.${version}`,
    messages: [request, extensionRequest, answer, files, extensionNumbers, services, service, error],
    service: {
      name: 'ServerReflection',
      methods: {
        ServerReflectionInfo: method(request, answer, { requests: 'stream', answers: 'stream' }),
      },
    },
  })
}

/** The files of both versions. */
export const reflectionFiles = [reflectionFile('v1'), reflectionFile('v1alpha')] as const

/** What is asked for. */
export type ReflectionRequest = ValueOf<typeof request>
/** What is answered. */
export type ReflectionAnswer = ValueOf<typeof answer>
