// The reflection service: clients that know nothing of this server ask it for its services and their descriptors.
import { status as grpcStatus } from '@grpc/grpc-js'
import type { ProtoFile } from './proto/file.ts'
import type { reflectionFiles, ReflectionAnswer, ReflectionRequest } from './proto/reflection.ts'
import type { ServiceTable } from './proto/table.ts'
import type { Handlers } from './rpc.ts'

type Answer = ReflectionAnswer['messageResponse']

/** Answers for these files, which need no others. Both versions of the service are served by the same. */
export function reflection(
  files: readonly ProtoFile<ServiceTable>[],
): Handlers<(typeof reflectionFiles)[0]['definition']> {
  const byName = new Map(files.map((file) => [file.name, file]))
  const bySymbol = new Map(files.flatMap((file) => file.symbols.map((symbol) => [symbol, file] as const)))
  return {
    ServerReflectionInfo: {
      both: (stream) => {
        stream.on('data', (request: ReflectionRequest) => {
          const answered = stream.write({
            validHost: request.host,
            originalRequest: request,
            messageResponse: answer(request.messageRequest),
          })
          // Whoever asks without listening is not asked for more.
          if (!answered) {
            stream.pause()
            stream.once('drain', () => stream.resume())
          }
        })
        stream.on('end', () => stream.end())
      },
    },
  }

  function answer(request: ReflectionRequest['messageRequest']): Answer {
    switch (request.case) {
      case 'listServices':
        return {
          case: 'listServicesResponse',
          value: { service: files.map(({ serviceName }) => ({ name: serviceName })) },
        }
      case 'fileByFilename':
        return fileAnswer(byName.get(request.value), request.value)
      case 'fileContainingSymbol':
        return fileAnswer(bySymbol.get(request.value), request.value)
      case 'allExtensionNumbersOfType':
        return bySymbol.has(request.value)
          ? {
              case: 'allExtensionNumbersResponse',
              value: { baseTypeName: request.value, extensionNumber: [] },
            }
          : failure(grpcStatus.NOT_FOUND, `there is no '${request.value}' here`)
      case 'fileContainingExtension':
        return failure(grpcStatus.NOT_FOUND, 'there are no extensions here')
      case undefined:
        return failure(grpcStatus.INVALID_ARGUMENT, 'nothing was asked for')
      default:
        return request satisfies never
    }
  }
}

function fileAnswer(file: ProtoFile<ServiceTable> | undefined, asked: string): Answer {
  if (!file) return failure(grpcStatus.NOT_FOUND, `there is no '${asked}' here`)
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: [file.descriptor] } }
}

const failure = (errorCode: number, errorMessage: string): Answer => ({
  case: 'errorResponse',
  value: { errorCode, errorMessage },
})
