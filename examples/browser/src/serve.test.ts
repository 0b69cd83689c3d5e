import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serve } from './serve.ts'

describe('serve', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-serve-'))
    writeFileSync(join(folder, 'index.html'), '<p>Hello</p>')
    writeFileSync(join(folder, 'data.gz'), gzipSync('digits'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('hands out pages with the headers that isolate them', async () => {
    await using site = await serve(folder)
    const answer = await fetch(site.url)
    expect(await answer.text()).toBe('<p>Hello</p>')
    expect(answer.headers.get('content-type')).toContain('text/html')
    expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(answer.headers.get('cross-origin-embedder-policy')).toBe('require-corp')
  })

  it('says of packed files that they are, and whoever fetches them unpacks them', async () => {
    await using site = await serve(folder)
    const answer = await fetch(new URL('data.gz', site.url))
    expect(await answer.text()).toBe('digits')
  })

  it('has nothing but its folder', async () => {
    await using site = await serve(folder)
    for (const path of ['no.html', '..%2f..%2fetc/passwd', '%2e%2e/%2e%2e/etc/passwd'])
      expect((await fetch(site.url + path)).status).toBe(404)
  })

  it('listens on this machine alone, and says when a port is taken', async () => {
    await using site = await serve(folder)
    expect(new URL(site.url).hostname).toBe('127.0.0.1')
    await expect(serve(folder, { port: Number(new URL(site.url).port) })).rejects.toThrow('EADDRINUSE')
  })
})
