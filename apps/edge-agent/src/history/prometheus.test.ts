// The numbers as a scraper reads them, and that their count has a bound.
import { describe, expect, it } from 'vitest'
import { eventAt, sampleEvents, sampleJob } from '../testing/sampleEvents.ts'
import type { JobEvent } from './event.ts'
import { AgentMetrics, type AgentState } from './prometheus.ts'

const state: AgentState = {
  nodes: { self: 1, trusted: 3 },
  jobs: { running: 2, failed: 1 },
  tasks: 4,
  blobs: { count: 7, bytes: 1e6 },
  fetchedBytes: 5000,
  load: 0.25,
}

/** The samples of the text: 'name{labels}' to value. */
async function samples(metrics: AgentMetrics): Promise<ReadonlyMap<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ')
      return [line.slice(0, end), Number(line.slice(end + 1))]
    }),
  )
}

const measured = (job: string, step: number, values: Record<string, number>): JobEvent =>
  ({
    ...eventAt(step, { kind: 'metrics', task: 'worker:0', attempt: 0, node: 'n', step, values }),
    job,
  }) as JobEvent

describe('the numbers of an agent', () => {
  it('say how it does', async () => {
    const metrics = new AgentMetrics()
    metrics.update(state)
    metrics.update({ ...state, fetchedBytes: 6000 })
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/)
    const read = await samples(metrics)
    expect(Object.fromEntries(read)).toMatchObject({
      'shoal_nodes{state="self"}': 1,
      'shoal_nodes{state="trusted"}': 3,
      'shoal_nodes{state="lost"}': 0,
      'shoal_jobs{state="running"}': 2,
      'shoal_jobs{state="queued"}': 0,
      shoal_tasks_running: 4,
      shoal_blobs: 7,
      shoal_blob_bytes: 1e6,
      shoal_blob_fetched_bytes_total: 6000,
      shoal_load_ratio: 0.25,
    })
    expect(read.get('process_resident_memory_bytes')).toBeGreaterThan(1e6)
    expect([...read.keys()].some((name) => name.startsWith('shoal_temperature'))).toBe(false)
  })

  it('say how hot it is where that is known, and only then', async () => {
    const metrics = new AgentMetrics()
    const temperature = 'shoal_temperature_celsius{sensor="system"}'
    metrics.update({ ...state, heat: { celsius: 81.5, throttled: true } })
    const hot = await samples(metrics)
    expect([hot.get(temperature), hot.get('shoal_throttled{sensor="system"}')]).toEqual([81.5, 1])
    metrics.update(state)
    expect((await samples(metrics)).has(temperature)).toBe(false)
  })

  it('say what a running job measured last, until it ends', async () => {
    const metrics = new AgentMetrics()
    for (const event of sampleEvents.slice(0, -1)) metrics.happened(event)
    const running = await samples(metrics)
    expect(running.get(`shoal_job_step{job="${sampleJob}"}`)).toBe(3)
    expect(running.get(`shoal_job_metric{job="${sampleJob}",metric="loss"}`)).toBe(2)
    metrics.happened(sampleEvents.at(-1)!)
    expect([...(await samples(metrics)).keys()].filter((name) => name.includes(sampleJob))).toEqual([])
  })

  it('leave out what trials measure', async () => {
    const metrics = new AgentMetrics()
    metrics.happened({ ...measured(sampleJob, 1, { loss: 1 }), trial: 3 } as JobEvent)
    expect([...(await samples(metrics)).keys()].filter((name) => name.includes('job_'))).toEqual([])
  })

  it('are no more than so many, whatever jobs report', async () => {
    const metrics = new AgentMetrics({ mostJobs: 3, mostMetrics: 2 })
    const job = (i: number): string => `j-${String(i).padStart(12, '0')}`
    for (let i = 0; i < 20; i++) {
      metrics.happened(measured(job(0), i, { loss: 0 }))
      metrics.happened(measured(job(i + 1), i, { a: 1, b: 2, [`c${i}`]: 3, '"}\n': 4 }))
    }
    const told = [...(await samples(metrics)).keys()].filter((name) => name.startsWith('shoal_job_metric'))
    // The one that reports all the time stays, and the two that did last.
    expect(told.toSorted()).toEqual([
      `shoal_job_metric{job="${job(0)}",metric="loss"}`,
      ...[19, 20].flatMap((i) =>
        ['a', 'b'].map((name) => `shoal_job_metric{job="${job(i)}",metric="${name}"}`),
      ),
    ])
  })

  it('have names and labels that a scraper can read, whatever programs call theirs', async () => {
    const metrics = new AgentMetrics()
    metrics.happened(measured(sampleJob, 1, { 'a"b\\c\nd{}': 1 }))
    expect(await metrics.text()).toContain(`metric="a\\"b\\\\c\\nd{}"} 1\n`)
  })
})
