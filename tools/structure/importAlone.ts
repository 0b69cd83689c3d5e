// Imports each file given as an argument into a world of its own, and prints as JSON which of them fail and why.
//
// Op files import each other in cycles, which is harmless only while nobody uses an import during evaluation. Which
// file breaks depends on which is loaded first, so each must be first once. A tag in the URL, handed down to all
// that a file imports, gives every file fresh copies of its imports within one process.
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    const tag = context.parentURL === undefined ? null : new URL(context.parentURL).searchParams.get('alone')
    if (tag === null || !found.url.startsWith('file:')) return found
    const url = new URL(found.url)
    url.searchParams.set('alone', tag)
    return { ...found, url: url.href }
  },
})

const faults: string[] = []
for (const [index, file] of process.argv.slice(2).entries()) {
  try {
    await import(`${pathToFileURL(resolve(file)).href}?alone=${index}`)
  } catch (error) {
    faults.push(`${file} cannot be imported alone: ${String(error)}`)
  }
}
console.log(JSON.stringify(faults))
