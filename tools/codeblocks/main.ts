// The code of the documentation, run from the command line.
import { checkPages } from './pages.ts'

for await (const { name, ok, output, seconds } of checkPages()) {
  console.log(`${ok ? 'passed' : 'FAILED'}  ${name}  ${seconds.toFixed(1)} s`)
  if (!ok) {
    console.log(output)
    process.exitCode = 1
  }
}
