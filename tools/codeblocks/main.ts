// The code of the documentation, run from the command line.
import { pageChecks } from './pages.ts'

for (const { name, run } of pageChecks()) {
  const { ok, output, seconds } = await run()
  console.log(`${ok ? 'passed' : 'FAILED'}  ${name}  ${seconds.toFixed(1)} s`)
  if (!ok) {
    console.log(output)
    process.exitCode = 1
  }
}
