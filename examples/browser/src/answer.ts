// What the network takes a picture for: the picture as it sees it, a bar for each digit, and the likeliest in words.
import { imageSize } from './digitImage.ts'
import { percent } from './percent.ts'

const digits = Array.from({ length: 10 }, (_, digit) => digit)

/** The part of the page that shows answers. */
export class Answer {
  readonly #picture: HTMLCanvasElement
  readonly #words: HTMLElement
  readonly #bars: readonly { readonly row: HTMLElement; readonly value: HTMLElement }[]

  /**
   * @param picture shows the pixels.
   * @param words is told to those who cannot see it.
   * @param list gets a row for each digit.
   */
  constructor(picture: HTMLCanvasElement, words: HTMLElement, list: HTMLElement) {
    this.#picture = picture
    this.#words = words
    this.#bars = digits.map((digit) => {
      const [row, name, bar, value] = (['li', 'b', 'i', 'span'] as const).map((tag) =>
        document.createElement(tag),
      ) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement]
      name.textContent = `${digit}`
      row.append(name, bar, value)
      list.append(row)
      return { row, value }
    })
    this.clear()
  }

  /** Nothing to say. */
  clear(): void {
    this.showPicture(new Uint8Array(imageSize ** 2))
    this.#show(digits.map(() => 0))
    this.#say('Draw a digit, or take one of the test.')
  }

  /** Grey values [28, 28]. */
  showPicture(pixels: Uint8Array): void {
    const picture = this.#picture
    picture.width = picture.height = imageSize
    const rgba = Uint8ClampedArray.from({ length: 4 * pixels.length }, (_, i) =>
      i % 4 === 3 ? 255 : pixels[i >> 2]!,
    )
    picture.getContext('2d')!.putImageData(new ImageData(rgba, imageSize), 0, 0)
  }

  /** How likely each digit is. @param label what it is, where that is known. */
  showProbabilities(probabilities: readonly number[], label: number | undefined): void {
    const best = this.#show(probabilities)
    const truth = label === undefined ? '' : label === best ? ', and it is one' : `, and it is a ${label}`
    this.#say(`It looks like a ${best}${truth}.`)
  }

  /** Whoever has the page read aloud hears only what is new. */
  #say(words: string): void {
    if (this.#words.textContent !== words) this.#words.textContent = words
  }

  #show(probabilities: readonly number[]): number {
    const best = probabilities.indexOf(Math.max(...probabilities))
    this.#bars.forEach(({ row, value }, digit) => {
      const part = probabilities[digit]!
      row.style.setProperty('--part', String(part))
      row.toggleAttribute('data-best', digit === best && part > 0)
      value.textContent = percent(part)
    })
    return best
  }
}
