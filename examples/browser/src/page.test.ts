// The page itself, visited by a Chromium without a window: real clicks, real strokes, on the GPU that it has and without one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChromium } from '@shoal/platforms/chromium'
import type { Browser, BrowserContextOptions, JSHandle } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { build } from './build.ts'
import { type Served, serve } from './serve.ts'
import { startChromium, Visitor } from './visitor.ts'

/** Milliseconds for what takes seconds on a machine that does nothing else. */
const timeout = 120_000

const folder = mkdtempSync(join(tmpdir(), 'shoal-page-'))
let site: Served
beforeAll(async () => {
  await build(folder)
  site = await serve(folder)
}, timeout)
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const one = [
  { x: 0.5, y: 0.15 },
  { x: 0.5, y: 0.85 },
]

if (findChromium() === undefined) withoutChromium()
else withChromium()

function withoutChromium(): void {
  it('there is no Chromium on this machine: the page is built and served, but not visited', async () => {
    expect((await fetch(site.url)).status).toBe(200)
  })
}

function withChromium(): void {
  describe('without WebGPU', { timeout }, () => {
    withoutGpu()
  })
  describe('with WebGPU', { timeout }, () => {
    withGpu()
  })
}

/** A browser for the tests of a suite; answers how to come to the page with it. */
function visiting(webgpu: boolean): (window?: BrowserContextOptions) => Promise<Visitor> {
  let browser: Browser
  beforeAll(async () => {
    browser = (await startChromium({ webgpu }))!
  }, timeout)
  afterAll(() => browser.close())
  return (window) => Visitor.of(browser, window)
}

/** The texts that an element of the page shows from now on, as they come. */
const textsOf = (visitor: Visitor, id: string): Promise<JSHandle<readonly string[]>> =>
  visitor.page.evaluateHandle((watched) => {
    const texts: string[] = []
    const element = document.getElementById(watched)!
    new MutationObserver(() => texts.push(element.textContent)).observe(element, { childList: true })
    return texts
  }, id)

/** Trains for at least `count` steps, pauses, and answers the first losses that the page showed. */
async function trained(visitor: Visitor, count: number): Promise<readonly number[]> {
  const losses = await textsOf(visitor, 'loss')
  await visitor.press('Start')
  await visitor.untilStep(count)
  await visitor.press('Pause')
  await visitor.until('resting')
  return (await losses.jsonValue()).slice(0, count).map((loss) => Number.parseFloat(loss))
}

function withoutGpu(): void {
  const newVisitor = visiting(false)

  it('trains on the CPU, is paused, reads a digit that is drawn, and does the same again after a reset', async () => {
    await using visitor = await newVisitor()
    await visitor.open(`${site.url}?batch=32&test=250&epochs=1000&rate=0.002&testEvery=25`)
    expect(await visitor.read('device')).toMatch(/^Runs on the CPU with (one thread|\d threads): .*adapter/)
    expect(await visitor.read('device')).not.toContain('use another device')

    const texts = await textsOf(visitor, 'step')
    const losses = await trained(visitor, 5)
    expect((await texts.jsonValue())[0]).toMatch(/^0 of \d+, preparing kernels …$/)
    const step = await visitor.read('step')
    await visitor.draw(one)
    expect(await visitor.answer()).toMatch(/^It looks like a \d\.$/)
    expect(await visitor.read('step')).toBe(step)

    await visitor.press('Go on')
    await visitor.untilStep(101)
    await visitor.press('Pause')
    await visitor.until('resting')
    // As tested after 100 steps or more.
    expect(Number.parseFloat(await visitor.read('accuracy'))).toBeGreaterThan(80)
    await visitor.press('Clear')
    await visitor.draw(one)
    // It has answered to the beginning of the stroke before.
    expect(await visitor.answer('looks like a 1')).toBe('It looks like a 1.')
    const label = await visitor.page.locator('#curve').getAttribute('aria-label')
    expect(label).toContain(`the loss is ${await visitor.read('loss')} after`)
    expect(label).toContain('% of the test digits are told right')

    await visitor.press('Reset')
    await visitor.until('resting')
    expect(await visitor.read('step')).toMatch(/^0 of/)
    expect(await trained(visitor, 5)).toEqual(losses)
    expect(visitor.errors).toEqual([])
  })

  it('is used with the keyboard alone', async () => {
    await using visitor = await newVisitor()
    await visitor.open(`${site.url}?batch=8&train=80&test=20&epochs=1`)
    const { keyboard } = visitor.page
    const focused = () => visitor.page.evaluate(() => document.activeElement?.textContent)
    await keyboard.press('Tab')
    expect(await focused()).toBe('Start')
    await keyboard.press('Enter')
    await visitor.until('finished')
    while ((await focused()) !== 'Take a test digit') await keyboard.press('Tab')
    await keyboard.press('Enter')
    expect(await visitor.answer()).toMatch(/^It looks like a \d, and it is (one|a \d)\.$/)
    expect(visitor.errors).toEqual([])
  })

  it('fits a phone, and is dark where that is wanted', async () => {
    const look = async (colorScheme: 'light' | 'dark') => {
      await using visitor = await newVisitor({ viewport: { width: 320, height: 640 }, colorScheme })
      await visitor.open(site.url)
      return await visitor.page.evaluate(() => ({
        overflow: document.documentElement.scrollWidth - innerWidth,
        back: getComputedStyle(document.body).backgroundColor,
      }))
    }
    expect(await look('light')).toEqual({ overflow: 0, back: 'rgb(246, 248, 249)' })
    expect(await look('dark')).toEqual({ overflow: 0, back: 'rgb(16, 24, 28)' })
  })

  it('says what is wrong with its address, and can be started without it', async () => {
    await using visitor = await newVisitor()
    await visitor.open(`${site.url}?batch=0`)
    expect(await visitor.read('fault-message')).toContain(
      "?batch= is a whole number from 1 to 10000, not '0'",
    )
    await visitor.press('Start again on the CPU')
    await visitor.until('resting')
    expect(await visitor.read('device')).toContain('it was asked to')
    expect(visitor.errors).toEqual([])
  })

  it('says which data it cannot fetch', async () => {
    await using visitor = await newVisitor()
    await visitor.open(`${site.url}`)
    await visitor.page.route('**/*-labels-*', (route) => route.fulfill({ status: 503 }))
    await visitor.press('Reset')
    await visitor.until('failed')
    expect(await visitor.read('fault-message')).toMatch(/mnist-t10k-labels.*answered 503/)
  })
}

function withGpu(): void {
  const newVisitor = visiting(true)

  it('trains on the GPU, and starts again on the CPU when the GPU is lost', async () => {
    await using visitor = await newVisitor()
    // The worker's GPU is kept where the test finds it.
    await visitor.page.route('**/worker.js', async (route) => {
      const response = await route.fetch()
      const keep = `
        const request = GPUAdapter.prototype.requestDevice
        GPUAdapter.prototype.requestDevice = async function (...options) {
          return (globalThis.gpu = await request.apply(this, options))
        }`
      await route.fulfill({ response, body: `${keep}\n${await response.text()}` })
    })
    await visitor.open(`${site.url}?batch=8&epochs=1000&rate=0.002&testEvery=1000`)
    expect(await visitor.read('device')).toMatch(/^Runs on WebGPU: .*swiftshader/)
    const onGpu = await trained(visitor, 10)
    expect(onGpu.at(-1)).toBeLessThan(0.75 * onGpu[0]!)
    await visitor.draw(one)
    expect(await visitor.answer()).toMatch(/^It looks like a \d\.$/)

    await visitor.press('Go on')
    const [worker] = visitor.page.workers().filter((each) => each.url().endsWith('/worker.js'))
    const destroyed = worker!.evaluate(() => (globalThis as unknown as { gpu: GPUDevice }).gpu.destroy())
    await visitor.until('failed')
    // The page may end the worker before it has answered.
    await destroyed.catch(() => undefined)
    expect(await visitor.read('fault-message')).toMatch(/lost/)

    await visitor.press('Start again on the CPU')
    await visitor.until('resting')
    expect(await visitor.read('device')).toContain('it was asked to')
    const onCpu = await trained(visitor, 10)
    onCpu.forEach((loss, i) => expect(loss).toBeCloseTo(onGpu[i]!, 2))
    expect(visitor.errors).toEqual([])
  })
}
