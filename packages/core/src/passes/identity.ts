// Takes out nodes that only hand on what they are given.
import type { Pass } from './pass.ts'
import { rulePass } from './rules/rule.ts'

/** Removes nodes whose output is their input, unless they wait for something or ask for a device of their own. Gradients are taken before passes, so nothing is lost. */
export const removeIdentities: Pass = rulePass('identity', [
  {
    why: 'its output is its input',
    apply: ({ node }) =>
      node.op.traits.identity &&
      node.control.length === 0 &&
      (node.device === '' || node.device === node.inputs[0]!.node.device)
        ? node.inputs[0]
        : undefined,
  },
])
