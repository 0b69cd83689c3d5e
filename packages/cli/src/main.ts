#!/usr/bin/env node
// The command itself: the world of this process, handed to `run`.
import { enableCompileCache } from 'node:module'

// Half of what a command takes is compiling itself; the second time it need not.
enableCompileCache()
const [{ processShell }, { run }] = await Promise.all([import('./shell.ts'), import('./run.ts')])
process.exitCode = await run(process.argv.slice(2), processShell())
