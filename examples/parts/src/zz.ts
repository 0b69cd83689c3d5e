import { device, variable, Session, reference, controlDependencies, identity, mul } from '@shoal/core'
const v = device('reference:0', () => variable(1, { name: 'v' }))
const w = device('reference:1', () => variable(10, { name: 'w' }))
const session = new Session({ devices: [reference(), reference()] })
await session.initialize(v, w)
const first = device('reference:0', () => v.assign(2))
const second = controlDependencies([first], () => device('reference:1', () => w.assignAdd(5)))
const third = controlDependencies([second], () => device('reference:0', () => identity(mul(v.read(), 100))))
console.log(
  (
    await session.run(third, {}, { onTrace: (e) => e.forEach((x) => console.log(x.node, x.op, x.device)) })
  ).item(),
)
console.log((await session.run(w)).item())
