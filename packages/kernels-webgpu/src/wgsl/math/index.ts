// placeholder until merged
import type { WgslFunction } from '../shader.ts'
const builtin = (name: string, expr: string, two = false): WgslFunction => ({
  name: `m_${name}`,
  code: `fn m_${name}(x: f32${two ? ', y: f32' : ''}) -> f32 { return ${expr}; }`,
})
export const mathFunctions = {
  exp: builtin('exp', 'exp(x)'),
  expm1: builtin('expm1', 'exp(x) - 1.0'),
  log: builtin('log', 'log(x)'),
  log1p: builtin('log1p', 'log(1.0 + x)'),
  sin: builtin('sin', 'sin(x)'),
  cos: builtin('cos', 'cos(x)'),
  tan: builtin('tan', 'tan(x)'),
  asin: builtin('asin', 'asin(x)'),
  acos: builtin('acos', 'acos(x)'),
  atan: builtin('atan', 'atan(x)'),
  sinh: builtin('sinh', 'sinh(x)'),
  cosh: builtin('cosh', 'cosh(x)'),
  tanh: builtin('tanh', 'tanh(x)'),
  asinh: builtin('asinh', 'asinh(x)'),
  acosh: builtin('acosh', 'acosh(x)'),
  atanh: builtin('atanh', 'atanh(x)'),
  erf: builtin('erf', 'x'),
  erfc: builtin('erfc', 'x'),
  erfinv: builtin('erfinv', 'x'),
  lgamma: builtin('lgamma', 'x'),
  digamma: builtin('digamma', 'x'),
  pow: builtin('pow', 'pow(x, y)', true),
  atan2: builtin('atan2', 'atan2(x, y)', true),
  rem: builtin('rem', 'x % y', true),
}
