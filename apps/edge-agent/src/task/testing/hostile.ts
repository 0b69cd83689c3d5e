// A program that tries to get out of its process by every way that is known to us, and writes down what each was answered with.
import * as childProcess from 'node:child_process'
import cluster from 'node:cluster'
import crypto from 'node:crypto'
import { createSocket } from 'node:dgram'
import dns from 'node:dns'
import fs from 'node:fs'
import http2 from 'node:http2'
import inspector from 'node:inspector'
import module from 'node:module'
import net from 'node:net'
import os from 'node:os'
import { env } from 'node:process'
import tls from 'node:tls'
import v8 from 'node:v8'
import { WASI } from 'node:wasi'
import { Worker } from 'node:worker_threads'
import type { TaskPort } from '../taskPort.ts'

/** Where a test waits for what gets out. */
export interface Targets {
  /** A file outside that is there, and a folder outside that can be written. */
  readonly file: string
  readonly folder: string
  readonly tcpPort: number
  readonly udpPort: number
  readonly unixPath: string
  /** The program's own folder. */
  readonly own: string
  /** The module that opens GPUs, and the blob of an addon that this machine can load. */
  readonly gpuModule: string
  readonly addon: string
}

const emitted = (emitter: NodeJS.EventEmitter, event: string): Promise<unknown> =>
  new Promise((resolve, reject) => emitter.once('error', reject).once(event, resolve))
const called = (call: (done: (error: unknown) => void) => void): Promise<unknown> =>
  new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve('answered'))))
const inner = process as unknown as Record<string, (...args: unknown[]) => unknown>
const require = module.createRequire(import.meta.url)
const inModule = module as unknown as { _extensions: Record<string, (into: object, file: string) => void> }
const exported = (): object => Object.assign(new module.Module('x'), { exports: {} })
const refused = (): never => {
  throw Object.assign(new Error('there is nothing'), { code: 'ERR_ACCESS_DENIED' })
}

const attempts = ({ file, folder, tcpPort, udpPort, unixPath, own, gpuModule }: Targets) =>
  ({
    'read a file': () => fs.readFileSync(file),
    'read by bytes': () => fs.readFileSync(Buffer.from(`${own}/../../..${file}`)),
    'read upwards': () => fs.readFileSync(`${own}/work/../../../../../../../..${file}`),
    'read the environment of others': () => fs.readFileSync(`/proc/${process.ppid}/environ`),
    'read as a blob': async () => (await fs.openAsBlob(file)).text(),
    'read as a module': () => import(file),
    'read by require': () => require(file),
    'read settings': () => process.loadEnvFile(file),
    'list a folder': () => fs.readdirSync(folder),
    'list the home folder': () => fs.readdirSync(os.homedir().startsWith(own) ? '/root' : os.homedir()),
    'watch a folder': () => fs.watch(folder),
    'copy a file': () => fs.cpSync(file, `${own}/work/copy`),
    'link a file': () => fs.linkSync(file, `${own}/work/link`),
    'link a folder': () => fs.symlinkSync(folder, `${own}/work/link`),
    'write a file': () => fs.writeFileSync(`${folder}/written`, 'x'),
    'write beside its own': () => fs.writeFileSync(`${own}-2`, 'x'),
    'write its program': () => fs.writeFileSync(`${own}/program.mjs`, 'x'),
    'write what confines it': () => fs.writeFileSync(`${own}/confine.mjs`, 'x'),
    'write its record': () => fs.writeFileSync(`${own}/process.json`, '{}'),
    'change rights': () => fs.chmodSync(file, 0o777),
    'write a snapshot': () => v8.writeHeapSnapshot(`${folder}/snapshot`),
    'write a report': () => process.report.writeReport(`${folder}/report`),
    spawn: () => childProcess.spawn('true'),
    fork: () => childProcess.fork(`${own}/program.mjs`),
    'run a command': () => childProcess.execSync('true'),
    'fork as a cluster': () => cluster.fork(),
    'become another program': () => inner['execve']!('/bin/true', ['true'], {}),
    'start a thread': () => new Worker('0', { eval: true }),
    'hook modules in a thread': () => module.register('data:text/javascript,'),
    'connect by TCP': () => emitted(net.connect(tcpPort, '127.0.0.1'), 'connect'),
    'connect by a Unix socket': () => emitted(net.connect(unixPath), 'connect'),
    'connect by HTTP/2': () => emitted(http2.connect(`http://127.0.0.1:${tcpPort}`), 'connect'),
    fetch: () => fetch(`http://127.0.0.1:${tcpPort}`),
    'send by UDP': () =>
      called((done) => createSocket('udp4').on('error', done).send('x', udpPort, '127.0.0.1', done)),
    'look up a name': () => dns.promises.lookup('localhost'),
    'ask a name server': () => called((done) => new dns.Resolver().resolve4('localhost', done)),
    listen: () => emitted(net.createServer().listen(0), 'listening'),
    'listen at a raw handle': () => {
      const { constructor } = (process.stdout as unknown as { _handle: object })._handle
      const handle = Reflect.construct(constructor, [1]) as { bind(path: string): unknown }
      return handle.bind(`${own}/work/socket`)
    },
    'load native code': () => process.dlopen({ exports: {} }, `${own}/work/addon.node`),
    'load it by require': () => require(`${own}/work/addon.node`),
    'load it as a module': () => import(`${own}/work/addon.node`),
    'load it as modules do': () => inModule._extensions['.node']!(exported(), `${own}/work/addon.node`),
    'load it under another name': () => process.dlopen({ exports: {} }, `${own}/work/libcrypto.so.3`),
    'load it as linked in': () => inner['_linkedBinding']!('addon'),
    'load it as an engine': () => crypto.setEngine(`${own}/work/addon.node`),
    'load it for a certificate': () =>
      tls.createSecureContext({ clientCertEngine: `${own}/work/addon.node` }),
    'load it for a key': () =>
      tls.createSecureContext({ privateKeyEngine: `${own}/work/addon.node`, privateKeyIdentifier: 'x' }),
    'name it as a driver': () => process.loadEnvFile(`${own}/work/settings`),
    'have the right again': () => {
      if (!process.permission.has('addon')) refused()
    },
    'load the addon of the GPU': () => process.dlopen({ exports: {} }, gpuModule),
    'open another GPU': async () => ((await import(gpuModule)) as { create(how: []): unknown }).create([]),
    'open another GPU by what is loaded': () => {
      const { create } = Object.values(require.cache).find((each) => each?.exports.create)?.exports ?? {}
      return create ? create([]) : refused()
    },
    'get at the inside': () => inner['binding']!('process_wrap'),
    'call foreign functions': () => require('node:ffi'),
    'open SQLite': () => require('node:sqlite'),
    'open SQLite by the back door': () => {
      const found: unknown = process.getBuiltinModule('node:sqlite')
      if (!found) throw Object.assign(new Error('not there'), { code: 'ERR_UNKNOWN_BUILTIN_MODULE' })
    },
    'use WASI': () => new WASI({ version: 'preview1', preopens: { '/': '/' } }),
    'open the inspector': () => inspector.open(0),
    'inspect itself': () => new inspector.Session().connect(),
    'change flags of V8': () => v8.setFlagsFromString('--no-wasm-bounds-checks'),
    'kill its agent': () => process.kill(process.ppid, 'SIGKILL'),
    'kill its agent from the inside': () => inner['_kill']!(process.ppid, 9),
    'debug its agent': () => inner['_debugProcess']!(process.ppid),
    'slow its agent': () => os.setPriority(process.ppid, 19),
    'become another user': () => inner['setuid']!(0),
    'talk to its agent': () => inner['send']!('hello'),
  }) satisfies Record<string, () => unknown>

/** Writes native code where it may write, and has it looked for as a driver. */
async function plantDriver(addon: Uint8Array): Promise<void> {
  for (const name of ['addon.node', 'libcrypto.so.3', 'libvulkan.so.1']) fs.writeFileSync(name, addon)
  const path = `${process.cwd()}/driver.json`
  const ICD = { library_path: `${process.cwd()}/addon.node`, api_version: '1.3.0' }
  fs.writeFileSync(path, JSON.stringify({ file_format_version: '1.0.1', ICD }))
  fs.writeFileSync('settings', `VK_DRIVER_FILES=${path}\nVK_ICD_FILENAMES=${path}`)
  for (const folder of ['.config', '.local/share']) {
    fs.mkdirSync(`${folder}/vulkan/icd.d`, { recursive: true })
    fs.copyFileSync(path, `${folder}/vulkan/icd.d/driver.json`)
  }
  const told = { VK_DRIVER_FILES: path, VK_ICD_FILENAMES: path, LD_LIBRARY_PATH: process.cwd() }
  for (const environment of [process.env, env]) Object.assign(environment, told)
}

export default async function hostile({ assignment, services, stopped }: TaskPort): Promise<void> {
  const targets = assignment.settings as unknown as Targets
  const environment = Object.keys(process.env)
  await plantDriver(await services.getBlob(targets.addon, { signal: stopped }))
  const answers: Record<string, string> = {}
  for (const [name, attempt] of Object.entries(attempts(targets)))
    try {
      await attempt()
      answers[name] = 'done'
    } catch (thrown) {
      const { code, cause } = thrown as { code?: string; cause?: { code?: string } }
      answers[name] = code ?? cause?.code ?? String(thrown)
    }
  /** Files and sockets that it has without having opened them. */
  const inherited = Array.from({ length: 60 }, (_, at) => at + 5).filter((fd) => {
    try {
      const found = fs.fstatSync(fd)
      return found.isSocket() || found.isFile()
    } catch {
      return false
    }
  })
  // Drivers are looked for when a GPU is asked for.
  const gpu = await Promise.all(
    [{}, { forceFallbackAdapter: true }].map((how) => navigator.gpu?.requestAdapter(how)),
  )
  const value = {
    pid: process.pid,
    answers,
    inherited,
    environment,
    hasGpu: gpu[0] !== undefined && gpu[0] !== null,
  }
  await services.writeDocument({ key: 'answers', ifVersion: 0, value }, { signal: stopped })
}
