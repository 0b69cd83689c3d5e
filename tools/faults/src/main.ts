// Starts the suite of faults: `npm run faults -- [--only kills,stops] [--short] [--seed 1] [--log]`.
import { mkdtempSync, rmSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// What this process has compiled, those that it starts and starts anew need not compile again.
const cache = mkdtempSync(join(tmpdir(), 'shoal-compiled-'))
process.on('exit', () => rmSync(cache, { recursive: true, force: true }))
enableCompileCache(cache)
process.env['NODE_COMPILE_CACHE'] = cache
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const { runSuite } = await import('./suite.ts')
await runSuite(flushCompileCache)
