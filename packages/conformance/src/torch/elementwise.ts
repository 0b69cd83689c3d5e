// How element-wise operations and reductions of the PyTorch cases are said in Shoal.
import type { Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import type { TorchBuilders } from './builder.ts'

type Unary = (x: Tensor) => Tensor
type Binary = (a: Tensor, b: Tensor) => Tensor
const unary =
  (f: Unary) =>
  ({ x }: Readonly<Record<string, Tensor>>): Tensor =>
    f(x!)
const binary =
  (f: Binary) =>
  ({ a, b }: Readonly<Record<string, Tensor>>): Tensor =>
    f(a!, b!)

interface Reduced {
  readonly axes: readonly number[]
  readonly keepDims: boolean
}
const reduced =
  (f: (x: Tensor, options: Reduced) => Tensor) =>
  ({ x }: Readonly<Record<string, Tensor>>, attrs: Readonly<Record<string, unknown>>): Tensor =>
    f(x!, { axes: attrs['axis'] as number[], keepDims: attrs['keepdims'] === true })

export const elementwiseBuilders: TorchBuilders = {
  neg: unary(s.neg),
  exp: unary(s.exp),
  square: unary(s.square),
  sin: unary(s.sin),
  tan: unary(s.tan),
  atan: unary(s.atan),
  cosh: unary(s.cosh),
  tanh: unary(s.tanh),
  erf: unary(s.erf),
  erfc: unary(s.erfc),
  softplus: unary(s.softplus),
  softsign: unary(s.softsign),
  relu6: unary(s.relu6),
  elu: unary((x) => s.elu(x)),
  'leaky_relu_0.2': unary((x) => s.leakyRelu(x, { alpha: 0.2 })),
  gelu_erf: unary((x) => s.gelu(x)),
  sign: unary(s.sign),
  floor: unary(s.floor),
  round_half_even: unary(s.round),
  logsigmoid: unary((x) => s.neg(s.softplus(s.neg(x)))),
  log1p: unary(s.log1p),
  sqrt: unary(s.sqrt),
  reciprocal: unary(s.reciprocal),
  lgamma: unary(s.lgamma),
  asin: unary(s.asin),
  acos: unary(s.acos),
  erfinv: unary(s.erfinv),
  acosh: unary(s.acosh),
  add: binary(s.add),
  sub: binary(s.sub),
  mul: binary(s.mul),
  div: binary(s.div),
  maximum: binary(s.maximum),
  minimum: binary(s.minimum),
  squared_difference: binary(s.squaredDifference),
  atan2: binary(s.atan2),
  pow: binary(s.pow),
  floormod: binary(s.floorMod),
  floordiv: binary(s.floorDiv),
  select: ({ c, a, b }) => s.select(c!, a!, b!),
  sum: reduced(s.sum),
  mean: reduced(s.mean),
  max: reduced(s.max),
  min: reduced(s.min),
  prod: reduced(s.prod),
  logsumexp: reduced(s.logSumExp),
  norm: reduced((x, options) => s.sqrt(s.sum(s.square(x), options))),
  argmax: ({ x }) => s.argMax(x!, { axis: 1 }),
  cumsum: ({ x }, { axis, exclusive, reverse }) =>
    s.cumSum(x!, { axis: axis as number, exclusive: exclusive === true, reverse: reverse === true }),
  cumulative_logsumexp: ({ x }, { axis }) => s.cumulativeLogSumExp(x!, { axis: axis as number }),
}
