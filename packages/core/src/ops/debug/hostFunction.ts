// JavaScript within a graph.
import { DTypeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { NDArray } from '../../ndarray.ts'
import { defineOp } from '../../op.ts'
import type { RunContext } from '../../run/context.ts'
import type { Binding, TensorType } from '../../shape.ts'
import { bindShape, formatType } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'

/** What a graph calls: host values in, host values out; it may be asynchronous and should then end with `context.signal`. */
export type HostFunction = (
  inputs: readonly NDArray[],
  context: RunContext,
) => readonly NDArray[] | Promise<readonly NDArray[]>

/**
 * Calls a JavaScript function each time its outputs are needed. It has no gradient, and a graph that holds one cannot be serialised.
 * @param inputs what the function is given.
 * @param options.types of its outputs; '?' where a size depends on the values.
 * @param options.pure does it only depend on its inputs, so that equal calls may be merged? Default false.
 * @param options.overlaps does it deal with the outside, so that it starts early and kernels go on while it waits? Default false.
 * @throws DTypeError or ShapeError when a run's outputs are not of the types stated.
 */
export function hostFunction(
  inputs: readonly TensorLike[],
  call: HostFunction,
  options: {
    readonly types: readonly TensorType[]
    readonly pure?: boolean
    readonly overlaps?: boolean
    readonly name?: string
  },
): readonly Tensor[] {
  const { types, pure = false, overlaps = false, name } = options
  const op = defineOp({
    name: 'HostFunction',
    doc: 'A JavaScript function of this process.',
    inputs: ['...xs'],
    outputs: 'list',
    traits: { ...(!pure && { effect: 'external' }), overlaps },
    infer: () => types,
    body: {
      kind: 'runtime',
      role: 'host',
      async run(values, _, context) {
        const results = await call(values, context)
        checkResults(results, types)
        return results
      },
    },
  })
  return op(inputs, { name: name ?? 'hostFunction' })
}

function checkResults(results: readonly NDArray[], types: readonly TensorType[]): void {
  if (results.length !== types.length)
    throw new DTypeError(`the function answered ${results.length} arrays where ${types.length} were promised`)
  types.forEach((type, i) => {
    const { dtype, shape } = results[i]!
    if (dtype !== type.dtype)
      throw new DTypeError(
        `output ${i} of the function is ${formatType({ dtype, shape })} where ${formatType(type)} was promised`,
      )
    const binding: Binding = new Map()
    bindShape(type.shape, shape, binding)
  })
}
