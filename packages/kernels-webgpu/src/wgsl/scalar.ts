// Scalar expressions in WGSL: one `let` for every operation, complete by the type of its tables.
import type { Binary, Comparison, DType, Expr, ScalarTarget, Unary } from '@shoal/core'
import { binaryNames, comparisonNames, dtypes, emit, fromNames, integerRange, unaryNames } from '@shoal/core'
import { isNaN, toBfloat16, toFloat16 } from './half.ts'
import { floatLiteral, literal } from './literal.ts'
import { mathFunctions } from './math/index.ts'
import type { Memory } from './memory.ts'
import { scalarType } from './representation.ts'
import type { Shader, WgslFunction } from './shader.ts'

/** What stands for the leaves of an expression. */
export interface Leaves {
  /** The loop counters, as i32. */
  readonly axes: readonly string[]
  /** How input `i` is read. */
  load(input: number, index: string): string
  /** Finished reductions. Default none. */
  readonly accumulators?: readonly string[]
}

/** Loads from buffers. */
export const loadsFrom =
  (memories: readonly Memory[]): Leaves['load'] =>
  (input, index) =>
    memories[input]!.load(index)

/** Writes expressions where the shader is now; those that share parts, and stand in one block, should share a writer. */
export class ScalarWriter {
  private readonly target: ScalarTarget<string>
  private readonly memo = new Map<Expr, string>()

  constructor(shader: Shader, leaves: Leaves) {
    this.target = scalarTarget(shader, leaves)
  }

  /** The value of an expression: a name or a literal. */
  write(e: Expr): string {
    return emit(e, this.target, this.memo)
  }
}

function scalarTarget(shader: Shader, { axes, load, accumulators = [] }: Leaves): ScalarTarget<string> {
  const say = (value: string): string => shader.let(value)
  return {
    unary: fromNames(
      unaryNames,
      (op) =>
        (x: string, dtype: DType): string =>
          say(wrapped(unary(shader, op, x, dtype), dtype)),
    ),
    binary: fromNames(
      binaryNames,
      (op) =>
        (a: string, b: string, dtype: DType): string =>
          say(wrapped(binary(shader, op, a, b, dtype), dtype)),
    ),
    compare: fromNames(
      comparisonNames,
      (op) =>
        (a: string, b: string, dtype: DType): string =>
          say(compare(shader, op, a, b, dtype)),
    ),
    const: (value, dtype) => literal(shader, value, dtype),
    axis: (axis) => axes[axis]!,
    load: (input, index) => say(load(input, index)),
    cast: (x, from, to) => say(cast(shader, x, from, to)),
    select: (cond, a, b) => say(`select(${b}, ${a}, ${cond})`),
    acc: (reduction) => accumulators[reduction]!,
  }
}

const isFloat = (dtype: DType): boolean => dtypes[dtype].kind === 'float'

/** A value of 32 bits in the range of a dtype: integers of fewer bits wrap, all else stays as it is. */
export function wrapped(value: string, dtype: DType): string {
  if (dtype === 'int8') return `extractBits(${value}, 0u, 8u)`
  if (dtype === 'int16') return `extractBits(${value}, 0u, 16u)`
  return dtype === 'uint8' ? `((${value}) & 0xffu)` : value
}

function unary(shader: Shader, op: Unary, x: string, dtype: DType): string {
  const float = isFloat(dtype)
  const call = (f: WgslFunction): string => `${shader.include(f)}(${x})`
  switch (op) {
    case 'neg':
      return dtypes[dtype].kind === 'uint' ? `0u - ${x}` : `-${x}`
    case 'abs':
      return `abs(${x})`
    case 'sign':
      if (float) return `select(sign(${x}), ${x}, ${call(isNaN)})`
      return dtypes[dtype].kind === 'uint' ? `min(${x}, 1u)` : `sign(${x})`
    case 'not':
      return `!${x}`
    case 'bitNot':
      return `~${x}`
    case 'floor':
    case 'ceil':
    case 'round':
    case 'trunc':
      return float ? `${op}(${x})` : x
    case 'sqrt':
      return `select(sqrt(max(${x}, 0.0)), ${floatLiteral(shader, Number.NaN)}, ${x} < 0.0 || ${call(isNaN)})`
    default:
      return call(mathFunctions[op])
  }
}

function binary(shader: Shader, op: Binary, a: string, b: string, dtype: DType): string {
  const { kind, bytes } = dtypes[dtype]
  const call = (f: WgslFunction): string => `${shader.include(f)}(${a}, ${b})`
  if (kind === 'bool') return onBools[op]?.(a, b) ?? `${a} && ${b}`
  switch (op) {
    case 'add':
      return `${a} + ${b}`
    case 'sub':
      return `${a} - ${b}`
    case 'mul':
      return `${a} * ${b}`
    case 'div':
    case 'rem': {
      const sign = op === 'div' ? '/' : '%'
      if (kind === 'float') return op === 'div' ? `${a} / ${b}` : call(mathFunctions.rem)
      const zero = literal(shader, 0, dtype)
      // Dividing by a literal zero would not even compile.
      if (b === zero) return zero
      return /^\d/.test(b) ? `${a} ${sign} ${b}` : `select(${a} ${sign} ${b}, ${zero}, ${b} == ${zero})`
    }
    case 'min':
    case 'max':
      return kind === 'float' ? call(op === 'min' ? least : greatest) : `${op}(${a}, ${b})`
    case 'pow':
      return kind === 'float' ? call(mathFunctions.pow) : call(kind === 'uint' ? unsignedPower : signedPower)
    case 'atan2':
      return call(mathFunctions.atan2)
    case 'and':
      return `${a} & ${b}`
    case 'or':
      return `${a} | ${b}`
    case 'xor':
      return `${a} ^ ${b}`
    case 'shl':
      return `${a} << (u32(${b}) & ${8 * bytes - 1}u)`
    case 'shr':
      return `${a} >> (u32(${b}) & ${8 * bytes - 1}u)`
    default:
      return op satisfies never
  }
}

const onBools: Partial<Record<Binary, (a: string, b: string) => string>> = {
  and: (a, b) => `${a} && ${b}`,
  min: (a, b) => `${a} && ${b}`,
  mul: (a, b) => `${a} && ${b}`,
  or: (a, b) => `${a} || ${b}`,
  max: (a, b) => `${a} || ${b}`,
  add: (a, b) => `${a} || ${b}`,
  xor: (a, b) => `${a} != ${b}`,
}

function compare(shader: Shader, op: Comparison, a: string, b: string, dtype: DType): string {
  const signs = { lt: '<', le: '<=', eq: '==', ne: '!=' } as const
  if (dtypes[dtype].kind === 'bool' && op === 'lt') return `!${a} && ${b}`
  if (dtypes[dtype].kind === 'bool' && op === 'le') return `!${a} || ${b}`
  if (!isFloat(dtype)) return `${a} ${signs[op]} ${b}`
  // Comparing a number with itself asks whether it is NaN, which compilers may take for granted that it is not.
  const nan = shader.include(isNaN)
  if (a === b) return op === 'ne' ? `${nan}(${a})` : op === 'lt' ? 'false' : `!${nan}(${a})`
  // Nothing is equal to NaN; that it is unequal to everything not every implementation knows.
  return op === 'ne' ? `!(${a} == ${b})` : `${a} ${signs[op]} ${b}`
}

function cast(shader: Shader, x: string, from: DType, to: DType): string {
  const [source, target] = [dtypes[from].kind, dtypes[to].kind]
  if (to === 'float16') return `${shader.include(toFloat16)}(${asFloat(x, from)})`
  if (to === 'bfloat16') return `${shader.include(toBfloat16)}(${asFloat(x, from)})`
  if (target === 'bool') {
    if (source === 'bool') return x
    return source === 'float' ? `!(${x} == 0.0)` : `${x} != ${literal(shader, 0, from)}`
  }
  if (target === 'float') return asFloat(x, from)
  const type = scalarType(to)
  if (source === 'bool') return `select(${literal(shader, 0, to)}, ${literal(shader, 1, to)}, ${x})`
  if (source === 'float') return saturated(shader, x, to)
  return wrapped(scalarType(from) === type ? x : `bitcast<${type}>(${x})`, to)
}

const asFloat = (x: string, from: DType): string =>
  isFloat(from) ? x : dtypes[from].kind === 'bool' ? `select(0.0, 1.0, ${x})` : `f32(${x})`

/** A float cut to an integer, the nearest that there is for those out of range, and 0 for NaN. */
function saturated(shader: Shader, x: string, to: DType): string {
  const [low, high] = integerRange(to)!
  const type = scalarType(to)
  const nan = `${shader.include(isNaN)}(${x})`
  const zero = literal(shader, 0, to)
  // The least integers are float32 numbers; the greatest of 32 bits are not.
  const beyond = high < 2 ** 24 ? high : high + 1
  const inner = `${type}(clamp(${x}, ${floatLiteral(shader, low)}, ${floatLiteral(shader, high < 2 ** 24 ? high : beyond - 2 ** (type === 'i32' ? 7 : 8))}))`
  return `select(select(${inner}, ${literal(shader, high, to)}, ${x} >= ${floatLiteral(shader, beyond)}), ${zero}, ${nan})`
}

/** The lesser of two numbers, NaN if one of them is. */
export const least: WgslFunction = {
  name: 'least',
  needs: [isNaN],
  code: `
fn least(a: f32, b: f32) -> f32 {
  if (is_nan(a)) { return a; }
  return select(min(a, b), b, is_nan(b));
}`,
}

/** The greater of two numbers, NaN if one of them is. */
export const greatest: WgslFunction = {
  name: 'greatest',
  needs: [isNaN],
  code: `
fn greatest(a: f32, b: f32) -> f32 {
  if (is_nan(a)) { return a; }
  return select(max(a, b), b, is_nan(b));
}`,
}

const integerPower = (name: string, type: 'i32' | 'u32', negative: string): WgslFunction => ({
  name,
  code: `
fn ${name}(base: ${type}, exponent: ${type}) -> ${type} {
  ${negative}
  var result = ${type}(1);
  var square = base;
  for (var rest = u32(exponent); rest > 0u; rest >>= 1u) {
    if ((rest & 1u) == 1u) { result *= square; }
    square *= square;
  }
  return result;
}`,
})
const unsignedPower = integerPower('unsigned_power', 'u32', '')
const signedPower = integerPower(
  'signed_power',
  'i32',
  'if (exponent < 0) { return select(select(0, select(1, -1, (exponent & 1) == 1), base == -1), 1, base == 1); }',
)
