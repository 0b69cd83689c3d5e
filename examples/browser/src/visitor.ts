// A visitor of the page in a Chromium without a window: presses, draws and reads as people do, for tests and for pictures.
import { findChromium } from '@shoal/platforms/chromium'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Point } from './digitImage.ts'

/** Starts this machine's Chromium; undefined where there is none. @param options.webgpu gives it a GPU, if need be one made of software. */
export async function startChromium({ webgpu }: { readonly webgpu: boolean }): Promise<Browser | undefined> {
  const executablePath = findChromium()
  if (executablePath === undefined) return undefined
  return chromium.launch({ executablePath, args: webgpu ? ['--enable-unsafe-webgpu'] : [] })
}

/** The page as it looks while it does one thing. */
export type PageState = 'opening' | 'resting' | 'training' | 'pausing' | 'finished' | 'failed'

/** One visit. */
export class Visitor implements AsyncDisposable {
  readonly page: Page
  /** What went wrong in the page: errors of its console, and errors that nobody caught. */
  readonly errors: string[] = []

  private constructor(page: Page) {
    this.page = page
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text())
    })
    page.on('pageerror', ({ message }) => this.errors.push(message))
  }

  /** Someone with an empty tab, in a window as stated. */
  static async of(browser: Browser, window: BrowserContextOptions = {}): Promise<Visitor> {
    const page = await (await browser.newContext(window)).newPage()
    page.setDefaultTimeout(120_000)
    return new Visitor(page)
  }

  /** Goes to an address and waits until the page is ready for something. */
  async open(url: string): Promise<void> {
    await this.page.goto(url)
    await this.until('resting', 'failed')
  }

  /** Waits for one of these states, and answers which one it is. */
  async until(...states: readonly PageState[]): Promise<PageState> {
    const selector = states.map((state) => `body[data-state="${state}"]`).join(', ')
    return (await this.page.locator(selector).getAttribute('data-state')) as PageState
  }

  /** Waits until a number of steps is done. */
  async untilStep(step: number): Promise<void> {
    const reached = (least: number) =>
      Number.parseInt(document.querySelector('#step')?.textContent ?? '') >= least
    await this.page.waitForFunction(reached, step)
  }

  /** Clicks the button of this name, once it can be pressed. */
  press(name: string): Promise<void> {
    return this.page.getByRole('button', { name, exact: true }).click()
  }

  /** The text of an element. */
  read(id: string): Promise<string> {
    return this.page.locator(`#${id}`).innerText()
  }

  /** Draws one stroke with the mouse. @param points in parts of the paper's width and height. */
  async draw(points: readonly Point[]): Promise<void> {
    const paper = this.page.locator('#paper')
    await paper.scrollIntoViewIfNeeded()
    const { x, y, width, height } = (await paper.boundingBox())!
    const { mouse } = this.page
    for (const [i, point] of points.entries()) {
      await mouse.move(x + point.x * width, y + point.y * height, { steps: i === 0 ? 1 : 5 })
      if (i === 0) await mouse.down()
    }
    await mouse.up()
  }

  /** What the network takes the picture for, once it has said so. @param words what to wait for. */
  answer(words = 'looks like'): Promise<string> {
    return this.page.locator('#answer', { hasText: words }).innerText()
  }

  /** Ends the visit. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close()
  }
}
