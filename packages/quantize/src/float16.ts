// Weights stored in half the bytes: widened again where they are used, so that everything is still computed in float32.
import type { Graph, Model, Node, Rewritten, Session, Tensor } from '@shoal/core'
import {
  allocate,
  cast,
  constant,
  conv,
  convTranspose,
  float16Matmul,
  gather,
  isConcrete,
  matmul,
  NDArray,
  reshape,
  rewrite,
  rewriteModel,
  sizeOf,
  toposort,
} from '@shoal/core'

/** What is stored in float16. */
export interface Float16Options {
  /** Holds the model's variables. */
  readonly session: Session
  /**
   * Also those that a convolution reads: what is stored halves, but they are widened and packed anew at each run, which takes more memory
   * and time than weights in float32. Default false.
   */
  readonly convolutions?: boolean
  /** Smaller constants and variables stay as they are: they cost little, and biases lose more than they save. Default 1,024. */
  readonly minElements?: number
}

/**
 * The model with its large float32 and float64 variables and constants as float16 constants, which are widened where they are used: half the
 * bytes or less, and sums in float32 as before. The weights of a matrix product are widened as it reads them. A number keeps 11 bits of
 * its mantissa; beyond 65,504 it becomes infinite, below 3e-8 zero. Of a table that `gather` reads only the rows are widened that it picks;
 * all other uses hold a widened copy while they run. The weights of convolutions stay as they are, unless asked for.
 * It takes the same feeds. What it stores is as it is now in the session.
 */
export function storeFloat16<const M extends Model>(
  model: M,
  options: Float16Options,
): Promise<Rewritten<M>> {
  return rewriteModel(model, (graph) => storeGraph(graph, options))
}

async function storeGraph(
  graph: Graph,
  { session, convolutions = false, minElements = 1024 }: Float16Options,
): Promise<Graph> {
  const nodes = toposort(graph)
  const readers = Map.groupBy(
    nodes.flatMap((reader) => reader.inputs.map((t) => ({ weights: t.node, reader }))),
    ({ weights }) => weights,
  )
  /** Does a convolution read them, as they are or in another shape? */
  const convolves = (weights: Node): boolean =>
    (readers.get(weights) ?? []).some(
      ({ reader }) => convolutionOps.has(reader.op) || (reader.op === reshape.def && convolves(reader)),
    )
  const stored = nodes.filter((node) => holdsNumbers(node, minElements) && (convolutions || !convolves(node)))
  const values: readonly NDArray[] = await session.run(stored.map((node) => node.outputs[0]!))
  const halves = new Map(stored.map((node, i) => [node, values[i]!.cast('float16')]))
  const fetched = new Set(graph.fetches.map((t) => t.node))
  /** The weights that nobody but one matrix product reads, by that product. */
  const products = new Map(
    stored.flatMap((weights): [Node, Node][] => {
      const [only, ...others] = readers.get(weights) ?? []
      const alone = only && others.length === 0 && !fetched.has(weights)
      return alone && multiplies(only.reader, weights) ? [[only.reader, weights]] : []
    }),
  )
  const byProduct = new Set(products.values())
  const constants = new Map(
    [...halves].map(([node, half]) => [node, constant(half, undefined, { name: `${node.name}/float16` })]),
  )
  return rewrite(graph, (node, original): readonly Tensor[] | undefined => {
    const { name, op, attrs } = original
    const weights = products.get(original)
    if (weights) {
      const half = halves.get(weights)!
      const rows =
        attrs['transposeB'] === true
          ? constants.get(weights)!
          : constant(transposed(half), undefined, { name: `${weights.name}/float16` })
      return [float16Matmul(node.inputs[0]!, rows, { name })]
    }
    // Only the rows that are picked are widened.
    const table = op === gather.def ? constants.get(original.inputs[0]!.node) : undefined
    if (table) {
      const rows = gather(
        table,
        node.inputs[1]!,
        attrs as { readonly axis: number; readonly batchDims: number },
      )
      return [cast(rows, { to: original.outputs[0]!.dtype, name })]
    }
    const half = constants.get(original)
    if (!half || byProduct.has(original)) return undefined
    return [cast(half, { to: original.outputs[0]!.dtype, name })]
  })
}

const convolutionOps: ReadonlySet<unknown> = new Set([conv.def, convTranspose.def])

/** Is this a constant or a reading of a variable, of wide floats and of so many? */
function holdsNumbers({ op, outputs: [value], control }: Node, minElements: number): boolean {
  const { body } = op
  const holds = body.kind === 'runtime' && (body.role === 'constant' || body.role === 'readVariable')
  if (!holds || !value || control.length > 0 || !isConcrete(value.shape)) return false
  return wide.has(value.dtype) && sizeOf(value.shape) >= minElements
}

const wide: ReadonlySet<string> = new Set(['float32', 'float64'])

/** Is it a product of float32 with these weights on its right, which `float16Matmul` computes as well? */
function multiplies({ op, inputs, attrs }: Node, weights: Node): boolean {
  const [x, w] = inputs
  return (
    op === matmul.def &&
    w?.node === weights &&
    w.rank === 2 &&
    x?.dtype === 'float32' &&
    attrs['transposeA'] !== true
  )
}

/** A matrix with rows and columns exchanged. */
function transposed({ shape, data }: NDArray<'float16'>): NDArray<'float16'> {
  const [rows, columns] = shape as readonly [number, number]
  const turned = allocate('float16', data.length)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j]!
  return new NDArray('float16', [columns, rows], turned)
}
