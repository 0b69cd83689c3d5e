// Writes the lists of op files: every one is found, imported and looked into, so that nobody keeps a list by hand.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { opFiles, root } from './workspace.ts'

const folder = 'packages/core/src/ops/'
/** The public names of all ops. */
export const opsIndexFile = `${folder}index.ts`

/** Files that only help to define ops: what they export is no public name. */
export const makers: ReadonlySet<string> = new Set([
  'elementwise.ts',
  'control/carried.ts',
  'control/differentiable.ts',
  'control/subgraph.ts',
  'linalg/contract.ts',
  'linalg/matrices.ts',
  'linalg/triangle.ts',
  'loss/reduction.ts',
  'math/comparison.ts',
  'nn/activation.ts',
  'nn/normalize.ts',
  'nn/sampling.ts',
  'nn/window.ts',
  'quantize/activation.ts',
  'rnn/recurrence.ts',
  'random/threefry.ts',
  'reduce/argExtreme.ts',
  'reduce/compositeReduction.ts',
  'reduce/extremeGrad.ts',
  'reduce/reduction.ts',
  'text/hash.ts',
  'text/regexMatch.ts',
  'text/regularExpression.ts',
  'text/stringOp.ts',
])

/** Ops by their names in graphs that only other ops and the functions of core make, gradients above all; users have no call for them. */
export const madeByOthers: ReadonlySet<string> = new Set([
  'AvgPool',
  'AvgPoolGrad',
  'Blank',
  'ConvBackpropFilter',
  'ConvBackpropInput',
  'CutLike',
  'GatherBack',
  'IndexLike',
  'MaxPool',
  'MaxPoolGrad',
  'MaxPoolGradGrad',
  'MirrorPadBack',
  'PadLike',
  'Parameter',
  'PartLike',
  'RandomBitsLike',
  'Recv',
  'ResizeBack',
  'Send',
  'SliceLike',
  'StridedPut',
  'StridedPutLike',
  'SumLike',
  'TileBack',
])

type Exports = Readonly<Record<string, unknown>>
const isOp = (value: unknown): value is { readonly def: { readonly name: string } } =>
  value !== null && (typeof value === 'object' || typeof value === 'function') && 'def' in value

/** The text of ops/index.ts for the op files by their paths under ops/. */
export function opsIndex(paths: readonly string[]): string {
  return [
    '// Written by tools/generateOps.ts: the public names of all op files.',
    ...paths.filter((path) => !makers.has(path)).map((path) => `export * from './${path}'`),
    '',
  ].join('\n')
}

/** What ops/index.ts should say of the op files as they are. */
export async function currentOpsIndex(): Promise<string> {
  const modules = new Map<string, Exports>()
  for (const path of opFiles())
    modules.set(path.slice(folder.length), (await import(pathToFileURL(join(root, path)).href)) as Exports)
  const hidden = [...modules].filter(
    ([path, exports]) => makers.has(path) && Object.values(exports).some(isOp),
  )
  if (hidden.length > 0)
    throw new Error(`${hidden[0]![0]} defines an op, so it cannot be a file that only helps`)
  const ops = [...modules.values()].flatMap((exports) => Object.values(exports).flat()).filter(isOp)
  const names = new Set(ops.map(({ def }) => def.name))
  for (const name of madeByOthers) if (!names.has(name)) throw new Error(`no op is named ${name}`)
  return opsIndex([...modules.keys()])
}

if (import.meta.main) await writeFile(join(root, opsIndexFile), await currentOpsIndex())
