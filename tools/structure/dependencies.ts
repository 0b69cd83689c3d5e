// Which package may know which: the table of the architecture, held against manifests and imports.
import { files, has, type Manifest, type Package, packages, text } from '../workspace.ts'
import { readModule } from './modules.ts'

/**
 * The packages that the sources of a package may import. A package that is missing here may import none;
 * tests may also import what the package lists under `devDependencies`.
 */
export const mayDependOn: Readonly<Record<string, readonly string[] | 'all'>> = {
  core: [],
  'kernels-cpu': ['core'],
  // Kernels for the cpu device: they need its interface, and its assembler.
  'kernels-blas': ['core', 'kernels-cpu'],
  'kernels-webgpu': ['core'],
  conformance: ['core'],
  data: ['core'],
  quantize: ['core'],
  train: ['core', 'data'],
  tune: ['core'],
  distributed: ['core', 'data', 'train'],
  cli: 'all',
  'edge-agent': 'all',
}

const isTest = (file: string) => file.endsWith('.test.ts')

/** The package that a specifier names: `@shoal/core/x` is `@shoal/core`. */
function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

function allowed(of: Package, members: readonly Package[]): ReadonlySet<string> {
  const programs = ['examples/', 'bench', 'docs'].some((start) => of.folder.startsWith(start))
  const table = programs ? 'all' : (mayDependOn[of.short] ?? [])
  const short = (member: Package) => table === 'all' || table.includes(member.short)
  return new Set(members.filter(short).map(({ manifest }) => manifest.name))
}

/** What breaks the dependency table, in manifests or in sources. */
export function dependencyFaults(root?: string): readonly string[] {
  const members = packages(root)
  const names = new Set(members.map(({ manifest }) => manifest.name))
  return members.flatMap((member) => {
    const { folder, manifest } = member
    const permitted = allowed(member, members)
    const faults: string[] = []
    const runtime = { ...manifest.dependencies, ...manifest.peerDependencies }
    for (const name of Object.keys(runtime)) {
      if (names.has(name) && !permitted.has(name))
        faults.push(`${folder}/package.json may not depend on ${name}`)
    }
    for (const file of files(`${folder}/src/**/*.{ts,tsx,mjs}`, root)) {
      const declared = isTest(file) ? { ...runtime, ...manifest.devDependencies } : runtime
      for (const specifier of readModule(file, text(file, root)).imports) {
        const name = packageOf(specifier)
        if (!names.has(name) || name === manifest.name) continue
        if (!isTest(file) && !permitted.has(name)) faults.push(`${file} may not import ${name}`)
        else if (!(name in declared))
          faults.push(`${file} imports ${name}, which ${folder}/package.json does not list`)
      }
    }
    return faults
  })
}

/** Imports by which a source leaves its package other than through a package name. */
export function escapingImports(root?: string): readonly string[] {
  return packages(root).flatMap(({ folder }) =>
    files(`${folder}/src/**/*.{ts,tsx,mjs}`, root).flatMap((file) => {
      const leaves = (specifier: string) => {
        if (!specifier.startsWith('.')) return false
        return !new URL(specifier, `file:///${file}`).pathname.startsWith(`/${folder}/`)
      }
      const { imports } = readModule(file, text(file, root))
      return imports.filter(leaves).map((specifier) => `${file} leaves its package by importing ${specifier}`)
    }),
  )
}

/**
 * What core's sources import from outside core: there may be nothing. That they use no platform API by a global
 * name either is seen by the compiler, whose settings for core know no platform types.
 */
export function platformImports(root?: string): readonly string[] {
  return files('packages/core/src/**/*.ts', root)
    .filter((file) => !isTest(file))
    .flatMap((file) => {
      const { imports } = readModule(file, text(file, root))
      const outside = imports.filter((specifier) => !specifier.startsWith('.'))
      return outside.map((specifier) => `${file} imports ${specifier}: core stands on nothing`)
    })
}

/** The packages that a program of the playground cannot import: it may import all. */
export function outsideThePlayground(root?: string): readonly string[] {
  const { dependencies = {} } = JSON.parse(text('playground/package.json', root)) as Manifest
  return packages(root)
    .filter(({ folder, manifest }) => folder.startsWith('packages/') && !(manifest.name in dependencies))
    .map(({ manifest }) => `playground/package.json does not list ${manifest.name}`)
}

/** The packages with a device whose tests never call `deviceSuite`. */
export function unprovenDevices(root?: string): readonly string[] {
  return packages(root)
    .filter(({ short }) => short.startsWith('kernels-') || short === 'conformance')
    .filter(({ folder }) => has(`${folder}/src/index.ts`, root))
    .filter(({ folder }) => {
      const tests = files(`${folder}/src/**/*.test.ts`, root)
      return !tests.some((file) => /\bdeviceSuite\(/.test(text(file, root)))
    })
    .map(({ folder }) => `${folder} has no test that calls deviceSuite(…)`)
}

/** The files with a class that is a Transport, whose tests never call `transportSuite`. */
export function unprovenTransports(root?: string): readonly string[] {
  return files('packages/*/src/**/*.ts', root)
    .filter((file) => !file.endsWith('.test.ts') && /\bimplements Transport\b/.test(text(file, root)))
    .filter((file) => {
      const test = file.replace(/\.ts$/, '.test.ts')
      return !has(test, root) || !/\btransportSuite\(/.test(text(test, root))
    })
    .map((file) => `${file} has no test beside it that calls transportSuite(…)`)
}
