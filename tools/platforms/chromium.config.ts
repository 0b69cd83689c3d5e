// A device's tests in a page of headless Chromium: WebGPU's, or the cpu's, where the page is served with or without the headers that isolate it.
import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { findChromium } from './src/chromium.ts'
import { pageFromEnvironment } from './src/page.ts'
import { testsInPages, testsOfWebGpu } from './src/selection.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = pageFromEnvironment()

/** What memory may be shared for: see the specification of cross-origin isolation. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

const gpu = page.device === 'webgpu'
/** Without it Chromium answers no adapter that is made of software, which is what machines without a GPU have. */
const args = gpu ? ['--enable-unsafe-webgpu'] : []

const executablePath = findChromium()
if (executablePath === undefined) throw new Error('there is no Chromium on the path')

export default defineConfig({
  root,
  resolve: { conditions: ['@shoal/source'] },
  server: { headers: page.isolated ? isolation : {} },
  test: {
    name: `${page.device}, ${page.isolated ? 'isolated' : 'not isolated'}`,
    include: [...(gpu ? testsOfWebGpu : testsInPages(page.isolated))],
    testTimeout: 30_000,
    provide: { page, extent: page.isolated ? 'evens' : 'odds' },
    browser: {
      enabled: true,
      headless: true,
      ui: false,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args } }),
      instances: [{ browser: 'chromium' }],
    },
  },
})
