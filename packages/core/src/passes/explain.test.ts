import { expect, it } from 'vitest'
import { gradients } from '../autodiff/gradients.ts'
import { add, mean, mul, neg, placeholder } from '../ops/index.ts'
import { cse } from './cse.ts'
import { explainPasses } from './explain.ts'
import { standardPasses } from './index.ts'
import { simplify } from './simplify.ts'

it('tells what is left after each pass, and why nodes went', () => {
  const x = placeholder({ shape: [2], name: 'x' })
  const y = mul(neg(neg(x)), add(x, 0))
  expect(explainPasses({ fetches: [y], targets: [] }, [cse, simplify])).toMatchInlineSnapshot(`
    "given: 6 nodes
    %x = Placeholder() {shape: [2], dtype: "float32"} : float32[2]
    %neg = Neg(%x) : float32[2]
    %neg_1 = Neg(%neg) : float32[2]
    %const = Const() {value: float32[](0)} : float32[]
    %add = Add(%x, %const) : float32[2]
    %mul = Mul(%neg_1, %add) : float32[2]
    return %mul

    cse: nothing to do

    simplify: 2 nodes
    - Neg 'neg': applied twice it does nothing
    - Add 'add': a zero changes nothing
    - Const 'const': nothing needs it any more
    %x = Placeholder() {shape: [2], dtype: "float32"} : float32[2]
    %mul = Mul(%x, %x) : float32[2]
    return %mul"
  `)
})

it('keeps what depends on sizes closed while they are names', () => {
  const x = placeholder({ shape: ['n'], name: 'x' })
  const y = mean(mul(x, 1))
  const [dx] = gradients(y, [x])
  const text = explainPasses({ fetches: [y, dx!], targets: [] }, [standardPasses])
  expect(text).not.toContain('NaN')
  expect(text.slice(text.lastIndexOf(standardPasses.name))).toMatch(/= Mean\(%x\)/)
})
