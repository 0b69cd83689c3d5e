// Protocol buffers written as tables: a message is a record of fields, and the TypeScript type of its values is read off it.

/** Stands for the type of a field's values; nothing has it at run time. */
declare const valueOf: unique symbol

/** One field. `T` is the type of its values. */
export interface Field<T> {
  readonly kind: 'field'
  readonly number: number
  readonly type: ScalarName | MessageTable<FieldTable> | EnumTable
  readonly repeated: boolean
  readonly [valueOf]?: T
}
/** Several fields of which at most one is there. */
export interface OneOf<C extends Readonly<Record<string, Field<unknown>>>> {
  readonly kind: 'oneof'
  readonly cases: C
}
/** The fields of a message, in camel case as in TypeScript. On the wire only numbers count; descriptors and JSON follow the rules of proto3. */
export type FieldTable = Readonly<
  Record<string, Field<unknown> | OneOf<Readonly<Record<string, Field<unknown>>>>>
>
/** A message. */
export interface MessageTable<F extends FieldTable> {
  readonly kind: 'message'
  readonly name: string
  readonly fields: F
  /** Enumerations that belong to it. */
  readonly enums: readonly EnumTable[]
}
/** An enumeration. The first of its numbers is 0. */
export interface EnumTable {
  readonly kind: 'enum'
  readonly name: string
  readonly values: Readonly<Record<string, number>>
}
/** The scalar types that fields may have. */
export type ScalarName = 'bool' | 'bytes' | 'double' | 'int32' | 'string' | 'uint32' | 'uint64'

type OneOfValue<C extends Readonly<Record<string, Field<unknown>>>> =
  | { [K in keyof C]: { readonly case: K; readonly value: NonNullable<FieldValue<C[K]>> } }[keyof C]
  | { readonly case: undefined }
type FieldValue<F> = F extends Field<infer T> ? T : F extends OneOf<infer C> ? OneOfValue<C> : never

/** The values of a message: every field is there, those that were not sent as their defaults. */
export type ValueOf<M> =
  M extends MessageTable<infer F> ? { readonly [K in keyof F]: FieldValue<F[K]> } : never

const scalar =
  <T>(type: ScalarName) =>
  (number: number): Field<T> => ({ kind: 'field', number, type, repeated: false })

/** The fields that there are, each taking its number. */
export const field = {
  bool: scalar<boolean>('bool'),
  bytes: scalar<Uint8Array>('bytes'),
  double: scalar<number>('double'),
  int32: scalar<number>('int32'),
  string: scalar<string>('string'),
  uint32: scalar<number>('uint32'),
  uint64: scalar<bigint>('uint64'),
  /** One of the numbers of an enumeration, or one that it does not know. */
  enumeration: (type: EnumTable, number: number): Field<number> => ({
    kind: 'field',
    number,
    type,
    repeated: false,
  }),
  /** A message in a message; undefined where it was not sent. */
  message: <F extends FieldTable>(
    type: MessageTable<F>,
    number: number,
  ): Field<ValueOf<MessageTable<F>> | undefined> => ({ kind: 'field', number, type, repeated: false }),
  /** A list. */
  repeated: <T>({ number, type }: Field<T>): Field<readonly NonNullable<T>[]> => ({
    kind: 'field',
    number,
    type,
    repeated: true,
  }),
} as const

/** Several fields of which at most one is there. */
export const oneOf = <C extends Readonly<Record<string, Field<unknown>>>>(cases: C): OneOf<C> => ({
  kind: 'oneof',
  cases,
})

/** A message. */
export const message = <F extends FieldTable>(
  name: string,
  fields: F,
  enums: readonly EnumTable[] = [],
): MessageTable<F> => ({ kind: 'message', name, fields, enums })

/** An enumeration. */
export const enumeration = (name: string, values: Readonly<Record<string, number>>): EnumTable => ({
  kind: 'enum',
  name,
  values,
})

/** A method of a service. */
export interface MethodTable<Q extends FieldTable, A extends FieldTable> {
  readonly request: MessageTable<Q>
  readonly answer: MessageTable<A>
  readonly requests: 'one' | 'stream'
  readonly answers: 'one' | 'stream'
}
/** A service: its methods by name. */
export interface ServiceTable {
  readonly name: string
  readonly methods: Readonly<Record<string, MethodTable<FieldTable, FieldTable>>>
}

/** A method of a service. */
export const method = <Q extends FieldTable, A extends FieldTable>(
  request: MessageTable<Q>,
  answer: MessageTable<A>,
  streams: { readonly requests?: 'stream'; readonly answers?: 'stream' } = {},
): MethodTable<Q, A> => ({ request, answer, requests: 'one', answers: 'one', ...streams })
