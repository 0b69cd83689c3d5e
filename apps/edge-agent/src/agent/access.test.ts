// Who may call what, as it is told and as it is.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { roleSchema } from '../api/node.ts'
import { guarded, rules } from './access.ts'

describe('the rules of methods', () => {
  it('are those that the table in the README shows, in its order', () => {
    const page = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| `(\w+\.\w+)` \| ([\w, ]+) \| .+ \|$/gm)]
    const all = roleSchema.options.length
    expect(rows.map(([, name, who]) => [name, who])).toEqual(
      Object.entries(rules).map(([name, rule]) => [
        name,
        rule === 'self' ? 'self' : rule.length === all ? 'everybody' : rule.join(', '),
      ]),
    )
  })

  it('let nothing be served without one', () => {
    const handler = (): never => expect.unreachable()
    expect(() => guarded({ 'agent.dance': handler }, 'pi1')).toThrow("nobody may call 'agent.dance'")
  })

  it('refuse a role that is not among them, and other nodes what is for the command here', async () => {
    const answer = { head: new Uint8Array(), tensors: [] }
    const served = guarded({ 'agent.invite': async () => answer, 'agent.stop': async () => answer }, 'pi1')
    const call = (name: string, node: string, role: string) => {
      const peer = { cluster: 'c', node, role }
      return served[name]!(answer, { peer, signal: new AbortController().signal, urgent: false })
    }
    await expect(call('agent.invite', 'pi2', 'worker')).rejects.toThrow('takes the role manager')
    await expect(call('agent.invite', 'pi2', 'manager')).resolves.toBe(answer)
    await expect(call('agent.stop', 'pi2', 'manager')).rejects.toThrow('only the command on this machine')
    await expect(call('agent.stop', 'pi1', 'worker')).resolves.toBe(answer)
  })

  it('let no node take away what another keeps', async () => {
    const answer = { head: new Uint8Array(), tensors: [] }
    const served = guarded({ 'blobs.release': async () => answer }, 'pi1')
    const peer = { cluster: 'c', node: 'pi2', role: 'worker' }
    const call = { peer, signal: new AbortController().signal, urgent: false }
    await expect(served['blobs.release']!(answer, call)).rejects.toThrow('only the command on this machine')
  })
})
