// A module is a list of functions around one imported memory; indices are settled when it is built, so that imports may come at any time.
import { CodeBuffer } from './code.ts'
import { type FunctionBody, writeFunction } from './function.ts'
import { AssemblerError, type Func, type ResultType, typeCode, type ValueType } from './value.ts'

/** An imported memory; sizes in pages of 64 KiB. */
export interface MemoryImport {
  readonly module: string
  readonly name: string
  readonly initial: number
  /** Needed where `shared`; the memory given at instantiation must not have a larger maximum. */
  readonly maximum?: number
  readonly shared?: boolean
}

interface ImportedFunction {
  readonly module: string
  readonly field: string
  readonly func: Func
}

/** Builds one WebAssembly module. */
export class ModuleBuilder {
  #memory: MemoryImport | undefined
  readonly #imported: ImportedFunction[] = []
  readonly #defined: { readonly func: Func; code?: CodeBuffer }[] = []
  readonly #exports = new Map<string, Func>()
  readonly #made = new Map<string, unknown>()

  /** Declares the memory, the module's only one. It is imported, as kernels share the arena of their device. */
  importMemory(memory: MemoryImport): void {
    if (this.#memory) throw new AssemblerError('a module has one memory')
    if (memory.shared && memory.maximum === undefined)
      throw new AssemblerError('a shared memory needs a maximum')
    this.#memory = memory
  }

  /** Imports a function; asking again for the same module, name and types answers the same one. */
  importFunction<const Params extends readonly ValueType[], Result extends ResultType>(
    module: string,
    field: string,
    params: Params,
    result: Result,
  ): Func<Params, Result> {
    const known = this.#imported.find(
      (other) => other.module === module && other.field === field && sameType(other.func, { params, result }),
    )
    if (known) return known.func as Func<Params, Result>
    const func = { name: `${module}.${field}`, params, result }
    this.#imported.push({ module, field, func })
    return func
  }

  /** Defines a function at once: `body` writes it. Functions may be defined while another one is being written. */
  define<const Params extends readonly ValueType[], Result extends ResultType>(
    name: string,
    params: Params,
    result: Result,
    body: FunctionBody<Params, Result>,
  ): Func<Params, Result> {
    const func = { name, params, result }
    const entry: { readonly func: Func; code?: CodeBuffer } = { func }
    this.#defined.push(entry)
    entry.code = writeFunction(params, result, body)
    return func
  }

  /** What `make` answered when `key` was first asked for: functions that many kernels of the module share. */
  once<T>(key: string, make: () => T): T {
    if (!this.#made.has(key)) this.#made.set(key, make())
    return this.#made.get(key) as T
  }

  /** Makes a function callable from outside, under its own name or another. */
  export(func: Func, name: string = func.name): void {
    if (this.#exports.has(name)) throw new AssemblerError(`'${name}' is exported twice`)
    this.#exports.set(name, func)
  }

  /** The module in the binary format. */
  build(): Uint8Array<ArrayBuffer> {
    const functions = [...this.#imported, ...this.#defined].map(({ func }) => func)
    const indices = new Map<object, number>(functions.map((func, i) => [func, i]))
    const indexOf = (func: object) => {
      const index = indices.get(func)
      if (index === undefined)
        throw new AssemblerError(`'${(func as Func).name}' is a function of another module`)
      return index
    }
    const types = new FunctionTypes()
    const typeOf = new Map(functions.map((func) => [func, types.index(func)]))

    const out = new CodeBuffer()
    out.append([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
    section(out, 1, types.entries)
    section(out, 2, [
      ...(this.#memory ? [memoryImport(this.#memory)] : []),
      ...this.#imported.map(({ module, field, func }) =>
        entry((code) => {
          code.name(module)
          code.name(field)
          code.byte(0)
          code.unsigned(typeOf.get(func) as number)
        }),
      ),
    ])
    section(
      out,
      3,
      this.#defined.map(({ func }) => entry((code) => code.unsigned(typeOf.get(func) as number))),
    )
    section(
      out,
      7,
      [...this.#exports].map(([name, func]) =>
        entry((code) => {
          code.name(name)
          code.byte(0)
          code.unsigned(indexOf(func))
        }),
      ),
    )
    section(
      out,
      10,
      this.#defined.map(({ func, code: body }) => {
        if (!body) throw new AssemblerError(`'${func.name}' is still being written`)
        return entry((code) => {
          code.unsigned(body.length)
          code.appendCode(body)
        })
      }),
    )
    out.relocate(indexOf)
    nameSection(out, functions)
    return out.bytes
  }

  /** Builds and compiles at once. */
  compile(): WebAssembly.Module {
    return new WebAssembly.Module(this.build())
  }
}

/** Function types, each once. */
class FunctionTypes {
  readonly entries: CodeBuffer[] = []
  readonly #indices = new Map<string, number>()

  index({ params, result }: Pick<Func, 'params' | 'result'>): number {
    const key = `${params}>${result}`
    const known = this.#indices.get(key)
    if (known !== undefined) return known
    const results = result === 'none' ? [] : [result]
    this.entries.push(
      entry((code) => {
        code.byte(0x60)
        for (const list of [params, results]) {
          code.unsigned(list.length)
          for (const type of list) code.byte(typeCode[type])
        }
      }),
    )
    this.#indices.set(key, this.entries.length - 1)
    return this.entries.length - 1
  }
}

function memoryImport({ module, name, initial, maximum, shared }: MemoryImport): CodeBuffer {
  return entry((code) => {
    code.name(module)
    code.name(name)
    code.byte(2)
    code.byte((maximum === undefined ? 0 : 1) | (shared ? 2 : 0))
    code.unsigned(initial)
    if (maximum !== undefined) code.unsigned(maximum)
  })
}

/** Function names for profilers and stack traces: a custom section that engines may ignore. */
function nameSection(out: CodeBuffer, functions: readonly Func[]): void {
  const names = entry((code) => {
    code.unsigned(functions.length)
    functions.forEach(({ name }, i) => {
      code.unsigned(i)
      code.name(name)
    })
  })
  const content = entry((code) => {
    code.name('name')
    code.byte(1)
    code.unsigned(names.length)
    code.appendCode(names)
  })
  out.byte(0)
  out.unsigned(content.length)
  out.appendCode(content)
}

function entry(write: (code: CodeBuffer) => void): CodeBuffer {
  const code = new CodeBuffer()
  write(code)
  return code
}

function section(out: CodeBuffer, id: number, entries: readonly CodeBuffer[]): void {
  if (entries.length === 0) return
  const content = entry((code) => {
    code.unsigned(entries.length)
    for (const each of entries) code.appendCode(each)
  })
  out.byte(id)
  out.unsigned(content.length)
  out.appendCode(content)
}

function sameType(a: Pick<Func, 'params' | 'result'>, b: Pick<Func, 'params' | 'result'>): boolean {
  return a.result === b.result && a.params.join() === b.params.join()
}
