// All cases of all families: the one list that every device runs.
import type { OpCase } from '../case.ts'
import { controlCases } from './control.ts'
import { debugCases } from './debug.ts'
import { sparseCases } from './sparse.ts'
import { textCases } from './text.ts'
import { graphCases } from './graph.ts'
import { stateCases } from './state.ts'
import { arrayIndexCases } from './arrayIndex.ts'
import { arrayMoveCases } from './arrayMove.ts'
import { convCases } from './conv.ts'
import { linalgCases } from './linalg.ts'
import { mathBinaryCases } from './mathBinary.ts'
import { mathUnaryCases } from './mathUnary.ts'
import { lossCases } from './loss.ts'
import { nnCases } from './nn.ts'
import { poolCases } from './pool.ts'
import { quantizeCases } from './quantize.ts'
import { randomCases } from './random.ts'
import { rnnCases } from './rnn.ts'
import { reduceCases } from './reduce.ts'
import { replicaCases } from './replicas.ts'

/** Every case of Shoal's own. */
export const allCases: readonly OpCase[] = [
  ...arrayIndexCases,
  ...arrayMoveCases,
  ...controlCases,
  ...debugCases,
  ...sparseCases,
  ...textCases,
  ...graphCases,
  ...convCases,
  ...linalgCases,
  ...lossCases,
  ...mathBinaryCases,
  ...mathUnaryCases,
  ...nnCases,
  ...poolCases,
  ...quantizeCases,
  ...randomCases,
  ...reduceCases,
  ...replicaCases,
  ...rnnCases,
  ...stateCases,
]

/** The names of all ops that a case stands for. */
export const caseNames = (): ReadonlySet<string> => new Set(allCases.flatMap((c) => c.ops))
