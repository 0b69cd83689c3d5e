// A program that tries to get out of its process by every way that is known to us, and writes down what each was answered with.
import * as childProcess from 'node:child_process'
import cluster from 'node:cluster'
import { createSocket } from 'node:dgram'
import dns from 'node:dns'
import fs from 'node:fs'
import http2 from 'node:http2'
import inspector from 'node:inspector'
import module from 'node:module'
import net from 'node:net'
import os from 'node:os'
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
}

const emitted = (emitter: NodeJS.EventEmitter, event: string): Promise<unknown> =>
  new Promise((resolve, reject) => emitter.once('error', reject).once(event, resolve))
const called = (call: (done: (error: unknown) => void) => void): Promise<unknown> =>
  new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve('answered'))))
const inner = process as unknown as Record<string, (...args: unknown[]) => unknown>
const require = module.createRequire(import.meta.url)

const attempts = ({ file, folder, tcpPort, udpPort, unixPath, own }: Targets) =>
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
    'load native code': () => process.dlopen({ exports: {} }, `${own}/work/x.node`),
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

export default async function hostile({ assignment, services, stopped }: TaskPort): Promise<void> {
  const answers: Record<string, string> = {}
  for (const [name, attempt] of Object.entries(attempts(assignment.settings as unknown as Targets)))
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
  const environment = Object.keys(process.env)
  const value = { answers, inherited, environment }
  await services.writeDocument({ key: 'answers', ifVersion: 0, value }, { signal: stopped })
}
