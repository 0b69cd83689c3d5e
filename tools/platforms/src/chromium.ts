// Where this machine's Chromium is: the system has it or not, no package brings one.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Names under which Chromium and its kin are started, what has no windows first. */
const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']

/** The first Chromium on the path, or undefined. */
export function findChromium(path: string = process.env.PATH ?? ''): string | undefined {
  return names
    .flatMap((name) => path.split(delimiter).map((folder) => join(folder, name)))
    .find((file) => existsSync(file))
}
