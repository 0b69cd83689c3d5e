// A sheet of paper: a canvas that keeps what a finger, a pen or a mouse draws on it as strokes.
import type { Point, Stroke } from './digitImage.ts'

/** The width of the pen as a part of the sheet's. */
const penWidth = 0.07

/** A canvas to draw on. */
export class Drawing {
  readonly #canvas: HTMLCanvasElement
  readonly #changed: (strokes: readonly Stroke[]) => void
  #strokes: Point[][] = []
  #pointer: number | undefined

  /** @param changed is called with all strokes whenever one grows. */
  constructor(canvas: HTMLCanvasElement, changed: (strokes: readonly Stroke[]) => void) {
    this.#canvas = canvas
    this.#changed = changed
    canvas.addEventListener('pointerdown', (event) => this.#begin(event))
    canvas.addEventListener('pointermove', (event) => this.#draw(event))
    for (const end of ['pointerup', 'pointercancel'] as const)
      canvas.addEventListener(end, ({ pointerId }) => {
        if (pointerId === this.#pointer) this.#pointer = undefined
      })
    new ResizeObserver(() => this.#show()).observe(canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#show())
  }

  /** An empty sheet; nobody is told. */
  clear(): void {
    this.#strokes = []
    this.#pointer = undefined
    this.#show()
  }

  #begin(event: PointerEvent): void {
    // The main button, and one finger at a time.
    if (event.button !== 0 || this.#pointer !== undefined) return
    this.#pointer = event.pointerId
    this.#canvas.setPointerCapture(event.pointerId)
    this.#strokes.push([this.#place(event)])
    this.#grown()
  }

  #draw(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer) return
    const moves = event.getCoalescedEvents()
    this.#strokes.at(-1)?.push(...(moves.length > 0 ? moves : [event]).map((move) => this.#place(move)))
    this.#grown()
  }

  #grown(): void {
    this.#show()
    this.#changed(this.#strokes)
  }

  /** In parts of the sheet's width and height. */
  #place({ clientX, clientY }: MouseEvent): Point {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect()
    return { x: (clientX - left) / width, y: (clientY - top) / height }
  }

  #show(): void {
    const canvas = this.#canvas
    const size = Math.round(canvas.clientWidth * devicePixelRatio)
    canvas.width = canvas.height = size
    const context = canvas.getContext('2d')!
    context.strokeStyle = getComputedStyle(canvas).color
    context.lineWidth = penWidth * size
    context.lineCap = context.lineJoin = 'round'
    for (const [start, ...rest] of this.#strokes) {
      context.beginPath()
      context.moveTo(start!.x * size, start!.y * size)
      // A line to where it began makes a dot.
      for (const { x, y } of rest.length > 0 ? rest : [start!]) context.lineTo(x * size, y * size)
      context.stroke()
    }
  }
}
