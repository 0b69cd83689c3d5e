// What must stay true of the repository's shape, as rules that answer with the places that break them.
import {
  dependencyFaults,
  escapingImports,
  outsideThePlayground,
  platformImports,
  unprovenDevices,
  unprovenTransports,
} from './structure/dependencies.ts'
import { undocumentedNames } from './structure/docstrings.ts'
import { namelessErrors } from './structure/errors.ts'
import { dependentOpFiles, staleOpsList, unprovenOps } from './structure/ops.ts'
import { longFiles, namelessFiles } from './structure/sizes.ts'

/** One rule: `faults` answers a line for every place that breaks it. */
export interface Rule {
  readonly name: string
  readonly faults: () => readonly string[] | Promise<readonly string[]>
}

/** Every rule that the repository keeps. */
export const rules: readonly Rule[] = [
  { name: 'packages depend on each other as the table says', faults: () => dependencyFaults() },
  { name: 'packages are entered by their names', faults: () => escapingImports() },
  { name: 'core imports no platform module', faults: () => platformImports() },
  { name: 'programs of the playground can import every package', faults: () => outsideThePlayground() },
  { name: 'every device runs the device suite', faults: () => unprovenDevices() },
  { name: 'every transport runs the transport suite', faults: () => unprovenTransports() },
  { name: 'the list of ops is that of the op files', faults: staleOpsList },
  { name: 'every op has a conformance case', faults: unprovenOps },
  { name: 'every op file can be imported alone', faults: dependentOpFiles },
  { name: 'every public name has a docstring', faults: () => undocumentedNames() },
  { name: 'every error class states its name', faults: () => namelessErrors() },
  { name: 'no source file is too long', faults: () => longFiles() },
  { name: 'every source file is named for its subject', faults: () => namelessFiles() },
]
