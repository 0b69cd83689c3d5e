// Making instances: every module of this package gets its memory and its imported functions in the same way, on every thread.
import { InternalError } from '@shoal/core'
import { scalarImports, scalarModule } from './lower/imported.ts'
import { mathImports } from './math/index.ts'

/** The name under which a Program imports its kernels in plain TypeScript. */
export const hostFunctions = 'host'

/** An instance over a memory. Functions that are not given may be imported, but not called. */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  given: Readonly<Record<string, WebAssembly.ModuleImports>> = {},
): WebAssembly.Exports {
  const imports: Record<string, WebAssembly.ModuleImports> = {
    env: { memory },
    math: { ...mathImports },
    [scalarModule]: scalarImports(module),
    ...given,
  }
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const functions = (imports[from] ??= {})
    functions[name] ??= () => {
      throw new InternalError(`${from}.${name} was called on a thread that does not have it`)
    }
  }
  return new WebAssembly.Instance(module, imports).exports
}
