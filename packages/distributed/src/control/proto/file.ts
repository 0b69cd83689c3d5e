// A .proto file made of tables: its descriptor, as reflection shows it, and the codecs and service definitions that follow from that.
import { create, createFileRegistry, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import type { MethodDefinition } from '@grpc/grpc-js'
import type {
  EnumTable,
  Field,
  FieldTable,
  MessageTable,
  MethodTable,
  ScalarName,
  ServiceTable,
  ValueOf,
} from './table.ts'

/** What a file says. */
export interface FileOptions<S extends ServiceTable> {
  /** `shoal/v1/control.proto`. */
  readonly name: string
  /** `shoal.v1`. */
  readonly package: string
  /** Every message that the services use. */
  readonly messages: readonly MessageTable<FieldTable>[]
  readonly service: S
}

/** The methods of a service as grpc-js takes them, typed. */
export type Definition<S extends ServiceTable> = {
  readonly [K in keyof S['methods']]: S['methods'][K] extends MethodTable<infer Q, infer A>
    ? MethodDefinition<ValueOf<MessageTable<Q>>, ValueOf<MessageTable<A>>>
    : never
}

/** A file with one service. */
export interface ProtoFile<S extends ServiceTable> {
  readonly name: string
  /** A FileDescriptorProto, encoded. */
  readonly descriptor: Uint8Array
  /** `shoal.v1.Control`. */
  readonly serviceName: string
  /** The full names of all that the file defines: its messages, enumerations, services and methods. */
  readonly symbols: readonly string[]
  readonly definition: Definition<S>
}

const { BOOL, BYTES, DOUBLE, ENUM, INT32, MESSAGE, STRING, UINT32, UINT64 } = FieldDescriptorProto_Type
const scalarTypes = {
  bool: BOOL,
  bytes: BYTES,
  double: DOUBLE,
  int32: INT32,
  string: STRING,
  uint32: UINT32,
  uint64: UINT64,
} as const satisfies Record<ScalarName, FieldDescriptorProto_Type>

/** Puts a file together. */
export function protoFile<const S extends ServiceTable>(options: FileOptions<S>): ProtoFile<S> {
  const { name, package: space, messages, service } = options
  const names = namesIn(space, messages)
  const serviceName = `${space}.${service.name}`
  const file = create(FileDescriptorProtoSchema, {
    name,
    package: space,
    syntax: 'proto3',
    messageType: messages.map((each) => messageDescriptor(each, names)),
    service: [
      {
        name: service.name,
        method: Object.entries(service.methods).map(
          ([methodName, { request, answer, requests, answers }]) => ({
            name: methodName,
            inputType: `.${nameOf(request, names)}`,
            outputType: `.${nameOf(answer, names)}`,
            clientStreaming: requests === 'stream',
            serverStreaming: answers === 'stream',
          }),
        ),
      },
    ],
  })
  return {
    name,
    descriptor: toBinary(FileDescriptorProtoSchema, file),
    serviceName,
    symbols: [
      ...names.values(),
      serviceName,
      ...Object.keys(service.methods).map((methodName) => `${serviceName}.${methodName}`),
    ],
    definition: definitionOf(file, serviceName, service, names),
  }
}

type Names = ReadonlyMap<MessageTable<FieldTable> | EnumTable, string>

function namesIn(space: string, messages: readonly MessageTable<FieldTable>[]): Names {
  return new Map(
    messages.flatMap((each): [MessageTable<FieldTable> | EnumTable, string][] => [
      [each, `${space}.${each.name}`],
      ...each.enums.map((inner): [EnumTable, string] => [inner, `${space}.${each.name}.${inner.name}`]),
    ]),
  )
}

function nameOf(table: MessageTable<FieldTable> | EnumTable, names: Names): string {
  const name = names.get(table)
  if (name === undefined) throw new TypeError(`${table.kind} ${table.name} is used, but not in the file`)
  return name
}

function messageDescriptor(table: MessageTable<FieldTable>, names: Names): DescriptorProto {
  const oneofs: string[] = []
  const fields = Object.entries(table.fields).flatMap(([name, entry]) => {
    if (entry.kind === 'field') return [fieldDescriptor(name, entry, names)]
    const oneofIndex = oneofs.push(snakeCase(name)) - 1
    return Object.entries(entry.cases).map(([inner, each]) => ({
      ...fieldDescriptor(inner, each, names),
      oneofIndex,
    }))
  })
  return create(DescriptorProtoSchema, {
    name: table.name,
    field: fields,
    oneofDecl: oneofs.map((name) => ({ name })),
    enumType: table.enums.map(enumDescriptor),
  })
}

function fieldDescriptor(
  name: string,
  { number, type, repeated }: Field<unknown>,
  names: Names,
): FieldDescriptorProto {
  return create(FieldDescriptorProtoSchema, {
    name: snakeCase(name),
    jsonName: name,
    number,
    label: repeated ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
    ...(typeof type === 'string'
      ? { type: scalarTypes[type] }
      : { type: type.kind === 'enum' ? ENUM : MESSAGE, typeName: `.${nameOf(type, names)}` }),
  })
}

const enumDescriptor = ({ name, values }: EnumTable): EnumDescriptorProto =>
  create(EnumDescriptorProtoSchema, {
    name,
    value: Object.entries(values).map(([value, number]) => ({ name: value, number })),
  })

function definitionOf<S extends ServiceTable>(
  file: FileDescriptorProto,
  serviceName: string,
  { methods }: S,
  names: Names,
): Definition<S> {
  const registry = createFileRegistry(file, () => undefined)
  const codec = (table: MessageTable<FieldTable>): Codec => {
    const schema = registry.getMessage(nameOf(table, names))!
    return {
      serialize: (value) => {
        const bytes = toBinary(schema, create(schema, value as MessageInitShape<typeof schema>))
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      },
      deserialize: (bytes) => fromBinary(schema, bytes, { readUnknownFields: false }),
    }
  }
  const entries = Object.entries(methods).map(([name, { request, answer, requests, answers }]) => {
    const [asks, tells] = [codec(request), codec(answer)]
    const definition: MethodDefinition<unknown, unknown> = {
      path: `/${serviceName}/${name}`,
      requestStream: requests === 'stream',
      responseStream: answers === 'stream',
      requestSerialize: asks.serialize,
      requestDeserialize: asks.deserialize,
      responseSerialize: tells.serialize,
      responseDeserialize: tells.deserialize,
    }
    return [name, definition]
  })
  return Object.fromEntries(entries) as Definition<S>
}

interface Codec {
  serialize(value: unknown): Buffer
  deserialize(bytes: Uint8Array): unknown
}

/** `memoryBytes` as .proto files have it: `memory_bytes`. */
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
