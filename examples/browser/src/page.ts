// The page: what people press and see. It computes nothing; a worker does, and can be thrown away at any moment.
import { Answer } from './answer.ts'
import { Curve } from './curve.ts'
import { digitImage, type Stroke } from './digitImage.ts'
import { Drawing } from './drawing.ts'
import type { Order, Report, StepReport, TestReport } from './messages.ts'
import { percent } from './percent.ts'
import { readSettings, type Settings } from './settings.ts'

/** What the worker is doing; the body of the page has it as its `data-state`. */
type State = 'opening' | 'resting' | 'training' | 'pausing' | 'finished' | 'failed'

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no element '${id}'`)
  return found as T
}
const button = (id: string, press: () => void): HTMLButtonElement => {
  const found = element<HTMLButtonElement>(id)
  found.addEventListener('click', press)
  return found
}
const show = (id: string, text: string): void => {
  element(id).textContent = text
}

const curve = new Curve(element('curve'))
const answer = new Answer(element('picture'), element('answer'), element('probabilities'))
const drawing = new Drawing(element('paper'), lookAtDrawing)

const start = button('start', () => {
  send({ kind: 'train' })
  // The first step takes seconds: the device writes and compiles its kernels.
  if (curve.isEmpty) show('step', `0 of ${allSteps}, preparing kernels …`)
  enter('training')
})
const pause = button('pause', () => {
  send({ kind: 'pause' })
  enter('pausing')
})
const reset = button('reset', () => open(settings))
const sample = button('sample', () => send({ kind: 'sample' }))
button('clear', () => {
  drawing.clear()
  picture = undefined
  answer.clear()
})
button('again-webgpu', () => open({ ...settings, device: 'webgpu' }))
button('again-cpu', () => open({ ...settings, device: 'cpu' }))

let settings: Settings
let worker: Worker | undefined
let state: State = 'opening'
let allSteps = 0
/** Seconds a step lately. */
let pace: number | undefined
/** What the network is asked about, and what it is where that is known. */
let picture: { readonly pixels: Uint8Array; readonly label: number | undefined } | undefined
/** The picture that it is being asked about now, and whether there is a new question. */
let asked: typeof picture
let askAgain = false

/** Begins anew, with a worker that knows nothing yet. */
function open(wanted: Settings): void {
  settings = wanted
  worker?.terminate()
  const opened = new Worker(new URL('worker.js', import.meta.url), { type: 'module' })
  worker = opened
  opened.addEventListener('message', ({ data }: MessageEvent<Report>) => {
    // What the one before had still to say is no longer of interest.
    if (worker === opened) receive(data)
  })
  opened.addEventListener('error', ({ message }) => {
    if (worker === opened) fail(message || 'its code could not be loaded')
  })
  asked = pace = undefined
  askAgain = false
  curve.clear()
  show('step', '0')
  for (const id of ['loss', 'accuracy', 'speed']) show(id, '–')
  show('device', 'Opening a device and fetching the digits …')
  element('fault').hidden = true
  enter('opening')
  send({ kind: 'open', settings })
}

const send = (order: Order): void => worker?.postMessage(order)

function enter(next: State): void {
  state = next
  document.body.dataset.state = next
  start.disabled = next !== 'resting'
  pause.disabled = next !== 'training'
  reset.disabled = next === 'opening' || next === 'failed'
  sample.disabled = next === 'opening' || next === 'failed'
  start.textContent = next === 'finished' ? 'Finished' : curve.isEmpty ? 'Start' : 'Go on'
}

function receive(report: Report): void {
  switch (report.kind) {
    case 'ready':
      allSteps = report.steps
      document.body.dataset.device = report.device
      show('device', report.description)
      show('step', `0 of ${allSteps}`)
      enter('resting')
      return ask()
    case 'step':
      return stepDone(report)
    case 'tested':
      return tested(report)
    case 'stopped':
      return enter(report.finished ? 'finished' : 'resting')
    case 'classified':
      return answered(report.probabilities)
    case 'sample':
      drawing.clear()
      return lookAt(report.pixels, report.label)
    case 'failed':
      return fail(report.message)
    default:
      report satisfies never
  }
}

function stepDone(report: StepReport): void {
  curve.addStep(report)
  pace = pace === undefined || report.step <= 2 ? report.seconds : 0.9 * pace + 0.1 * report.seconds
  show('step', `${report.step} of ${allSteps}`)
  show('loss', report.loss.toFixed(3))
  show('speed', (settings.batch / pace).toFixed(0))
  // The network is another one now.
  ask()
}

function tested(report: TestReport): void {
  curve.addTest(report)
  show('accuracy', percent(report.accuracy, 1))
}

function fail(message: string): void {
  // It may be half alive: nothing more is heard of it.
  worker?.terminate()
  worker = undefined
  enter('failed')
  show('device', 'Nothing runs.')
  show('fault-message', `This cannot go on: ${message}`)
  element('fault').hidden = false
}

function lookAtDrawing(strokes: readonly Stroke[]): void {
  lookAt(digitImage(strokes), undefined)
}

function lookAt(pixels: Uint8Array, label: number | undefined): void {
  picture = { pixels, label }
  answer.showPicture(pixels)
  ask()
}

/** One question at a time; the next one is about the newest picture. */
function ask(): void {
  if (!picture || state === 'opening' || state === 'failed') return
  askAgain = asked !== undefined
  if (askAgain) return
  asked = picture
  send({ kind: 'classify', pixels: picture.pixels })
}

function answered(probabilities: readonly number[]): void {
  if (asked === picture && picture) answer.showProbabilities(probabilities, picture.label)
  asked = undefined
  if (askAgain) ask()
}

try {
  open(readSettings(location.search))
} catch (error) {
  settings = readSettings('')
  fail(error instanceof Error ? error.message : String(error))
}
