// Element-wise work on what a hand-written kernel makes: it runs on the elements of each chunk as soon as the chunk has made them.
import type { FusedKernel } from '@shoal/core'
import { lowerSpans } from './lower/lower.ts'
import type { Code } from './lower/representation.ts'
import type { KernelCode, Stage, WriteStages } from './stage.ts'
import { call, i32, type Local, type ModuleBuilder, select } from './wasm/index.ts'

/** How many arguments a kernel has, and where the epilogue's come in: inputs, further inputs, what the kernel makes, outputs, the rest. */
interface Arguments {
  readonly inputs: number
  readonly further: number
  readonly outputs: number
  /** Scratch memory and what was prepared. */
  readonly rest: number
}

/** Units of an epilogue that runs by itself are about so many elements. */
const unitElements = 2048

/**
 * The code of a kernel with an epilogue. Its arguments are the kernel's inputs, the further ones of the epilogue, what the kernel makes, the
 * epilogue's outputs, and what else the kernel takes.
 * @param inputs how many inputs the kernel has.
 * @param rest how many arguments it takes after what it makes.
 */
export function withEpilogue(
  code: KernelCode,
  epilogue: FusedKernel,
  { inputs, rest, relaxed }: { readonly inputs: number; readonly rest: number; readonly relaxed: boolean },
): KernelCode {
  const count = { inputs, further: epilogue.inputs.length - 1, outputs: epilogue.stores.length, rest }
  const spans = lowerSpans(epilogue, relaxed)
  if (code.kind === 'host')
    return {
      kind: 'host',
      name: code.name,
      run: (args) => code.run(ownArguments(args, count)),
      after: (module) => [...(code.after?.(module) ?? []), byItself(module, spans, count)],
    }
  return { kind: 'wasm', write: following(code.write, spans, count) }
}

type Spans = ReturnType<typeof lowerSpans>

function ownArguments<T>(args: readonly T[], { inputs, further, outputs }: Arguments): T[] {
  const made = inputs + further
  return [...args.slice(0, inputs), args[made]!, ...args.slice(made + 1 + outputs)]
}

/** The arguments of the epilogue: what the kernel makes is its first input. */
function epilogueArguments<T>(args: readonly T[], { inputs, further, outputs }: Arguments): T[] {
  const made = inputs + further
  return [args[made]!, ...args.slice(inputs, made), ...args.slice(made + 1, made + 1 + outputs)]
}

const following =
  (write: WriteStages, spans: Spans, count: Arguments): WriteStages =>
  (module) => {
    const stages = write(module).filter(({ units }) => units > 0)
    const last = stages.at(-1)
    if (last?.finishes === undefined || last.finishes % spans.unit !== 0)
      return [...stages.map((stage) => passing(module, stage, count)), byItself(module, spans, count)]
    return [
      ...stages.slice(0, -1).map((stage) => passing(module, stage, count)),
      after(module, last, spans, count),
    ]
  }

/** The same stage, with the arguments of the epilogue beside its own. */
const passing = (module: ModuleBuilder, stage: Stage, count: Arguments): Stage =>
  withRange(module, stage, `${stage.func.name}_before`, count, (f, args, begin, end) =>
    f.do(call(stage.func, ...ownArguments(args, count), begin, end)),
  )

/** A stage whose chunks are followed by the epilogue on their elements. */
function after(module: ModuleBuilder, stage: Stage, spans: Spans, count: Arguments): Stage {
  const epilogue = spans.write(module)
  const units = stage.finishes! / spans.unit
  const all = spans.elements / spans.unit
  const followed = { ...stage, work: stage.work + stage.finishes! }
  return withRange(
    module,
    followed,
    `${stage.func.name}_then_${epilogue.name}`,
    count,
    (f, args, begin, end) => {
      f.do(call(stage.func, ...ownArguments(args, count), begin, end))
      const beyond = f.let(i32.mul(end, units))
      const to = select(i32.lt_u(beyond, all), beyond, i32.const(all))
      f.do(call(epilogue, ...epilogueArguments(args, count), i32.mul(begin, units), to))
    },
  )
}

/** The epilogue as a stage of its own, when all is made. */
function byItself(module: ModuleBuilder, spans: Spans, count: Arguments): Stage {
  const epilogue = spans.write(module)
  const all = spans.elements / spans.unit
  const together = Math.max(1, Math.floor(unitElements / spans.unit))
  const stage = { units: Math.ceil(all / together), work: together * spans.unit }
  return withRange(module, stage, `${epilogue.name}_behind`, count, (f, args, begin, end) => {
    const beyond = f.let(i32.mul(end, together))
    const to = select(i32.lt_u(beyond, all), beyond, i32.const(all))
    f.do(call(epilogue, ...epilogueArguments(args, count), i32.mul(begin, together), to))
  })
}

function withRange(
  module: ModuleBuilder,
  { units, work }: Pick<Stage, 'units' | 'work'>,
  name: string,
  { inputs, further, outputs, rest }: Arguments,
  write: (f: Code, args: readonly Local<'i32'>[], begin: Local<'i32'>, end: Local<'i32'>) => void,
): Stage {
  const types = Array.from({ length: inputs + further + 1 + outputs + rest + 2 }, () => 'i32' as const)
  const func = module.define(name, types, 'none', (f, ...locals) => {
    const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
    write(f, locals.slice(0, -2), begin, end)
  })
  return { func, units, work }
}
