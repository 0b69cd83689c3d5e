// The contenders that live in Chromium: a page with all of them in one bundle, and for each a contender here that asks it.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { findChromium } from '@shoal/platforms/chromium'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import type { Contender } from '../contender.ts'
import { installPeers, peersFolder, peerVersion } from '../peers.ts'
import type { PageBench } from './page.ts'

const page = new URL('page.ts', import.meta.url)
const modules = fileURLToPath(new URL('node_modules', peersFolder))
const runtimes = new URL('node_modules/onnxruntime-web/dist/', peersFolder)

/** Peers have no types before they are installed, so that what imports them is text. */
const program = `
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-webgpu'
import * as ort from 'onnxruntime-web/webgpu'
import * as proto from 'onnx-proto'
import { pageBench } from ${JSON.stringify(fileURLToPath(page))}
globalThis.bench = pageBench({ tf, ort, proto: proto.default ?? proto })
`

/** Without a display Chromium takes a GPU by Vulkan alone, and none by itself. */
const flags = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-angle=vulkan',
  '--disable-vulkan-surface',
  '--ignore-gpu-blocklist',
]

/** A secure context, as WebGPU demands; nothing listens there, all is answered here. */
const address = 'http://localhost/'

/** Numbers that are fetched at once. */
const partLength = 2 ** 20

/** Everybody in Chromium. Of whom is left out, a line says why. @param shoal the version of Shoal @param software whether an adapter in software is good enough */
export async function inChromium(shoal: string, software: boolean): Promise<readonly Contender[]> {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    console.log('Nobody takes part in Chromium: there is none on the path')
    return []
  }
  installPeers()
  const browser = await chromium.launch({ executablePath, args: flags })
  const tab = await browser.newPage()
  await serve(tab)
  await tab.goto(address)
  const adapter = await tab.evaluate(async () => {
    const info = (await navigator.gpu?.requestAdapter())?.info
    return info && { name: `${info.vendor} ${info.architecture}`, software: info.isFallbackAdapter }
  })
  if (!adapter || (adapter.software && !software)) {
    console.log(`Nobody takes part in Chromium: it has ${adapter ? `only ${adapter.name}` : 'no adapter'}`)
    await browser.close()
    return []
  }
  const versions = {
    'shoal, Chromium': `${shoal} in Chromium ${browser.version()} on ${adapter.name}`,
    'tfjs-webgpu': peerVersion('@tensorflow/tfjs-backend-webgpu'),
    'onnxruntime-webgpu': peerVersion('onnxruntime-web'),
  }
  const guests = await tab.evaluate((told) => bench.start(told), versions)
  return guests.flatMap(({ name, fault }) => {
    if (fault === undefined)
      return [guest(tab, name, versions[name as keyof typeof versions], () => browser.close())]
    console.log(`${name} is left out: ${fault}`)
    return []
  })
}

declare const bench: PageBench

/** Answers what the page asks for: itself, its program, and the WebAssembly of ONNX Runtime. */
async function serve(tab: Page): Promise<void> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    nodePaths: [modules],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['@shoal/source'],
    logLevel: 'error',
  })
  const html = '<!doctype html><title>bench</title><script type="module" src="/program.js"></script>'
  await tab.route(`${address}**`, async (route) => {
    const name = new URL(route.request().url()).pathname.slice(1)
    if (name === '') return route.fulfill({ contentType: 'text/html', body: html })
    if (name === 'program.js')
      return route.fulfill({ contentType: 'text/javascript', body: outputFiles[0]!.text })
    if (!/^ort-[\w.-]+\.(mjs|wasm)$/.test(name)) return route.fulfill({ status: 404, body: '' })
    const contentType = name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript'
    return route.fulfill({ contentType, body: await readFile(new URL(name, runtimes)) })
  })
}

const guest = (tab: Page, name: string, version: string, close: () => Promise<void>): Contender => ({
  name,
  version,
  async prepare(work) {
    const side = await tab.evaluate(([who, what]) => bench.prepare(who, what), [name, work] as const)
    if (side === undefined) return undefined
    return {
      sample: (repeats) => tab.evaluate(([of, times]) => bench.sample(of, times), [side, repeats] as const),
      async result() {
        const values = new Float32Array(await tab.evaluate((of) => bench.result(of), side))
        for (let from = 0; from < values.length; from += partLength) {
          const range = [from, Math.min(from + partLength, values.length)] as const
          const text = await tab.evaluate(([first, end]) => bench.part(first, end), range)
          values.set(new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer), from)
        }
        return values
      },
      close: () => tab.evaluate((of) => bench.close(of), side),
    }
  },
  close,
})
