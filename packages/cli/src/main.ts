#!/usr/bin/env node
// The command itself: the world of this process, handed to `run`.
import module from 'node:module'
import { tooOld } from './engine.ts'

const problem = tooOld(process.versions.node)
if (problem === undefined) {
  // Half of what a command takes is compiling itself; the second time it need not.
  module.enableCompileCache()
  const [{ processShell }, { run }] = await Promise.all([import('./shell.ts'), import('./run.ts')])
  process.exitCode = await run(process.argv.slice(2), processShell())
} else {
  console.error(problem)
  process.exitCode = 1
}
