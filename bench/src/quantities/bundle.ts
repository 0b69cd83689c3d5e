// Programs as they are shipped: one file without dependencies.
import { build } from 'esbuild'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Bundled programs in a folder that goes when they do. */
export class Bundles implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'shoal-bench-'))
  #files = 0

  /** Bundles a program for Node; answers its file. */
  async add(program: URL): Promise<string> {
    const outfile = join(this.#folder, `${this.#files++}.mjs`)
    await build({
      entryPoints: [fileURLToPath(program)],
      outfile,
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      conditions: ['@shoal/source'],
      logLevel: 'error',
    })
    return outfile
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true })
  }
}
