// A folder of generated programs from which every package of the workspace can be imported by its name.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packages, root } from '../workspace.ts'

/** Makes an empty folder `name` under the root, with links to the packages; answers its path. */
export function linkedFolder(name: string): string {
  const folder = join(root, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const { folder: at, manifest } of packages()) {
    const link = join(folder, 'node_modules', manifest.name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, at), link, 'junction')
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return folder
}
