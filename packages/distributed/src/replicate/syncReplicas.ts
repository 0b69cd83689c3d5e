// Synchronous replication with parameter servers: gradients of one step are gathered beside the variables, and whoever is there makes the step of them.
import type { Accumulator, Node, OptionRules, Tensor, TensorLike, Variable } from '@shoal/core'
import {
  accumulator,
  add,
  cast,
  checkOptions,
  colocateWith,
  cond,
  controlDependencies,
  group,
  identity,
  minimum,
  optionRules,
  scope,
  toTensor,
  ValueError,
  variable,
} from '@shoal/core'
import type { GradientPair } from '@shoal/train'
import type { Applies, Shard } from './shards.ts'
import { applyTo, gradientType, shardsOf } from './shards.ts'

/** Who the replicas are, and how many it takes. */
export interface SyncReplicasOptions {
  /** Counts the steps, an integer scalar on a parameter server. */
  readonly globalStep: Variable
  /** Which replica this is, from 0. */
  readonly replica: number
  readonly totalReplicas: number
  /**
   * How many gradients make a step, at most `totalReplicas`; those beyond are backups, whose gradients are dropped when they come late.
   * Default: all.
   */
  readonly replicasToAggregate?: number
  /** As few may make a step when others are not living. Default 1. */
  readonly minReplicas?: number
  /** How many examples this replica's gradients are the mean of, a scalar: steps are by the mean over all examples. Default: all replicas count alike. */
  readonly examples?: TensorLike
  /**
   * How many different rows all sparse gradients of a step have at most, for one variable. It bounds the memory of a step; more of them are an
   * error. Must be the same at all replicas. Default: as many as the variable has.
   */
  readonly maxRows?: number
  /** Names what replicas share. Default 'sync'. */
  readonly name?: string
}

const rules: OptionRules<SyncReplicasOptions> = {
  globalStep: optionRules.any,
  replica: optionRules.whole(0),
  totalReplicas: optionRules.whole(1),
  replicasToAggregate: optionRules.whole(1),
  minReplicas: optionRules.whole(1),
  examples: optionRules.any,
  maxRows: optionRules.whole(1),
  name: optionRules.text,
}

/** What there is to know of the gradients at one parameter server: int32 scalars. */
export type SyncStatus = ReturnType<Accumulator['status']>

/**
 * Steps that N of M replicas make together, as if one machine had made each of them with all their examples.
 *
 * Each replica computes gradients and adds them to those of the others, on the servers of the variables. There a step is made as soon as there are
 * enough of them, by one of the replicas that wait for it; if that one dies before it has begun, by another one. So no task is needed in particular,
 * and no step is made twice. A gradient counts only for the step that it was computed at: a replica that comes late goes on with the next step.
 *
 * Every replica builds this in the same way, under its `device(replicaDeviceSetter(…))`, and runs `train` again and again.
 */
export class SyncReplicas {
  /** Takes part in one step: runs until the step has been made, or gone past. */
  readonly train: Node
  /**
   * Lets everybody begin at the global step. One replica, the chief, runs it each time that it has initialised or restored the variables of the
   * servers; until then all others wait.
   */
  readonly start: Node
  /** Holds everybody up until `start`: to be run before variables are restored on servers that are at work. */
  readonly hold: Node
  /** Lets whoever still waits make its step alone: one replica runs it when training is over. */
  readonly finish: Node
  /** How many replicas there are. */
  readonly totalReplicas: number
  /** What this replica alone knows. Each initialises its own; checkpoints do without. */
  readonly localVariables: readonly Variable[]
  private readonly options: SyncReplicasOptions
  private readonly shards: readonly (Shard & { readonly gradients: Accumulator })[]

  /**
   * @param optimizer makes the steps.
   * @param pairs gradients of this replica: `lossGradients(loss)`, clipped as need be.
   * @throws ValueError for options that cannot be, for variables on no device beside others that are on one.
   */
  constructor(optimizer: Applies, pairs: readonly GradientPair[], options: SyncReplicasOptions) {
    checkOptions('SyncReplicas', options, rules)
    const { globalStep, replica, totalReplicas, name = 'sync', maxRows = Infinity, examples = 1 } = options
    const { replicasToAggregate = totalReplicas, minReplicas = 1 } = options
    if (replicasToAggregate > totalReplicas)
      throw new ValueError(
        `SyncReplicas: a step takes ${replicasToAggregate} gradients, and there are ${totalReplicas} replicas, each of which gives one: use larger batches instead`,
      )
    if (replica >= totalReplicas || minReplicas > replicasToAggregate)
      throw new ValueError(
        `SyncReplicas: replica ${replica} must be below totalReplicas ${totalReplicas}, minReplicas ${minReplicas} at most ${replicasToAggregate}`,
      )
    this.options = options
    this.totalReplicas = totalReplicas
    this.shards = shardsOf('SyncReplicas', optimizer, pairs, globalStep).map((shard, i) => ({
      ...shard,
      gradients: accumulator({
        name: `${name}/gradients/${i}`,
        types: shard.pairs.map(([gradient, { resource }]) => gradientType(gradient, resource.type, maxRows)),
        count: replicasToAggregate,
        held: true,
      }),
    }))
    const built = scope(name, () => {
      // The device of this replica, whatever is asked for around.
      const weight = identity(cast(toTensor(examples), { to: 'float32' }))
      // The least of all servers: none of them is behind it, so that nobody waits at one for gradients that others would give only after a step of another.
      const localStep = colocateWith(weight, () =>
        variable(
          this.least((gradients) => gradients.status().step),
          {
            name: 'local_step',
            trainable: false,
          },
        ),
      )
      const step = localStep.read()
      const next = this.shards.map((shard) =>
        shard.at(() => takePart(shard, optimizer, step, weight, replica)),
      )
      const present = toInt32(globalStep.read())
      return {
        localStep,
        train: group(localStep.assign(leastOf(next))),
        start: group(this.setStep(present), localStep.assign(present)),
        hold: this.setStep(-1),
      }
    })
    this.train = built.train
    this.start = built.start
    this.hold = built.hold
    this.finish = this.setCount(1)
    this.localVariables = [built.localStep]
  }

  /**
   * Says how many replicas are living: a step takes no more gradients than that, and no fewer than `minReplicas`. Whoever watches over the
   * replicas runs this when one is lost or comes back; a parameter server that was started anew has to be told again.
   */
  setLiving(replicas: number): Node {
    return this.setCount(this.takes(replicas))
  }

  /** How many gradients a step takes when so many replicas are living. */
  takes(living: number): number {
    const { totalReplicas, replicasToAggregate = totalReplicas, minReplicas = 1 } = this.options
    return Math.max(minReplicas, Math.min(replicasToAggregate, living))
  }

  /** How things stand on each parameter server: the step, how many gradients are there for it, how many it takes, how many were dropped. */
  status(): readonly SyncStatus[] {
    return this.shards.map(({ gradients, at }) => at(() => gradients.status()))
  }

  private setCount(count: number): Node {
    return group(...this.shards.map(({ gradients, at }) => at(() => gradients.setCount(count))))
  }

  private setStep(step: TensorLike): Node {
    return group(...this.shards.map(({ gradients, at }) => at(() => gradients.setStep(step))))
  }

  private least(of: (gradients: Accumulator) => Tensor): Tensor {
    return leastOf(this.shards.map(({ gradients, at }) => at(() => of(gradients))))
  }
}

const leastOf = (steps: readonly Tensor[]): Tensor => steps.reduce((a, b) => minimum(a, b))
const toInt32 = (x: Tensor): Tensor => (x.dtype === 'int32' ? x : cast(x, { to: 'int32' }))

/** Gives gradients to one server, and waits for its step; makes it, if that falls to this run. Answers the step after. */
function takePart(
  shard: Shard & { readonly gradients: Accumulator },
  optimizer: Applies,
  at: Tensor,
  weight: Tensor,
  from: number,
): Tensor {
  const { gradients, pairs } = shard
  const given = gradients.apply(
    pairs.map(([gradient]) => gradient),
    { step: at, weight, from },
  )
  const { taken, step } = controlDependencies([given], () => gradients.lease(at, { from }))
  // All of a branch happens in one piece: nobody sees a part of a step, and whoever dies does so before it or after.
  return cond(
    taken,
    () => {
      const means = gradients.mean()
      const made = applyTo(
        shard,
        optimizer,
        pairs.map(([, variable], i) => [means[i]!, variable]),
        step,
      )
      const settled = controlDependencies([made], () => gradients.settle())
      return controlDependencies([settled], () => add(step, 1))
    },
    () => identity(step),
  )
}
