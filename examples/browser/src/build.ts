// Makes the page: three bundles, the style, the data, in one folder that any static server can hand out.
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { digitFiles } from '@shoal/example-parts/digitSets'
import { build as bundle } from 'esbuild'

const root = new URL('../', import.meta.url)
const datasets = new URL('../../datasets/', root)

/** Where the page is put unless something else is said. */
export const siteFolder: string = fileURLToPath(new URL('dist', root))

/** Builds the page into a folder, which is emptied first. @throws Error with the messages of esbuild when a source does not compile. */
export async function build(folder: string = siteFolder): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(`${folder}/digits`, { recursive: true })
  await bundle({
    absWorkingDir: fileURLToPath(root),
    entryPoints: {
      page: 'src/page.ts',
      worker: 'src/worker.ts',
      threads: '@shoal/kernels-cpu/worker',
      style: 'site/style.css',
    },
    outdir: folder,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['@shoal/source'],
    logLevel: 'silent',
  })
  await copyFile(new URL('site/index.html', root), `${folder}/index.html`)
  for (const name of Object.values(digitFiles))
    await copyFile(new URL(name, datasets), `${folder}/digits/${name}`)
}

if (import.meta.main) await build()
