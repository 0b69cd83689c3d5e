// Measures Shoal beside its peers:
//
//   npm run bench                      all of it on the CPU: writes the tables and charts of docs/performance.md
//   npm run bench -- matmul            the works whose names begin so, printed only
//   npm run bench -- webgpu            all of it on the GPU: writes its tables in docs/performance.md; names may follow
//   npm run bench -- webgpu --small    tries that on whatever adapter there is, with small sizes, printed only
//   npm run bench -- distributed       all of it between processes: writes its tables in docs/performance.md; names may follow
//   npm run bench -- distributed --small   tries that with small sizes, printed only
//   npm run bench -- scaling           all of it in simulation: writes its tables and charts; names of strategies may follow
//   npm run bench -- scaling --small   tries that with few workers, printed only
//   npm run bench -- search            what every sampler finds: writes its tables in docs/performance.md; names may follow, and --small
//   npm run bench -- agents            agents as processes: together, idle, missed, given jobs; writes its tables; names may follow, and --small
//   npm run bench -- --short           counts instead of times, without peers: fails when more is done than bench/counts.json says
//   npm run bench -- --short --accept  writes bench/counts.json
const args = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('-'))
const onGpu = names[0] === 'webgpu'
const betweenProcesses = names[0] === 'distributed'
const inSimulation = names[0] === 'scaling'
const searching = names[0] === 'search'
const ofAgents = names[0] === 'agents'
const tried = onGpu || betweenProcesses || inSimulation || searching || ofAgents
const options = tried ? ['--small'] : ['--short', '--accept']
const unknown = args.filter((arg) => arg.startsWith('-') && !options.includes(arg))
if (unknown.length > 0)
  throw new Error(`unknown option ${unknown.join(', ')}: there are ${options.join(' and ')}`)

// The peers are there, and their modules loaded, only where they are measured.
if (onGpu) {
  const { measureGpu } = await import('./webgpu/measure.ts')
  await measureGpu(names.slice(1), args.includes('--small'))
} else if (betweenProcesses) {
  const { measureWire } = await import('./distributed/measure.ts')
  await measureWire(names.slice(1), args.includes('--small'))
} else if (inSimulation) {
  const { measureScaling } = await import('./scaling/measure.ts')
  await measureScaling(names.slice(1), args.includes('--small'))
} else if (searching) {
  const { measureSearch } = await import('./search/measure.ts')
  await measureSearch(names.slice(1), args.includes('--small'))
} else if (ofAgents) {
  const { measureAgents } = await import('./agents/measure.ts')
  await measureAgents(names.slice(1), args.includes('--small'))
} else if (args.includes('--short')) {
  const { checkCounts } = await import('./accepted.ts')
  const faults = await checkCounts(args.includes('--accept'))
  for (const line of faults) console.error(line)
  if (faults.length > 0) {
    console.error('If more is meant, accept it: npm run bench -- --short --accept')
    process.exitCode = 1
  }
} else {
  const { measure } = await import('./measure.ts')
  await measure(names)
}
