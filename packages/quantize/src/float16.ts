// Weights stored in half the bytes: widened again where they are used, so that everything is still computed in float32.
import type { Graph, NDArray, Node, Session, Tensor } from '@shoal/core'
import { cast, constant, isConcrete, rewrite, sizeOf, toposort } from '@shoal/core'
import { type Model, rewriteModel, type Rewritten } from './model.ts'

/** What is stored in float16. */
export interface Float16Options {
  /** Holds the model's variables. */
  readonly session: Session
  /** Smaller constants and variables stay as they are: they cost little, and biases lose more than they save. Default 1,024. */
  readonly minElements?: number
}

/**
 * The model with its large float32 and float64 variables and constants as float16 constants, which are widened where they are used: half the
 * memory or less, and the arithmetic of before. A number keeps 11 bits of its mantissa; beyond 65,504 it becomes infinite, below 6e-8 zero.
 * It takes the same feeds. What it stores is as it is now in the session.
 */
export function storeFloat16<const M extends Model>(
  model: M,
  options: Float16Options,
): Promise<Rewritten<M>> {
  return rewriteModel(model, (graph) => storeGraph(graph, options))
}

async function storeGraph(graph: Graph, { session, minElements = 1024 }: Float16Options): Promise<Graph> {
  const stored = toposort(graph).filter((node) => holdsNumbers(node, minElements))
  const values: readonly NDArray[] = await session.run(stored.map((node) => node.outputs[0]!))
  const halves = new Map(stored.map((node, i) => [node, values[i]!.cast('float16')]))
  return rewrite(graph, (_, original): readonly Tensor[] | undefined => {
    const half = halves.get(original)
    if (!half) return undefined
    const { name, outputs } = original
    return [cast(constant(half, undefined, { name: `${name}/float16` }), { to: outputs[0]!.dtype, name })]
  })
}

/** Is this a constant or a reading of a variable, of wide floats and of so many? */
function holdsNumbers({ op, outputs: [value], control }: Node, minElements: number): boolean {
  const { body } = op
  const holds = body.kind === 'runtime' && (body.role === 'constant' || body.role === 'readVariable')
  if (!holds || !value || control.length > 0 || !isConcrete(value.shape)) return false
  return wide.has(value.dtype) && sizeOf(value.shape) >= minElements
}

const wide: ReadonlySet<string> = new Set(['float32', 'float64'])
