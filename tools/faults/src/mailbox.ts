// A queue on a parameter server that all clients share by its name.
import { constant, device, fifoQueue, type Node, type Tensor } from '@shoal/core'

/** What puts 7 into the queue, and what takes a number out of it, when there is one. */
export function mailbox(): { readonly put: Node; readonly take: Tensor } {
  return device('/job:ps/task:0', () => {
    const queue = fifoQueue({ types: [{ dtype: 'float32', shape: [] }], capacity: 4, name: 'mailbox' })
    return { put: queue.enqueue([constant(7)]), take: queue.dequeue()[0]! }
  })
}
