// Progress: how many steps each member of a group has done, so that the fast can wait for the slow.
import { AttrError } from '../../errors.ts'
import type { Node, Tensor } from '../../graph/graph.ts'
import { named, surroundings } from '../../graph/scope.ts'
import { NDArray } from '../../ndarray.ts'
import type { AnyOp } from '../../op.ts'
import { attr, defineOp, makeNode } from '../../op.ts'
import type { AnyResource, ProgressResource } from '../../resource.ts'
import type { RunContext } from '../../run/context.ts'
import { ProgressState } from '../../run/progressState.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'

const resourceAttr = { resource: attr.resource('the count of progress') }

const advanceOp = defineOp({
  name: 'ProgressAdvance',
  doc: 'Counts one more step of a member, and waits while it is too far ahead of the slowest one present.',
  inputs: [],
  attrs: {
    ...resourceAttr,
    member: attr.int('the number of the member'),
    ahead: attr.int('how many steps more than the slowest it may have done'),
  },
  outputs: 'list',
  traits: { effect: 'external' },
  infer: () => [],
  body: {
    kind: 'runtime',
    role: 'host',
    async run(_, { resource, member, ahead }, context) {
      await stateOf(resource, context).advance(member, ahead, context.signal)
      return []
    },
  },
})

const setPresentOp = defineOp({
  name: 'ProgressSetPresent',
  doc: 'Says which members are present: only they are waited for.',
  inputs: ['members'],
  dtypes: [['int32']],
  attrs: resourceAttr,
  outputs: 'list',
  traits: { effect: 'external' },
  infer: () => [],
  body: {
    kind: 'runtime',
    role: 'host',
    run([members], { resource }, context) {
      stateOf(resource, context).setPresent(members!.numbers())
      return []
    },
  },
})

const stepsOp = defineOp({
  name: 'ProgressSteps',
  doc: 'The steps that each member has done, int32 [members].',
  inputs: [],
  attrs: resourceAttr,
  traits: { effect: 'external' },
  infer: (_, { resource }) => [{ dtype: 'int32', shape: [(resource as ProgressResource).members] }],
  body: {
    kind: 'runtime',
    role: 'host',
    run(_, { resource }, context) {
      const { steps } = stateOf(resource, context)
      return [new NDArray('int32', [steps.length], Int32Array.from(steps))]
    },
  },
})

/** The definitions behind counts of progress, for lists of ops. */
export const progressOps: readonly AnyOp[] = [advanceOp, setPresentOp, stepsOp]

const stateOf = (resource: AnyResource, context: RunContext): ProgressState =>
  context.state(resource, () => new ProgressState((resource as ProgressResource).members))

/** A count of steps for each member of a group, kept between runs. Its methods build nodes; running these does the work. */
export class Progress {
  readonly resource: ProgressResource
  constructor(resource: ProgressResource) {
    this.resource = resource
  }
  /** Unique among the resources of a graph. */
  get name(): string {
    return this.resource.name
  }
  /**
   * One more step of a member. Its run goes on once the member has done at most `ahead` steps more than the slowest one present; the step
   * counts at once, also if the wait is aborted.
   * @throws AttrError for one that is no member, or a bound below 0.
   */
  advance(member: number, ahead: number): Node {
    if (!Number.isInteger(member) || member < 0 || member >= this.resource.members)
      throw new AttrError(
        `progress '${this.name}': there is no member ${member}, only 0 to ${this.resource.members - 1}`,
      )
    if (!Number.isInteger(ahead) || ahead < 0)
      throw new AttrError(`progress '${this.name}': ahead ${ahead} must be a whole number, at least 0`)
    const { resource } = this
    return this.build(() => makeNode(advanceOp.def, [], { resource, member, ahead }, 'advance'))
  }
  /**
   * Says which members are present, as int32 [n]: only they are waited for. Who comes back begins where the slowest of the others is.
   * A run of it throws RunError for a number that is no member's.
   */
  setPresent(members: TensorLike): Node {
    const { resource } = this
    return this.build(() =>
      makeNode(setPresentOp.def, [toTensor(members, 'int32')], { resource }, 'setPresent'),
    )
  }
  /** The steps that each member has done, int32 [members]. */
  steps(): Tensor {
    return this.build(() => stepsOp({ resource: this.resource, name: 'steps' }))
  }
  private build<T>(make: () => T): T {
    return named(`${this.resource.name}/`, make)
  }
}

let unnamed = 0

/**
 * A count of steps for each member of a group.
 * @param options.members how many there are.
 * @param options.name scoped; numbered when left out.
 * @throws AttrError
 */
export function progress(options: { readonly members: number; readonly name?: string }): Progress {
  const name = surroundings().prefix + (options.name ?? `progress_${unnamed++}`)
  const { members } = options
  if (!Number.isInteger(members) || members < 1)
    throw new AttrError(`progress '${name}': members ${members} must be a whole number, at least 1`)
  return new Progress({ kind: 'progress', name, members })
}
