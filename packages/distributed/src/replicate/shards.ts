// The parts of a step, one for each device that holds variables: what is changed there, in one piece, and what counts the steps there.
import type { Gradient, GradientType, Node, Tensor, TensorType } from '@shoal/core'
import {
  caseOf,
  colocateWith,
  constant,
  controlDependencies,
  IndexedSlices,
  ValueError,
  Variable,
} from '@shoal/core'
import type { GradientPair, Optimizer } from '@shoal/train'

/** What replication asks of an optimizer: any of @shoal/train. */
export type Applies = Pick<Optimizer, 'name' | 'variables' | 'apply'>

/** What is on one device. */
export interface Shard {
  readonly pairs: readonly GradientPair[]
  /** The steps that the optimizer has made here. */
  readonly counter: Variable
  /** The global step, if this is where it is. */
  readonly globalStep: Variable | undefined
  /** Builds on this device. */
  at<T>(build: () => T): T
}

const homeOf = (variable: Variable): string => variable.resource.initial?.node.device ?? ''

/**
 * Gradients by the devices of their variables; the first shard is that of the global step. All replicas come to the same answer.
 * @param who is spoken of in errors.
 * @throws ValueError when some variables are on no device in particular and others are: replicas would not share all of them.
 */
export function shardsOf(
  who: string,
  optimizer: Applies,
  pairs: readonly GradientPair[],
  globalStep: Variable,
): Shard[] {
  const variables = [globalStep, ...pairs.map(([, variable]) => variable)]
  const placed = variables.filter((variable) => homeOf(variable) !== '')
  const loose = variables.find((variable) => homeOf(variable) === '')
  if (loose && placed.length > 0)
    throw new ValueError(
      `${who}: '${loose.name}' is on no device in particular, '${placed[0]!.name}' on ${homeOf(placed[0]!)}: make all of them under one device(replicaDeviceSetter(…))`,
    )
  const byHome = Map.groupBy(variables, homeOf)
  const [own] = optimizer.variables
  return [...byHome].map(([home, [first]], i) => {
    const at = <T>(build: () => T): T =>
      first!.resource.initial ? colocateWith(first!.resource.initial, build) : build()
    return {
      pairs: pairs.filter(([, variable]) => homeOf(variable) === home),
      counter: own && homeOf(own) === home ? own : counterLike(`${optimizer.name}/step/${i}`, at),
      globalStep: i === 0 ? globalStep : undefined,
      at,
    }
  })
}

/** A count of steps under exactly this name. */
function counterLike(name: string, at: Shard['at']): Variable {
  const initial = at(() => constant(0, 'int32'))
  return new Variable({ kind: 'variable', name, type: initial.type, initial, trainable: false })
}

/** What an accumulator of such gradients gathers. @param maxRows how many different rows they have at most, if they are rows. */
export const gradientType = (gradient: Gradient, type: TensorType, maxRows = Infinity): GradientType =>
  gradient instanceof IndexedSlices ? { ...type, rows: Math.min(maxRows, type.shape[0] as number) } : type

/** One step of the optimizer on what is on one device. `scheduled`: what schedules follow, an integer scalar. */
export const applyTo = (
  { counter, globalStep }: Shard,
  optimizer: Applies,
  pairs: readonly GradientPair[],
  scheduled: Tensor,
): Node => optimizer.apply(pairs, { counter, scheduled, ...(globalStep && { globalStep }) })

/**
 * What `build` makes, as a branch: such a body waits for nothing once it has begun, so that no other run comes between its reads and its
 * writes, and no abort between two of its writes.
 */
export const inOnePiece = (build: () => Node): Tensor =>
  caseOf(0, [
    () => {
      const done = build()
      return controlDependencies([done], () => constant(true))
    },
  ])
