// Names of errors that last: a class says its own, since bundlers shorten the names of classes.
import { files, text } from '../workspace.ts'

/** The error classes of packages whose first member is not their name. */
export function namelessErrors(root?: string): readonly string[] {
  return files('packages/*/src/**/*.ts', root).flatMap((file) =>
    [...text(file, root).matchAll(/^(?:export )?class (\w+) extends \w*Error \{\s*([^\n]*)/gm)]
      .filter(
        ([, name, first]) => !new RegExp(`^override readonly name(: string)? = '${name}'$`).test(first!),
      )
      .map(([, name]) => `${file}: ${name} begins with: override readonly name: string = '${name}'`),
  )
}
