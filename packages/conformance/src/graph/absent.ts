// Behaviours that Shoal does not have, and why.

/** By number: what in Shoal's graphs takes the behaviour's place, or that no pass does it. */
export const absent: Readonly<Record<number, string>> = {
  10: 'There is no Merge: branches are bodies of one Case node.',
  43: 'There are no references to variables: reading one answers a value.',
  55: 'Convolutions are kernels; normalisation and activation after them are fused as expressions, without ops of their own.',
  58: 'Buffers are planned by lifetime; none is swapped to the host.',
  59: 'Sums of several tensors are one fused kernel without intermediate buffers.',
  61: 'No pass moves nodes out of loops; what a body captures is computed before the loop by construction.',
  62: 'There are no stacks: a loop keeps the states that its gradient needs as outputs, and unused outputs are not stored.',
}
