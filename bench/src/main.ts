// Measures Shoal beside its peers:
//
//   npm run bench                      all of it: writes the tables and charts of docs/performance.md
//   npm run bench -- matmul            the works whose names begin so, printed only
//   npm run bench -- --short           counts instead of times, without peers: fails when more is done than bench/counts.json says
//   npm run bench -- --short --accept  writes bench/counts.json
const args = process.argv.slice(2)
const unknown = args.filter((arg) => arg.startsWith('-') && !['--short', '--accept'].includes(arg))
if (unknown.length > 0)
  throw new Error(`unknown option ${unknown.join(', ')}: there are --short and --accept`)

// The peers are there, and their modules loaded, only where they are measured.
if (args.includes('--short')) {
  const { checkCounts } = await import('./counts.ts')
  const grown = await checkCounts(args.includes('--accept'))
  for (const line of grown) console.error(line)
  if (grown.length > 0) {
    console.error('If that is meant, accept it: npm run bench -- --short --accept')
    process.exitCode = 1
  }
} else {
  const { measure } = await import('./measure.ts')
  await measure(args)
}
