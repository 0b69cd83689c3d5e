// What replicas share besides the model: the count of steps, and a flag that ends training. Both are variables, and lie side by side.
import type { Session, Tensor } from '@shoal/core'
import {
  colocateWith,
  constant,
  controlDependencies,
  DTypeError,
  effectsOf,
  Node,
  toposort,
  Variable,
  variable,
} from '@shoal/core'

/** What a step may fetch: values by name, and what only runs. */
export type StepFetches = { readonly [name: string]: Tensor | Variable | Node }

/** Where training stands. */
export interface Standing {
  /** The global step. */
  readonly step: number
  /** Has any replica asked all to stop? */
  readonly stopped: boolean
}

/** The variables by which replicas know of each other. */
export class Progress {
  readonly globalStep: Variable
  /** Not 0 once training is to end. No checkpoint holds it: a training that is taken up again goes on. */
  readonly flag: Variable
  private readonly raised: Node
  private readonly counted = new WeakMap<Node, { readonly tensor: Tensor | undefined }>()

  /** @throws DTypeError unless the global step is a whole number. */
  constructor(globalStep: Variable) {
    const { dtype, shape, name, resource } = globalStep
    if (!['int32', 'int64'].includes(dtype) || shape.length > 0)
      throw new DTypeError(`the global step '${name}' must be an int32 or int64 scalar`)
    const build = (): Variable => variable(constant(0, 'int32'), { name: 'training/stop', trainable: false })
    this.globalStep = globalStep
    this.flag = resource.initial ? colocateWith(resource.initial, build) : build()
    this.raised = this.flag.assign(constant(1, 'int32')).node
  }

  /** What to fetch with a step to know where training stands after it. */
  after(fetches: StepFetches): { readonly step: Tensor; readonly flag: Tensor } {
    const counts = Object.values(fetches).map((fetch) => this.countedBy(fetch))
    return {
      step: counts.find((tensor) => tensor !== undefined) ?? this.globalStep.read(),
      flag: this.flag.read(),
    }
  }

  /** Where training stands now. */
  async read(session: Session): Promise<Standing> {
    const { step, flag } = await session.run(this.after({}))
    return { step: Number(step.item()), stopped: Number(flag.item()) !== 0 }
  }

  /** Asks all replicas to stop. */
  async raise(session: Session): Promise<void> {
    await session.run(this.raised)
  }

  /** The count after a node that changes it: what an assignment answers. A branch answers what it likes. */
  private afterNode(node: Node): Tensor | undefined {
    return node.op.subgraphs ? controlDependencies([node], () => this.globalStep.read()) : node.outputs[0]
  }

  /** The new value of the global step where a fetch counts it up: it comes with the step, and costs no message. */
  private countedBy(fetch: Tensor | Variable | Node): Tensor | undefined {
    if (fetch instanceof Variable) return undefined
    const root = fetch instanceof Node ? fetch : fetch.node
    const known = this.counted.get(root)
    if (known) return known.tensor
    const { resource } = this.globalStep
    const counting = toposort({ fetches: [], targets: [root] }).findLast((node) =>
      effectsOf(node).writes.has(resource),
    )
    const tensor = counting && this.afterNode(counting)
    this.counted.set(root, { tensor })
    return tensor
  }
}
