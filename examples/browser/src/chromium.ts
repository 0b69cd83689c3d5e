// A Chromium without a window that visits the page, for whoever tests it or takes pictures of it.
import { findChromium } from '@shoal/platforms/chromium'
import { type Browser, chromium } from 'playwright-core'

/** Starts this machine's Chromium; undefined where there is none. @param options.webgpu gives it a GPU, if need be one made of software. */
export async function startChromium({ webgpu }: { readonly webgpu: boolean }): Promise<Browser | undefined> {
  const executablePath = findChromium()
  if (executablePath === undefined) return undefined
  return chromium.launch({ executablePath, args: webgpu ? ['--enable-unsafe-webgpu'] : [] })
}
