// What every project of the workspace tests alike: files beside the sources, resolved to sources, without a build.
import { defineProject } from 'vitest/config'

const conditions = ['@shoal/source']

export default defineProject({
  test: {
    include: ['src/**/*.test.ts'],
    pool: 'threads',
    // Small and busy machines run the same tests.
    testTimeout: 30_000,
    // Engines beside the pinned one share the suites of devices: 'evens' and 'odds'.
    provide: { extent: (process.env['SHOAL_TEST_EXTENT'] ?? 'whole') as 'whole' | 'evens' | 'odds' },
    // Worker threads that a test starts resolve packages by themselves: they must see the same sources.
    execArgv: conditions.map((name) => `--conditions=${name}`),
  },
  resolve: { conditions },
  ssr: { resolve: { conditions } },
})
