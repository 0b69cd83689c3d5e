// Asynchronous replication with parameter servers: each replica makes steps of its own gradients, whatever the others do in the meantime.
import type { Node, OptionRules, Progress, Variable } from '@shoal/core'
import { checkOptions, controlDependencies, group, optionRules, progress, ValueError } from '@shoal/core'
import type { GradientPair } from '@shoal/train'
import type { Applies } from './shards.ts'
import { applyTo, inOnePiece, shardsOf } from './shards.ts'

/** Who the replicas are, and how far they may be apart. */
export interface AsyncReplicasOptions {
  /** Counts the steps of all replicas, an integer scalar on a parameter server. */
  readonly globalStep: Variable
  /** Which replica this is, from 0. */
  readonly replica: number
  readonly totalReplicas: number
  /**
   * How many steps more than the slowest living replica this one may have done before it begins another; it must be the same at all replicas.
   * 0: nobody begins a step before all have done the last one. Default: any number.
   */
  readonly maxStaleness?: number
  /** Names what replicas share. Default 'async'. */
  readonly name?: string
}

const rules: OptionRules<AsyncReplicasOptions> = {
  globalStep: optionRules.any,
  replica: optionRules.whole(0),
  totalReplicas: optionRules.whole(1),
  maxStaleness: optionRules.whole(0),
  name: optionRules.text,
}

/**
 * Steps that replicas make one by one, of gradients that may have been computed while others changed the variables.
 *
 * On each parameter server a step happens in one piece: none is lost and none is seen in part. Steps on several servers are not one piece: who
 * dies between them leaves a step that was made on some of them.
 *
 * Every replica builds this in the same way, under its `device(replicaDeviceSetter(…))`, and runs `train` again and again.
 */
export class AsyncReplicas {
  /** Makes one step; with `maxStaleness` it then waits until this replica may begin another one. */
  readonly train: Node
  /** Lets whoever waits go on: one replica runs it when training is over. */
  readonly finish: Node
  /** How many replicas there are. */
  readonly totalReplicas: number
  private readonly steps: Progress | undefined
  private readonly at: <T>(build: () => T) => T

  /**
   * @param optimizer makes the steps.
   * @param pairs gradients of this replica: `lossGradients(loss)`, clipped as need be.
   * @throws ValueError for options that cannot be, for variables on no device beside others that are on one.
   */
  constructor(optimizer: Applies, pairs: readonly GradientPair[], options: AsyncReplicasOptions) {
    checkOptions('AsyncReplicas', options, rules)
    const { globalStep, replica, totalReplicas, maxStaleness, name = 'async' } = options
    if (replica >= totalReplicas)
      throw new ValueError(`AsyncReplicas: replica ${replica} must be below totalReplicas ${totalReplicas}`)
    const shards = shardsOf('AsyncReplicas', optimizer, pairs, globalStep)
    this.at = shards[0]!.at
    // Each server is asked for the global step once, before anything is changed: the rate of a step is one, wherever it is made.
    const scheduled = globalStep.read()
    const made = shards.map((shard) =>
      shard.at(() => inOnePiece(() => applyTo(shard, optimizer, shard.pairs, scheduled))),
    )
    if (maxStaleness === undefined) this.train = group(...made)
    else {
      const steps = progress({ members: totalReplicas, name: `${name}/steps` })
      this.steps = steps
      this.train = controlDependencies(made, () => this.at(() => steps.advance(replica, maxStaleness)))
    }
    this.totalReplicas = totalReplicas
    this.finish = this.setLiving([])
  }

  /**
   * Says which replicas are living: nobody waits for the others. Who comes back is taken to have done as many steps as the slowest of those that
   * were there. Whoever watches over the replicas runs this when one is lost or comes back.
   */
  setLiving(replicas: readonly number[]): Node {
    const { steps } = this
    return steps ? this.at(() => steps.setPresent(Int32Array.from(replicas))) : group()
  }
}
