// The door to everything else: installs what the lockfile says, once, then runs a program on the pinned Node.
// It runs on the machine's own Node (20 or later), so it is plain JavaScript without dependencies.
//
//   node tools/setup.mjs [program.ts [arguments…]]
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'node_modules', '.bin')
const stamp = join(root, 'node_modules', '.setup')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const windows = process.platform === 'win32'

/** What the installation depends on, as one hash: the lockfile, the workspace and every manifest. */
function fingerprint() {
  const files = [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'package.json',
    'bench/package.json',
    'docs/package.json',
    'playground/package.json',
    'tools/faults/package.json',
    'tools/platforms/package.json',
  ]
  for (const folder of ['packages', 'apps', 'examples']) {
    const at = join(root, folder)
    if (!existsSync(at)) continue
    for (const name of readdirSync(at).sort()) files.push(join(folder, name, 'package.json'))
  }
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const file of files) {
    const path = join(root, file)
    if (existsSync(path)) hash.update(`\0${file}\0`).update(readFileSync(path))
  }
  return hash.digest('hex')
}

function install() {
  const wanted = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const pnpm = manifest.packageManager
  console.log(`Installing with ${pnpm} …`)
  const { status, error } = spawnSync('npx', ['-y', pnpm, 'install', '--frozen-lockfile'], {
    cwd: root,
    // Never a prompt: standard input is empty, and pnpm is told that nobody watches.
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CI: 'true' },
    shell: windows,
  })
  if (error || status !== 0) {
    console.error(
      `The installation failed${error ? `: ${error.message}` : ''}. Are npm and the network there?`,
    )
    process.exit(status || 1)
  }
  writeFileSync(stamp, wanted)
}

/** The pinned Node where it is published for this machine, otherwise the machine's own if it is new enough. */
function modernNode() {
  const pinned = join(bin, 'node')
  if (existsSync(pinned)) return pinned
  // Sources run as they are, and `await using` is in them: what is published has been compiled for Node 22.
  if (Number.parseInt(process.versions.node) >= 24) return process.execPath
  console.error(`No Node is pinned for ${process.platform} ${process.arch}: please use Node 24 or later.`)
  return process.exit(1)
}

install()
const program = process.argv.slice(2)
if (program.length > 0) {
  const child = spawn(modernNode(), ['--conditions=@shoal/source', ...program], {
    stdio: 'inherit',
    env: { ...process.env, PATH: bin + delimiter + process.env.PATH },
  })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // A terminal tells all of its foreground, the child among them: told again it would take that for a second one.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  child.on('error', (error) => {
    console.error(error.message)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}
