// Builds the page, serves it and says where; `--short` has a Chromium without a window visit it, train a little, and ends.
import { expectThat, interruption, readArguments } from '@shoal/example-parts'
import { build, siteFolder } from './build.ts'
import { serve } from './serve.ts'
import { startChromium, Visitor } from './visitor.ts'

const { short, host, port, device, threads, seed } = readArguments({
  device: 'webgpu',
  threads: 4,
  host: '127.0.0.1',
  port: 8080,
})
const settings = { device, threads: String(threads), seed: String(seed) }
await build()
await using site = await serve(siteFolder, short ? {} : { host, port }).catch(giveUp)
if (short) await visit()
else await serveUntilAsked()

function giveUp(error: unknown): never {
  console.error(`${error instanceof Error ? error.message : String(error)}; --port and --host say where else`)
  process.exit(2)
}

async function serveUntilAsked(): Promise<void> {
  console.log(`${site.url}?${new URLSearchParams(settings)} (Ctrl+C ends)`)
  const { promise, resolve } = Promise.withResolvers<void>()
  interruption().addEventListener('abort', () => resolve())
  await promise
}

async function visit(): Promise<void> {
  await using browser = await startChromium({ webgpu: false })
  if (!browser)
    return console.log('The page is built and served; there is no Chromium on the path to visit it.')
  await using visitor = await Visitor.of(browser)
  const few = { batch: '32', train: '1600', test: '250', epochs: '1', rate: '0.002' }
  await visitor.open(`${site.url}?${new URLSearchParams({ ...settings, ...few })}`)
  console.log(await visitor.read('device'))
  await visitor.press('Start')
  const state = await visitor.until('finished', 'failed')
  const accuracy = await visitor.read('accuracy')
  expectThat('the page trains to the end', state === 'finished', await visitor.read('step'))
  expectThat('test accuracy is at least 75 %', Number.parseFloat(accuracy) >= 75, accuracy)
  expectThat('the page has no errors', visitor.errors.length === 0, visitor.errors.join('; ') || 'none')
}
