// Making instances: every module of this package gets its memory and its imported functions in the same way, on every thread.

/** The name under which a Program imports its kernels in plain TypeScript. */
export const hostFunctions = 'host'

/** Compiles at once, where the engine does so: browsers refuse large modules on the main thread, which are compiled in the background. */
export function compileModule(
  bytes: Uint8Array<ArrayBuffer>,
): WebAssembly.Module | Promise<WebAssembly.Module> {
  try {
    return new WebAssembly.Module(bytes)
  } catch (error) {
    if (error instanceof RangeError) return WebAssembly.compile(bytes)
    throw error
  }
}

/** An instance over a memory. Functions that are not given may be imported, but not called. */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  given: Readonly<Record<string, WebAssembly.ModuleImports>>,
): WebAssembly.Exports {
  const imports: Record<string, WebAssembly.ModuleImports> = { env: { memory }, ...given }
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const functions = (imports[from] ??= {})
    functions[name] ??= () => {
      throw new Error(`${from}.${name} was called on a thread that does not have it`)
    }
  }
  return new WebAssembly.Instance(module, imports).exports
}
