// The repository held to its rules, and each rule shown to see what it is there to see.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  dependencyFaults,
  escapingImports,
  outsideThePlayground,
  platformImports,
  unprovenDevices,
  unprovenTransports,
} from './structure/dependencies.ts'
import { undocumentedNames } from './structure/docstrings.ts'
import { namelessErrors } from './structure/errors.ts'
import { failingAlone, opsWithoutCase } from './structure/ops.ts'
import { longFiles, namelessFiles } from './structure/sizes.ts'
import { rules } from './structure.ts'

describe('the repository', () => {
  for (const { name, faults } of rules) {
    it(name, { timeout: 120_000 }, async () => expect(await faults()).toEqual([]))
  }
})

describe('the rules', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'shoal-structure-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  function write(tree: Readonly<Record<string, string>>): void {
    for (const [file, content] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), content)
    }
  }
  const manifest = (name: string, rest: object = {}) => JSON.stringify({ name: `@shoal/${name}`, ...rest })

  it('see a dependency against the table, in a manifest and in a source', () => {
    write({
      'packages/core/package.json': manifest('core'),
      'packages/core/src/a.ts': `export const data = import('@shoal/data')`,
      'packages/data/package.json': manifest('data', { dependencies: { '@shoal/train': 'workspace:*' } }),
      'packages/data/src/a.ts': `export { x } from '@shoal/core'`,
      'packages/train/package.json': manifest('train'),
    })
    expect(dependencyFaults(root)).toEqual([
      'packages/core/src/a.ts may not import @shoal/data',
      'packages/data/package.json may not depend on @shoal/train',
      'packages/data/src/a.ts imports @shoal/core, which packages/data/package.json does not list',
    ])
  })

  it('let tests import what is listed for development', () => {
    write({
      'packages/conformance/package.json': manifest('conformance'),
      'packages/kernels-cpu/package.json': manifest('kernels-cpu', {
        devDependencies: { '@shoal/conformance': 'workspace:*' },
      }),
      'packages/kernels-cpu/src/a.test.ts': `import '@shoal/conformance'`,
      'packages/kernels-cpu/src/a.ts': `import '@shoal/conformance'`,
    })
    expect(dependencyFaults(root)).toEqual([
      'packages/kernels-cpu/src/a.ts may not import @shoal/conformance',
    ])
  })

  it('see a path that leaves its package', () => {
    write({
      'packages/data/package.json': manifest('data'),
      'packages/data/src/deep/a.ts': `import '../b.ts'\nimport '../../../core/src/x.ts'`,
    })
    expect(escapingImports(root)).toEqual([
      'packages/data/src/deep/a.ts leaves its package by importing ../../../core/src/x.ts',
    ])
  })

  it('see a package that the playground does not list', () => {
    write({
      'packages/core/package.json': manifest('core'),
      'packages/data/package.json': manifest('data'),
      'playground/package.json': manifest('playground', { dependencies: { '@shoal/core': 'workspace:*' } }),
    })
    expect(outsideThePlayground(root)).toEqual(['playground/package.json does not list @shoal/data'])
  })

  it('see a platform module in core, but not in its tests', () => {
    write({
      'packages/core/src/a.ts': `import type { Stats } from 'node:fs'\nimport './b.ts'`,
      'packages/core/src/a.test.ts': `import 'node:fs'`,
    })
    expect(platformImports(root)).toEqual(['packages/core/src/a.ts imports node:fs: core stands on nothing'])
  })

  it('see a device that runs no suite', () => {
    write({
      'packages/kernels-a/package.json': manifest('kernels-a'),
      'packages/kernels-a/src/index.ts': '',
      'packages/kernels-a/src/a.test.ts': 'deviceSuite(make)',
      'packages/kernels-b/package.json': manifest('kernels-b'),
      'packages/kernels-b/src/index.ts': '',
    })
    expect(unprovenDevices(root)).toEqual(['packages/kernels-b has no test that calls deviceSuite(…)'])
  })

  it('see a transport that runs no suite', () => {
    write({
      'packages/wire/src/a.ts': 'export class A implements Transport {}',
      'packages/wire/src/a.test.ts': "transportSuite('a', makePair)",
      'packages/wire/src/b.ts': 'export class B implements Transport {}',
    })
    expect(unprovenTransports(root)).toEqual([
      'packages/wire/src/b.ts has no test beside it that calls transportSuite(…)',
    ])
  })

  it('see an op without a case', () => {
    const ops = [{ def: { name: 'Add' } }, { def: { name: 'Sub' } }]
    expect(opsWithoutCase(ops, new Set(['Add']))).toEqual(['op Sub has no conformance case'])
  })

  it('see a file that works only after another one', async () => {
    write({
      'a.ts': `import { b } from './b.ts'\nexport const a = b + 1`,
      'b.ts': `import { a } from './a.ts'\nexport const b = 1\nexport const later = () => a`,
    })
    const [a, b] = [join(root, 'a.ts'), join(root, 'b.ts')]
    const faults = await failingAlone([a, b])
    expect(faults).toEqual([expect.stringContaining(`${b} cannot be imported alone: ReferenceError`)])
  })

  it('see an error class that leaves its name to bundlers, or has that of another', () => {
    write({
      'packages/a/src/errors.ts': `
export class GoodError extends ShoalError {
  override readonly name: string = 'GoodError'
}
/** Twice. */
export class CopiedError extends GoodError {
  override readonly name: string = 'GoodError'
}
class LazyError extends Error {}
`,
    })
    expect(namelessErrors(root)).toEqual([
      "packages/a/src/errors.ts: CopiedError begins with: override readonly name: string = 'CopiedError'",
      "packages/a/src/errors.ts: LazyError begins with: override readonly name: string = 'LazyError'",
    ])
  })

  it('see a long file and one without a subject', () => {
    write({ 'packages/core/src/a.ts': 'x\n'.repeat(501), 'packages/core/src/utils.ts': 'x\n'.repeat(500) })
    expect(longFiles(root)).toEqual(['packages/core/src/a.ts has 501 lines, more than 500'])
    expect(namelessFiles(root)).toEqual(['packages/core/src/utils.ts: name it for its subject'])
  })

  it('see a public name without a docstring, through every way of passing it on', () => {
    const exports = {
      '.': { '@shoal/source': './src/index.ts' },
      './node': { '@shoal/source': './src/node.ts' },
    }
    write({
      'packages/core/package.json': manifest('core', { exports }),
      'packages/core/src/node.ts': 'export interface Disk {}',
      'packages/core/src/index.ts': `
        import { f } from './f.ts'
        export { f }
        export * from './star.ts'
        export { inner as outer, type T } from './named.ts'
        export * as space from './space.ts'
        export { readFile } from 'node:fs'
        /** Said. */
        export const said = 1
        /** Far away. */

        export const far = 1`,
      'packages/core/src/f.ts': '/** Overloaded. */\nexport function f(): void\nexport function f() {}',
      'packages/core/src/star.ts': 'export class Star {}\nconst hidden = 1',
      'packages/core/src/named.ts':
        '// No docstring.\nexport const inner = 1\n/** T. */\nexport type T = 1\nexport const un = 1',
      'packages/core/src/space.ts': 'export const { a, b: [c] } = x',
    })
    const faults = ['far', 'inner', 'Star', 'a', 'c', 'Disk'].map((name) =>
      expect.stringContaining(`: ${name} has no docstring`),
    )
    expect(undocumentedNames(root).toSorted()).toEqual(expect.arrayContaining(faults))
    expect(undocumentedNames(root)).toHaveLength(faults.length)
  })
})
