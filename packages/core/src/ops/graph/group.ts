// Several effects as one node.
import type { Node } from '../../graph/graph.ts'
import { controlDependencies } from '../../graph/scope.ts'
import { defineOp, makeNode } from '../../op.ts'

const groupOp = defineOp({
  name: 'Group',
  doc: 'Does nothing, after everything that it waits for.',
  inputs: [],
  outputs: 'list',
  infer: () => [],
  body: { kind: 'runtime', role: 'group' },
})

/** One node that has run when all of these have: `session.run(group(assignA, assignB))`. */
export const group = (...after: readonly (Node | { readonly node: Node })[]): Node =>
  controlDependencies(after, () => makeNode(groupOp.def, []))
/** The definition behind `group`. */
export const groupDef = { def: groupOp.def }
