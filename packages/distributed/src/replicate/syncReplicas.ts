// Synchronous replication with parameter servers: gradients of one step are gathered beside the variables, and whoever is there makes the step of them.
import type {
  Accumulator,
  Gradient,
  GradientType,
  Node,
  OptionRules,
  Tensor,
  TensorLike,
  Variable,
} from '@shoal/core'
import {
  accumulator,
  add,
  assertThat,
  cast,
  checkOptions,
  colocateWith,
  cond,
  controlDependencies,
  equal,
  group,
  identity,
  IndexedSlices,
  logicalNot,
  logicalOr,
  minimum,
  optionRules,
  scope,
  toTensor,
  ValueError,
  variable,
} from '@shoal/core'
import type { GradientPair } from '@shoal/train'
import type { Applies, Shard } from './shards.ts'
import { applyTo, shardsOf } from './shards.ts'

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
  /** Sets the servers to the global step: to be run by one replica, the chief, each time that variables were restored. */
  readonly start: Node
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
    this.shards = shardsOf('SyncReplicas', optimizer, pairs, globalStep).map((shard, i) => ({
      ...shard,
      gradients: accumulator({
        name: `${name}/gradients/${i}`,
        types: shard.pairs.map(([gradient, { resource }]) => typeOf(gradient, resource.type, maxRows)),
        count: replicasToAggregate,
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
      return { localStep, train: group(localStep.assign(leastOf(next))) }
    })
    this.train = built.train
    this.localVariables = [built.localStep]
    this.start = group(
      ...this.shards.map(({ gradients, at }) => at(() => gradients.setStep(toInt32(globalStep.read())))),
    )
  }

  /**
   * Says how many replicas are living: a step takes no more gradients than that, and no fewer than `minReplicas`. Whoever watches over the
   * replicas runs this when one is lost or comes back; a parameter server that was started anew has to be told again.
   */
  setLiving(replicas: number): Node {
    const { totalReplicas, replicasToAggregate = totalReplicas, minReplicas = 1 } = this.options
    const count = Math.max(minReplicas, Math.min(replicasToAggregate, replicas))
    return group(...this.shards.map(({ gradients, at }) => at(() => gradients.setCount(count))))
  }

  /** How things stand on each parameter server: the step, how many gradients are there for it, how many it takes, how many were dropped. */
  status(): readonly SyncStatus[] {
    return this.shards.map(({ gradients, at }) => at(() => gradients.status()))
  }

  private least(of: (gradients: Accumulator) => Tensor): Tensor {
    return leastOf(this.shards.map(({ gradients, at }) => at(() => of(gradients))))
  }
}

const leastOf = (steps: readonly Tensor[]): Tensor => steps.reduce((a, b) => minimum(a, b))
const toInt32 = (x: Tensor): Tensor => (x.dtype === 'int32' ? x : cast(x, { to: 'int32' }))

function typeOf(gradient: Gradient, type: GradientType, maxRows: number): GradientType {
  if (!(gradient instanceof IndexedSlices)) return type
  return { ...type, rows: Math.min(maxRows, type.shape[0] as number) }
}

/** Gives gradients to one server, and waits for its step; makes it, if that falls to this run. Answers the step after. */
function takePart(
  shard: Shard & { readonly gradients: Accumulator },
  optimizer: Applies,
  at: Tensor,
  weight: Tensor,
  from: number,
): Tensor {
  const { gradients, pairs, globalStep } = shard
  const given = gradients.apply(
    pairs.map(([gradient]) => gradient),
    { step: at, weight, from },
  )
  const { taken, step } = controlDependencies([given], () => gradients.lease(at))
  const mine = globalStep
    ? controlDependencies([demandStarted(globalStep, taken, step)], () => identity(taken))
    : taken
  // All of a branch happens in one piece: nobody sees a part of a step, and whoever dies does so before it or after.
  return cond(
    mine,
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

/** Only who has the gradients of a step changes the global step: for that one it is what it was when they were gathered, if it was told. */
function demandStarted(globalStep: Variable, taken: Tensor, step: Tensor): Node {
  const present = toInt32(controlDependencies([taken], () => globalStep.read()))
  return assertThat(
    logicalOr(logicalNot(taken), equal(present, step)),
    `the global step is not the one that gradients were gathered for: run 'start' once after variables were restored`,
    [present, step],
  )
}
