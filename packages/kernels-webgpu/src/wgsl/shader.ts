// Writes the text of one shader: bindings for its buffers, the functions that it needs, and the lines of its body.
import { InternalError } from '@shoal/core'
import type { BufferUse, Stage } from '../stage.ts'
import { Memory, type Binding } from './memory.ts'

/** A function in WGSL, with the functions that it calls. */
export interface WgslFunction {
  readonly name: string
  readonly code: string
  readonly needs?: readonly WgslFunction[]
}

/** What WGSL has only where the device has the feature of that name, `shader-f16` for f16. */
export type Extension = 'f16' | 'subgroups'

/** Values that a shader may ask for, u32, besides those that each has. */
export type Builtin = 'subgroup_id' | 'num_subgroups'

/** The workgroups of one dimension that every implementation takes. */
const widest = 65535

/** The text of one shader, as it is being written. */
export class Shader {
  private readonly memories: readonly Memory[]
  private readonly bindings: readonly Binding[]
  private readonly functions = new Map<string, string>()
  private readonly extensions = new Set<Extension>()
  private readonly builtins = new Set<Builtin>()
  private readonly declarations: string[] = []
  private readonly lines: string[] = []
  private names = 0
  private depth = 1

  /**
   * @param bindings what each binding is, in order; a binding may serve several uses, where launches pass one buffer twice.
   * @param bindingOf the binding of each use.
   */
  constructor(uses: readonly BufferUse[], bindings: readonly Binding[], bindingOf: readonly number[]) {
    this.bindings = bindings
    if (bindings.some(({ element }) => element === 'f16')) this.enable('f16')
    this.memories = uses.map(
      (use, i) => new Memory(this, use, bindings[bindingOf[i]!]!, `buffer${bindingOf[i]!}`),
    )
  }

  /** The buffer of a use. */
  memory(use: number): Memory {
    return this.memories[use]!
  }

  /** Adds a line to the body. */
  line(text: string): void {
    this.lines.push('  '.repeat(this.depth) + text)
  }

  /** Computes a value here, for use more than once; answers its name. */
  let(value: string): string {
    const name = `t${this.names++}`
    this.line(`let ${name} = ${value};`)
    return name
  }

  /** A variable of the body; answers its name. */
  variable(type: string, value?: string): string {
    const name = `v${this.names++}`
    this.line(value === undefined ? `var ${name}: ${type};` : `var ${name}: ${type} = ${value};`)
    return name
  }

  /** `head { … }`, with what `body` adds between the braces. */
  block(head: string, body: () => void): void {
    this.line(`${head} {`)
    this.depth++
    body()
    this.depth--
    this.line('}')
  }

  /** Counts a fresh i32 from `from` below `to` by `by`; `body` gets its name. */
  loop(from: string, to: string, by: string, body: (counter: string) => void): void {
    // Not `i`: the thirty-second would be a type.
    const name = `c${this.names++}`
    this.block(`for (var ${name} = ${from}; ${name} < ${to}; ${name} += ${by})`, () => body(name))
  }

  /** Waits until all lanes of the workgroup are here, with what they stored in workgroup memory. Only where all of them come. */
  barrier(): void {
    this.line('workgroupBarrier();')
  }

  /** Memory that the lanes of a workgroup share; answers its name. `type` is WGSL's. */
  shared(type: string): string {
    const name = `shared${this.names++}`
    this.declarations.push(`var<workgroup> ${name}: ${type};`)
    return name
  }

  /** Says something outside of all functions, once. */
  declare(text: string): void {
    if (!this.declarations.includes(text)) this.declarations.push(text)
  }

  /** Makes a function known, with those that it needs; answers its name. @throws InternalError where the name is another function's */
  include({ name, code, needs = [] }: WgslFunction): string {
    needs.forEach((f) => this.include(f))
    const known = this.functions.get(name)
    if (known !== undefined && known !== code.trim())
      throw new InternalError(`two functions of a shader are called ${name}`)
    this.functions.set(name, code.trim())
    return name
  }

  /** Says that the shader uses an extension of WGSL. */
  enable(extension: Extension): void {
    this.extensions.add(extension)
  }

  /** Makes a value known in the body; answers its name. */
  builtin(name: Builtin): string {
    this.builtins.add(name)
    return name
  }

  /** The whole text. */
  text({ groups, lanes }: Pick<Stage, 'groups' | 'lanes'>): string {
    const [width, height] = spread(groups)
    const number = height === 1 ? 'i32(workgroup.x)' : `i32(workgroup.y) * ${width} + i32(workgroup.x)`
    const guard = width * height === groups ? [] : [`  if (group >= ${groups}) { return; }`]
    const parameters = [
      '@builtin(workgroup_id) workgroup: vec3u',
      '@builtin(local_invocation_index) invocation: u32',
      ...[...this.builtins].map((name) => `@builtin(${name}) ${name}: u32`),
    ]
    return [
      ...[...this.extensions].map((name) => `enable ${name};`),
      ...this.bindings.map(
        ({ type, writes }, i) =>
          `@group(0) @binding(${i}) var<storage, ${writes ? 'read_write' : 'read'}> buffer${i}: ${type};`,
      ),
      ...this.declarations,
      ...this.functions.values(),
      `@compute @workgroup_size(${lanes})`,
      `fn main(${parameters.join(', ')}) {`,
      `  let group = ${number};`,
      ...guard,
      '  let lane = i32(invocation);',
      ...this.lines,
      '}',
      '',
    ].join('\n')
  }
}

/** Workgroups as a grid of two dimensions, at least as many as asked for. */
export function spread(groups: number): readonly [width: number, height: number] {
  const height = Math.ceil(groups / widest)
  return [Math.ceil(groups / Math.max(1, height)), height]
}
