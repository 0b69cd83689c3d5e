import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing/temporaryFolder.ts'
import { examineFolder } from './folder.ts'

const root = temporaryFolder()

/** A folder of that mode, with the file that has the key. */
function folderOf(name: string, mode: number, keyMode = 0o600): string {
  const path = join(root, name)
  const key = join(path, 'identity.json')
  mkdirSync(path)
  writeFileSync(key, '{}')
  chmodSync(key, keyMode)
  chmodSync(path, mode)
  return path
}

describe('the examination of the state folder', () => {
  it('finds nothing wrong with one that is closed to others, and leaves nothing in it', async () => {
    const path = folderOf('closed', 0o700)
    expect(await examineFolder(path)).toMatchObject([
      { verdict: 'good', what: expect.stringContaining(path) },
    ])
    expect(readdirSync(path)).toEqual(['identity.json'])
  })

  it('says that others could look into it, and what of that', async () => {
    const path = folderOf('open', 0o755, 0o640)
    expect(await examineFolder(path)).toMatchObject([
      {
        verdict: 'fault',
        what: expect.stringContaining('was open to other users of this machine (mode 755)'),
        remedy: expect.stringContaining(`chmod 700 ${path}`),
      },
      {
        verdict: 'fault',
        what: expect.stringContaining('private key, can be read by other users (mode 640)'),
        remedy: expect.stringContaining('shoal leave'),
      },
    ])
  })

  it('says where there is none, and where it is a file', async () => {
    expect(await examineFolder(join(root, 'none'))).toMatchObject([
      { verdict: 'unknown', remedy: expect.stringContaining('shoal up') },
    ])
    const file = join(root, 'file')
    writeFileSync(file, '')
    expect(await examineFolder(file)).toMatchObject([{ verdict: 'fault', what: `${file} is no folder` }])
  })
})

const disk = join(root, 'disk')
mkdirSync(disk, { mode: 0o700 })

/** Runs a command where the folder is a file system of its own, of so many KiB. */
function onDisk(kib: number, ...command: readonly string[]): string {
  const script = `mount -t tmpfs -o size=${kib}k,mode=700 tmpfs "$0" && exec "$@"`
  const args = ['--map-root-user', '--mount', 'sh', '-c', script, disk, ...command]
  return execFileSync('unshare', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' })
}

/** What is found there when so many KiB are taken. */
function foundOnDisk(kib: number, taken: number): unknown {
  const program = `
    import { writeFileSync } from 'node:fs'
    import { examineFolder } from ${JSON.stringify(new URL('./folder.ts', import.meta.url).href)}
    writeFileSync(${JSON.stringify(join(disk, 'filler'))}, new Uint8Array(${taken * 1024}))
    console.log(JSON.stringify(await examineFolder(${JSON.stringify(disk)})))`
  const node = [process.execPath, '--conditions=@shoal/source', '--input-type=module', '--eval', program]
  return JSON.parse(onDisk(kib, ...node))
}

function whyNoMounts(): string | undefined {
  try {
    onDisk(16, 'true')
    return undefined
  } catch (thrown) {
    return `nothing can be mounted: ${(thrown as Error).message.trim()}`
  }
}

const missing = whyNoMounts()

describe.skipIf(missing)(`the disk of the state folder${missing ? ` (${missing})` : ''}`, () => {
  it('is full where nothing can be written', () => {
    expect(foundOnDisk(256, 240)).toMatchObject([
      {
        verdict: 'fault',
        what: expect.stringContaining('is full'),
        remedy: expect.stringContaining('make room'),
      },
    ])
  })

  it('is too small where jobs are not taken any more', () => {
    expect(foundOnDisk(1024, 0)).toMatchObject([
      { verdict: 'fault', what: expect.stringContaining('are not taken below 512 MiB') },
    ])
  })
})
