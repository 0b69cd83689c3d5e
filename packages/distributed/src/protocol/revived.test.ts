import * as core from '@shoal/core'
import { describe, expect, it } from 'vitest'
import * as own from '../errors.ts'
import { errorClasses, revived } from './revived.ts'

const isErrorClass = (value: unknown): value is (typeof errorClasses)[number] =>
  typeof value === 'function' && value.prototype instanceof core.ShoalError

describe('an error of a peer', () => {
  it('is of the class that it was there, whatever class of Shoal that is', () => {
    const all = Object.values<unknown>({ ...core, ...own }).filter(isErrorClass)
    const names = all.filter((each) => each !== (own.RemoteError as never)).map(({ name }) => name)
    expect(errorClasses.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
  })
  it('keeps what the peer said, and tells where that was', () => {
    const remote = new own.RemoteError("'run' at worker 'n1'", 'ShapeError', "Add 'x': does not fit")
    const error = revived(remote) as Error
    expect(error).toBeInstanceOf(core.ShapeError)
    expect(error.message).toBe("Add 'x': does not fit")
    expect(error.cause).toBe(remote)
  })
  it('stays what it is where its class is not known', () => {
    const remote = new own.RemoteError('here', 'TypeError', 'x is undefined')
    expect(revived(remote)).toBe(remote)
    expect(revived(1)).toBe(1)
  })
})
