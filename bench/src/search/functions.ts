// Functions with known least values that searches are tried on: as in Surjanovic and Bingham, Virtual Library of Simulation Experiments, 2013.
import type { FloatDomain } from '@shoal/tune'
import { float } from '@shoal/tune'

/** A function to be minimised over a box. */
export interface TestFunction {
  readonly name: string
  readonly space: Readonly<Record<string, FloatDomain>>
  /** Its least value. */
  readonly least: number
  at(x: readonly number[]): number
}

const box = (size: number, low: number, high: number): TestFunction['space'] =>
  Object.fromEntries(Array.from({ length: size }, (_, i) => [`x${i + 1}`, float(low, high)]))

/** The value at the parameters of a trial. */
export const valueOf = (f: TestFunction, params: Readonly<Record<string, number>>): number =>
  f.at(Object.keys(f.space).map((name) => params[name]!))

const branin: TestFunction = {
  name: 'Branin',
  space: { x1: float(-5, 10), x2: float(0, 15) },
  least: 0.397887357729739,
  at([x1, x2]) {
    const bend = x2! - (5.1 / (4 * Math.PI ** 2)) * x1! ** 2 + (5 / Math.PI) * x1! - 6
    return bend ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x1!) + 10
  },
}

const hartmann = {
  alpha: [1, 1.2, 3, 3.2],
  a: [
    [10, 3, 17, 3.5, 1.7, 8],
    [0.05, 10, 17, 0.1, 8, 14],
    [3, 3.5, 1.7, 10, 17, 8],
    [17, 8, 0.05, 10, 0.1, 14],
  ],
  p: [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
  ],
} as const

const hartmann6: TestFunction = {
  name: 'Hartmann6',
  space: box(6, 0, 1),
  least: -3.32236801141551,
  at: (x) =>
    -hartmann.alpha.reduce((sum, weight, i) => {
      const square = x.reduce((s, value, j) => s + hartmann.a[i]![j]! * (value - hartmann.p[i]![j]!) ** 2, 0)
      return sum + weight * Math.exp(-square)
    }, 0),
}

const ackley5: TestFunction = {
  name: 'Ackley-5',
  space: box(5, -32.768, 32.768),
  least: 0,
  at(x) {
    const mean = (f: (value: number) => number): number =>
      x.reduce((sum, value) => sum + f(value), 0) / x.length
    const waves = Math.exp(mean((value) => Math.cos(2 * Math.PI * value)))
    return -20 * Math.exp(-0.2 * Math.sqrt(mean((value) => value ** 2))) - waves + 20 + Math.E
  },
}

const rosenbrock: TestFunction = {
  name: 'Rosenbrock-2',
  space: box(2, -5, 10),
  least: 0,
  at: ([x1, x2]) => 100 * (x2! - x1! ** 2) ** 2 + (1 - x1!) ** 2,
}

const sixHump: TestFunction = {
  name: 'six-hump camel',
  space: { x1: float(-3, 3), x2: float(-2, 2) },
  least: -1.03162845348988,
  at: ([x1, x2]) =>
    (4 - 2.1 * x1! ** 2 + x1! ** 4 / 3) * x1! ** 2 + x1! * x2! + (-4 + 4 * x2! ** 2) * x2! ** 2,
}

/** All of them. */
export const testFunctions: readonly TestFunction[] = [branin, hartmann6, ackley5, rosenbrock, sixHump]
