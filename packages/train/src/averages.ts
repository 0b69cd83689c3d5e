// Exponential moving averages: shadows that follow variables slowly, and graphs that read the shadows instead.
import type { Node, Tensor, TensorLike, VariableResource } from '@shoal/core'
import {
  add,
  bodiesOf,
  cast,
  colocateWith,
  div,
  effectsOf,
  GraphError,
  group,
  minimum,
  mul,
  NotFoundError,
  scope,
  sub,
  substitute,
  toposort,
  toTensor,
  Variable,
} from '@shoal/core'
import { sliceOf } from './variables.ts'
import { demandRange } from './range.ts'

/** How averages are kept. */
export interface AverageOptions {
  /** What remains of an average after each step, below 1; 0.999 for long training. */
  readonly decay: number
  /** The number of steps so far: early on, the decay is at most (1 + steps) / (10 + steps), so that averages follow at once. */
  readonly steps?: TensorLike
  /** Names the shadows, `<variable>/<name>`. Default `average`. */
  readonly name?: string
}

/** Moving averages of variables. */
export class MovingAverages {
  readonly #decay: number
  readonly #steps: TensorLike | undefined
  readonly #name: string
  readonly #shadows = new Map<VariableResource, Variable>()

  /** @throws AttrError for a decay that is not in [0, 1). */
  constructor({ decay, steps, name = 'average' }: AverageOptions) {
    demandRange('MovingAverages: decay', decay, 0, 1)
    this.#decay = decay
    this.#steps = steps
    this.#name = name
  }

  /** The shadows made so far, for checkpoints. */
  get variables(): readonly Variable[] {
    return [...this.#shadows.values()]
  }

  /**
   * A node that brings the averages one step nearer to the values that the variables have when it runs. To follow a train op, build it
   * within `controlDependencies([trainOp], …)`. Shadows start at the initial values.
   */
  apply(variables: readonly Variable[]): Node {
    return scope(this.#name, () =>
      group(
        ...variables.map((variable) => {
          const shadow = this.#shadowOf(variable)
          return colocateWith(shadow.resource.initial!, () =>
            shadow.assignSub(mul(sub(shadow, variable), this.#share(variable.dtype))),
          )
        }),
      ),
    )
  }

  /** The shadow of a variable. @throws NotFoundError when `apply` was never built with it. */
  average(variable: Variable): Variable {
    const shadow = this.#shadows.get(variable.resource)
    if (!shadow) throw new NotFoundError(`no average of '${variable.name}' is kept: give it to apply`)
    return shadow
  }

  /**
   * The same tensors, computed from averages wherever variables that have one are read. Neither variables nor averages change.
   * @throws GraphError when such a variable is read or written within a branch or loop: read it outside and use the tensor inside.
   */
  swap<const T extends readonly Tensor[]>(fetches: T): { -readonly [K in keyof T]: Tensor } {
    const graph = { fetches, targets: [] }
    const replaced = new Map<Tensor, Tensor>()
    for (const node of toposort(graph)) {
      const { reads, writes } = effectsOf(node)
      const [followed] = [...reads, ...writes].flatMap(
        (r) => (r.kind === 'variable' && this.#shadows.get(r)) || [],
      )
      if (!followed) continue
      if (bodiesOf(node).length > 0 || writes.size > 0)
        throw new GraphError(
          'uses a variable that has an average in a way that cannot be swapped: only reading it outside branches and loops can',
          { node },
        )
      replaced.set(
        node.outputs[0]!,
        colocateWith(node, () => followed.read()),
      )
    }
    return substitute(graph, replaced).fetches as unknown as { -readonly [K in keyof T]: Tensor }
  }

  /** What of the difference each step takes over: 1 - decay. */
  #share(dtype: Variable['dtype']): Tensor {
    if (this.#steps === undefined) return toTensor(1 - this.#decay, dtype)
    const steps = cast(toTensor(this.#steps, 'int32'), { to: dtype })
    return sub(1, minimum(div(add(steps, 1), add(steps, 10)), this.#decay))
  }

  #shadowOf(variable: Variable): Variable {
    const known = this.#shadows.get(variable.resource)
    if (known) return known
    const { type } = variable.resource
    const name = `${variable.name}/${this.#name}`
    // Whatever the steps wait for, the start waits for nothing.
    const [initial] = variable.read().node.with({ control: [] }).outputs
    const declared = {
      kind: 'variable',
      name,
      type,
      trainable: false,
      ...sliceOf(variable, this.#name),
    } as const
    const shadow = new Variable({ ...declared, initial: initial! })
    this.#shadows.set(variable.resource, shadow)
    return shadow
  }
}
