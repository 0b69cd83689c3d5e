// The cpu device's tests in a page of headless Chromium, which is served with or without the headers that isolate it.
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { findChromium } from './src/chromium.ts'
import { pageFromEnvironment } from './src/page.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = pageFromEnvironment()

/** What memory may be shared for: see the specification of cross-origin isolation. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/** Tests that use a module of Node are about Node. */
const needsNode = (file: string) => /\bfrom 'node:/.test(readFileSync(`${root}/${file}`, 'utf8'))

const executablePath = findChromium()
if (executablePath === undefined) throw new Error('there is no Chromium on the path')

export default defineConfig({
  root,
  resolve: { conditions: ['@shoal/source'] },
  server: { headers: page.isolated ? isolation : {} },
  test: {
    name: page.isolated ? 'isolated' : 'not isolated',
    include: ['packages/kernels-cpu/src/**/*.test.ts', 'tools/platforms/src/page.test.ts'],
    exclude: globSync('packages/kernels-cpu/src/**/*.test.ts', { cwd: root }).filter(needsNode),
    testTimeout: 30_000,
    provide: { page },
    browser: {
      enabled: true,
      headless: true,
      ui: false,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath } }),
      instances: [{ browser: 'chromium' }],
    },
  },
})
