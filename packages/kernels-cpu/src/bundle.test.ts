// Bundles really made and run: threads have to find their code in them.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('..', import.meta.url))
const out = mkdtempSync(join(tmpdir(), 'shoal-bundle-'))
writeFileSync(join(out, 'package.json'), '{ "type": "module" }')
afterAll(() => rmSync(out, { recursive: true }))

/** Bundles a program with the code of threads under a name, runs it with plain Node, and answers what it printed. */
async function bundled(name: string, options: string): Promise<string> {
  const outdir = join(out, name)
  await build({
    absWorkingDir: folder,
    entryPoints: { [name]: '@shoal/kernels-cpu/worker' },
    stdin: {
      resolveDir: folder,
      contents: `
        import { matmul, placeholder, Session, sum, tanh } from '@shoal/core'
        import { cpu } from '@shoal/kernels-cpu'
        const device = cpu({ threads: 3, ${options} })
        const session = new Session({ devices: [device] })
        const x = placeholder({ shape: [300_000], name: 'x' })
        const feeds = { x: new Float32Array(300_000).fill(0.5) }
        const alone = session.runSync(sum(tanh(x)), feeds).item()
        await device.ready()
        const together = session.runSync(sum(tanh(x)), feeds).item()
        await session.close()
        let name
        try { matmul(x, x) } catch (error) { name = error.name }
        console.log(alone === together, alone.toFixed(0), name)`,
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@shoal/source'],
    outdir,
  })
  return execFileSync(process.execPath, [join(outdir, 'stdin.js')], {
    encoding: 'utf8',
    timeout: 30_000,
  }).trim()
}

describe('a bundle', () => {
  // Errors are known by their names, which minifying must not touch.
  const answer = `true ${(300_000 * Math.tanh(0.5)).toFixed(0)} ShapeError`

  it('finds the code of threads beside it', async () => {
    expect(await bundled('worker', '')).toBe(answer)
  })

  it('finds it where it is told to', async () => {
    expect(await bundled('threads', "worker: new URL('./threads.js', import.meta.url)")).toBe(answer)
  })
})
