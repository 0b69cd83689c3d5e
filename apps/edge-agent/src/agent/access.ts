// Who may call what: by the role in the caller's certificate, or because it is this very node, whose command speaks for whoever may read its state folder.
import { type Handler, namePeer, SecurityError } from '@shoal/distributed/peers'
import type { Role } from '../api/node.ts'

/** Who may call a method: nodes with one of these roles; or 'self', the command of this machine alone. */
export type Rule = readonly Role[] | 'self'

const everybody: Rule = ['manager', 'worker', 'client']
const computing: Rule = ['manager', 'worker']

/** The rule of every method that agents serve; one that is not here is nobody's. */
export const rules: Readonly<Record<string, Rule>> = {
  'agent.status': everybody,
  'agent.nodes': everybody,
  'agent.tell': everybody,
  'agent.invite': ['manager'],
  'agent.remove': ['manager'],
  'agent.join': 'self',
  'agent.leave': 'self',
  'agent.stop': 'self',
  'identity.renew': everybody,
  'link.ping': everybody,
  'link.fill': everybody,
  'doctor.reach': everybody,
  'doctor.survey': 'self',
  'blobs.has': everybody,
  'blobs.read': everybody,
  'blobs.write': everybody,
  'blobs.release': 'self',
  'jobs.submit': ['manager', 'client'],
  'jobs.stop': ['manager', 'client'],
  'jobs.list': everybody,
  'jobs.views': everybody,
  'jobs.show': everybody,
  'jobs.events': everybody,
  'jobs.readDocument': everybody,
  'jobs.replicate': ['manager'],
  'jobs.state': ['manager'],
  'jobs.compareEvents': ['manager'],
  'jobs.readEvents': ['manager'],
  'jobs.read': computing,
  'jobs.write': computing,
  'jobs.report': computing,
  'jobs.taskEnded': computing,
  'tasks.start': ['manager'],
  'tasks.stop': ['manager'],
  'tasks.list': ['manager'],
}

/** The same methods, each refusing whoever may not call it. @throws SecurityError for one without a rule. */
export function guarded(
  methods: Readonly<Record<string, Handler>>,
  self: string,
): Readonly<Record<string, Handler>> {
  return Object.fromEntries(
    Object.entries(methods).map(([name, handler]) => {
      const rule = rules[name]
      if (rule === undefined) throw new SecurityError(`nobody may call '${name}': it has no rule`)
      const checked: Handler = async (message, call) => {
        const { peer } = call
        const isAllowed =
          rule === 'self' ? peer.node === self : (rule as readonly string[]).includes(peer.role)
        if (!isAllowed)
          throw new SecurityError(
            rule === 'self'
              ? `${namePeer(peer)} may not call '${name}' here: only the command on this machine may`
              : `${namePeer(peer)} may not call '${name}': that takes the role ${rule.join(' or ')}`,
          )
        return handler(message, call)
      }
      return [name, checked]
    }),
  )
}
