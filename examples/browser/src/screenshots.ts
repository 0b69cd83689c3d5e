// Takes the pictures of the documentation: the page while it learns, on a wide screen by day and on a phone by night.
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { build } from './build.ts'
import type { Point } from './digitImage.ts'
import { serve } from './serve.ts'
import { startChromium, Visitor } from './visitor.ts'

const images = fileURLToPath(new URL('../../../docs/images/', import.meta.url))
const folder = join(tmpdir(), `shoal-screenshots-${process.pid}`)

/** Points on a part of an ellipse; angles in turns, clockwise from the right. */
function arc(centre: Point, radius: Point, from: number, to: number): readonly Point[] {
  return Array.from({ length: 13 }, (_, i) => {
    const angle = 2 * Math.PI * (from + ((to - from) * i) / 12)
    return { x: centre.x + radius.x * Math.cos(angle), y: centre.y + radius.y * Math.sin(angle) }
  })
}

/** A 3 in one stroke. */
const three: readonly Point[] = [
  ...arc({ x: 0.48, y: 0.32 }, { x: 0.2, y: 0.17 }, -0.42, 0.2),
  ...arc({ x: 0.48, y: 0.67 }, { x: 0.23, y: 0.18 }, -0.2, 0.42),
]

async function take(
  browser: Browser,
  url: string,
  name: string,
  steps: number,
  window: BrowserContextOptions,
): Promise<void> {
  await using visitor = await Visitor.of(browser, window)
  await visitor.open(url)
  await visitor.press('Start')
  await visitor.untilStep(steps)
  await visitor.draw(three)
  console.log(`${name}: ${await visitor.read('device')} ${await visitor.answer('a 3')}`)
  await visitor.page.evaluate(() => scrollTo(0, 0))
  await visitor.page.screenshot({ path: join(images, name), fullPage: true })
}

await mkdir(images, { recursive: true })
await build(folder)
try {
  await using site = await serve(folder)
  await using browser = await startChromium({ webgpu: true })
  if (!browser) throw new Error('there is no Chromium on the path to take pictures with')
  const wide = { viewport: { width: 1000, height: 640 }, colorScheme: 'light' } as const
  await take(browser, `${site.url}?batch=16&testEvery=20&test=100`, 'browser-webgpu.png', 120, wide)
  const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const
  await take(browser, `${site.url}?device=cpu&batch=32`, 'browser-phone.png', 220, phone)
} finally {
  await rm(folder, { recursive: true })
}
