// What a pass left of a graph, as a formula that a test can state in one line.
import type { NDArray, Pass, Tensor } from '@shoal/core'
import { ndarray } from '@shoal/core'
import { expect } from 'vitest'
import { Random } from '../random.ts'
import { checkPass } from '../passSuite.ts'

/** `Add(x, Mul(y, 2))`: ops with their inputs; placeholders by name, constants by value; what a node waits for after a `^`. */
export function formula(t: Tensor): string {
  const { op, inputs, attrs, name, control } = t.node
  const waits = control.length === 0 ? '' : `^${control.map((n) => n.name).join('^')}`
  if (op.name === 'Placeholder') return name
  if (op.name === 'Const') return JSON.stringify((attrs['value'] as NDArray).toArray()) + waits
  const port = t.index === 0 ? '' : `:${t.index}`
  return `${op.name}(${inputs.map(formula).join(', ')})${port}${waits}`
}

/** Runs a pass on the graph of some tensors, checks that it stays valid and keeps its values, and answers what is left of each. */
export async function left(
  pass: Pass,
  fetches: readonly Tensor[],
  inputs: readonly Tensor[],
): Promise<string[]> {
  const feeds = new Map(inputs.map((t) => [t, valueFor(t)]))
  const after = await checkPass(pass, { graph: { fetches, targets: [] }, feeds }, true)
  return after.fetches.map(formula)
}

/** Checks one formula. */
export async function expectLeft(
  pass: Pass,
  t: Tensor,
  inputs: readonly Tensor[],
  expected: string,
): Promise<void> {
  expect(await left(pass, [t], inputs)).toEqual([expected])
}

/** Values for a placeholder: positive, so that roots exist; names of sizes are 3. */
function valueFor(t: Tensor): NDArray {
  const stream = new Random(t.name)
  const shape = t.shape.map((d) => (typeof d === 'number' ? d : 3))
  const size = shape.reduce((n, d) => n * d, 1)
  const draw = t.dtype === 'float32' ? () => stream.between(0.5, 2) : () => stream.integer(1, 9)
  return ndarray(Float64Array.from({ length: size }, draw), t.dtype, shape)
}
