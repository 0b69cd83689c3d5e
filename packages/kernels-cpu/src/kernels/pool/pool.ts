// Poolings, channels in lanes: each window is cut to the image before it is walked, so that padding is never read.
import type { PoolAttrs, Signature, Size } from '@shoal/core'
import { boundInputs, dtypes, sizeOf, windowOf } from '@shoal/core'
import type { Element } from '../../gemm/element.ts'
import { elements } from '../../gemm/microKernel.ts'
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import {
  type FunctionBuilder,
  i32,
  type Local,
  memory,
  type ModuleBuilder,
  select,
  type Value,
} from '../../wasm/index.ts'
import { type CompiledKernel, type KernelOptions, signatureKey } from '../kernelDef.ts'
import { type Arithmetic, arithmetics } from './arithmetic.ts'

type Address = Value<'i32'>
type Code = FunctionBuilder<'none'>

/** The ops of this family that have code. */
export type PoolOp = 'MaxPool' | 'AvgPool' | 'MaxPoolGrad' | 'AvgPoolGrad'

interface Geometry {
  readonly batch: number
  readonly channels: number
  /** Three axes each. */
  readonly image: Size
  readonly output: Size
  readonly kernel: Size
  readonly stride: Size
  readonly dilation: Size
  readonly before: Size
}

function geometryOf(shape: Size, attrs: PoolAttrs): Geometry {
  const { input, kernel, output, strides, dilations, before } = windowOf(
    shape.slice(1, -1),
    attrs.size,
    attrs,
  )
  const three = (values: Size, fill: number): Size => [
    ...Array<number>(3 - values.length).fill(fill),
    ...values,
  ]
  return {
    batch: shape[0]!,
    channels: shape.at(-1)!,
    image: three(input, 1),
    output: three(output, 1),
    kernel: three(kernel, 1),
    stride: three(strides, 1),
    dilation: three(dilations, 1),
    before: three(before, 0),
  }
}

/** Writes a pooling or its gradient. */
export function compilePool(op: PoolOp, signature: Signature, options: KernelOptions): CompiledKernel {
  const gradient = op === 'MaxPoolGrad' || op === 'AvgPoolGrad'
  const shape = signature.inputs[0]!.shape
  const geometry = geometryOf(shape, signature.attrs as unknown as PoolAttrs)
  const { dtype } = signature.outputs[0]!
  const element = elements[dtype === 'float64' ? 'f64' : 'f32']
  const inputs = boundInputs(signature).length
  const writer: Writer = {
    geometry,
    element,
    arithmetic: arithmetics[element.name],
    bytes: dtypes[dtype].bytes,
  }
  const { batch, output, kernel, channels } = geometry
  const lines = gradient ? [batch] : [batch, output[0]!, output[1]!]
  return {
    workspaceBytes: 0,
    write: (module) =>
      module.once(signatureKey(op, signature, options), (): readonly Stage[] => {
        const types = Array.from({ length: inputs + 3 }, () => 'i32' as const)
        const func = module.define(op, types, 'none', (f, ...locals) => {
          const [begin, end] = locals.slice(-2) as [Local<'i32'>, Local<'i32'>]
          // x comes first where it is given, dy last of the inputs.
          const task: Task = {
            ...writer,
            f,
            module,
            x: locals[0]!,
            dy: locals[inputs - 1]!,
            answer: locals[inputs]!,
          }
          if (gradient) overUnits(f, lines, begin, end, ([b]) => imageGradient(task, op, b!))
          else overUnits(f, lines, begin, end, ([b, d, h]) => outputLine(task, op, b!, d!, h!))
        })
        const units = sizeOf(lines)
        return [
          {
            func,
            units,
            work: (batch * sizeOf(output) * sizeOf(kernel) * channels) / 4 / Math.max(1, units),
          },
        ]
      }),
  }
}

interface Writer {
  readonly geometry: Geometry
  readonly element: Element
  readonly arithmetic: Arithmetic
  readonly bytes: number
}
interface Task extends Writer {
  readonly f: Code
  readonly module: ModuleBuilder
  readonly x: Local<'i32'>
  readonly dy: Local<'i32'>
  readonly answer: Local<'i32'>
}

/** The taps of a window along one axis that lie in the image, and where tap 0 would be. */
interface Taps {
  readonly start: Local<'i32'>
  readonly from: Local<'i32'>
  readonly to: Local<'i32'>
}

function tapsAt(
  { f, geometry: { image, kernel, stride, dilation, before } }: Task,
  axis: number,
  at: Address,
): Taps {
  const step = dilation[axis]!
  const start = f.let(i32.sub(i32.mul(at, stride[axis]!), before[axis]!))
  const missing = i32.div_s(i32.add(i32.sub(0, start), step - 1), step)
  const from = f.let(select(i32.lt_s(start, 0), missing, i32.const(0)))
  const room = f.let(i32.sub(image[axis]!, start))
  const fitting = f.let(select(i32.lt_s(room, 0), i32.const(0), i32.div_u(i32.add(room, step - 1), step)))
  const to = f.let(select(i32.lt_s(fitting, kernel[axis]!), fitting, i32.const(kernel[axis]!)))
  // A window that lies between all elements has no taps.
  f.set(to, select(i32.lt_s(to, from), from, to))
  return { start, from, to }
}

/** Runs `body` with the byte offset in the image of each tap of a window, in order. */
function overTaps(
  { f, geometry: { image, dilation, channels }, bytes }: Task,
  taps: readonly Taps[],
  body: (offset: Local<'i32'>) => void,
): void {
  const position = (axis: number, tap: Address) => i32.add(taps[axis]!.start, i32.mul(tap, dilation[axis]!))
  f.forRange(taps[0]!.from, taps[0]!.to, 1, (d) => {
    const plane = f.let(i32.mul(position(0, d), image[1]!))
    f.forRange(taps[1]!.from, taps[1]!.to, 1, (h) => {
      const line = f.let(i32.mul(i32.add(plane, position(1, h)), image[2]!))
      f.forRange(taps[2]!.from, taps[2]!.to, 1, (w) => {
        body(f.let(i32.mul(i32.add(line, position(2, w)), channels * bytes)))
      })
    })
  })
}

/** Runs `body` for groups of channels that fill a vector, and for the rest: the byte offset of the first, and how many there are. */
function overChannels(
  { f, geometry: { channels }, element, bytes }: Task,
  body: (offset: Address, count: number) => void,
): void {
  const rest = channels % element.lanes
  f.forRange(0, (channels - rest) * bytes, element.lanes * bytes, (offset) => body(offset, element.lanes))
  if (rest > 0) body(i32.const((channels - rest) * bytes), rest)
}

/** How many taps a window has, as a number of the element's type in all lanes. */
function countOf({ f, arithmetic }: Task, taps: readonly Taps[]): Local<'v128'> {
  const counts = taps.map(({ from, to }) => i32.sub(to, from))
  return f.let(arithmetic.fromInteger(counts.reduce((product, count) => i32.mul(product, count))))
}

function outputLine(task: Task, op: PoolOp, b: Address, d: Address, h: Address): void {
  const { f, geometry, element, arithmetic, bytes, x, answer } = task
  const { image, output, channels } = geometry
  const pixel = channels * bytes
  const source = f.let(i32.add(x, i32.mul(b, sizeOf(image) * pixel)))
  const line = i32.add(i32.mul(i32.add(i32.mul(b, output[0]!), d), output[1]!), h)
  const target = f.let(i32.add(answer, i32.mul(line, output[2]! * pixel)))
  const [depths, heights] = [tapsAt(task, 0, d), tapsAt(task, 1, h)]
  f.forRange(0, output[2]!, 1, (w) => {
    const taps = [depths, heights, tapsAt(task, 2, w)]
    const place = f.let(i32.add(target, i32.mul(w, pixel)))
    const count = op === 'AvgPool' ? countOf(task, taps) : undefined
    overChannels(task, (channel, lanes) => {
      const value = f.let(f.constant(arithmetic.const(count ? 0 : -Infinity)))
      const start = f.let(i32.add(source, channel))
      overTaps(task, taps, (offset) => {
        const here = element.load(i32.add(start, offset), lanes, 0)
        f.set(value, count ? element.add(value, here) : arithmetic.max(value, here))
      })
      // The mean of no elements is 0.
      if (count) f.set(value, arithmetic.div(value, arithmetic.pmax(count, f.constant(arithmetic.const(1)))))
      f.do(...element.store(f.let(i32.add(place, channel)), value, lanes, 0))
    })
  })
}

function imageGradient(task: Task, op: PoolOp, b: Address): void {
  const { f, geometry, bytes, x, dy, answer } = task
  const { image, output, channels } = geometry
  const pixel = channels * bytes
  const imageBytes = sizeOf(image) * pixel
  const target = f.let(i32.add(answer, i32.mul(b, imageBytes)))
  const source = f.let(i32.add(x, i32.mul(b, imageBytes)))
  const flow = f.let(i32.add(dy, i32.mul(b, sizeOf(output) * pixel)))
  f.do(memory.fill(target, 0, imageBytes))
  f.forRange(0, output[0]!, 1, (d) => {
    const depths = tapsAt(task, 0, d)
    f.forRange(0, output[1]!, 1, (h) => {
      const heights = tapsAt(task, 1, h)
      f.forRange(0, output[2]!, 1, (w) => {
        const taps = [depths, heights, tapsAt(task, 2, w)]
        if (op === 'AvgPoolGrad') spread(task, taps, flow, target)
        else toGreatest(task, taps, source, flow, target)
        f.set(flow, i32.add(flow, pixel))
      })
    })
  })
}

/** Adds dy divided by the number of taps to every tap. */
function spread(task: Task, taps: readonly Taps[], flow: Address, target: Address): void {
  const { f, element, arithmetic } = task
  const count = countOf(task, taps)
  overChannels(task, (channel, lanes) => {
    const share = f.let(arithmetic.div(element.load(i32.add(flow, channel), lanes, 0), count))
    const start = f.let(i32.add(target, channel))
    overTaps(task, taps, (offset) => {
      const place = f.let(i32.add(start, offset))
      f.do(...element.store(place, f.let(element.add(element.load(place, lanes, 0), share)), lanes, 0))
    })
  })
}

/** Adds dy to the first greatest tap of each channel; a NaN is greater than any number. */
function toGreatest(
  task: Task,
  taps: readonly Taps[],
  source: Address,
  flow: Address,
  target: Address,
): void {
  const { f, element, arithmetic, bytes } = task
  overChannels(task, (channel, lanes) => {
    const [best, where] = [f.local('v128'), f.local('v128')]
    const found = f.let(i32.const(0))
    const start = f.let(i32.add(source, channel))
    overTaps(task, taps, (offset) => {
      const here = f.let(element.load(i32.add(start, offset), lanes, 0))
      const greater = f.let(arithmetic.greater(here, best))
      // The first tap is the best so far, whatever it is.
      f.if(i32.eqz(found), () => f.set(greater, arithmetic.always))
      f.set(found, 1)
      f.set(best, arithmetic.select(greater, here, best))
      f.set(where, arithmetic.select(greater, arithmetic.splatInteger(offset), where))
    })
    f.if(found, () => {
      const gradients = f.let(element.load(i32.add(flow, channel), lanes, 0))
      for (let lane = 0; lane < lanes; lane++) {
        const offset = i32.add(arithmetic.integerLane(where, lane), lane * bytes)
        const place = f.let(i32.add(i32.add(target, channel), offset))
        f.do(arithmetic.addLane(place, gradients, lane))
      }
    })
  })
}
