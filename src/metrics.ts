/**
 * Every counter, gauge and histogram, and their text for Prometheus. Labels are routes, tasks and our own models, never
 * what a client chooses.
 */
import { Counter, Gauge, Histogram, Registry as Collection, collectDefaultMetrics } from 'prom-client'

type EngineCounts = {
  waiting: number
  running: number
  slotsInUse: number
  queuedCost: number
  units: { kind: string; rows: number; seconds: number }[]
}

export type Metrics = ReturnType<typeof createMetrics>

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const rows = [1, 2, 4, 8, 16, 32, 64]

export function createMetrics () {
  const collection = new Collection()
  const registers = [collection]
  const requests = new Histogram({
    name: 'lavit_request_duration_seconds',
    help: 'From the head of a request to the end of its answer',
    labelNames: ['route', 'method', 'status'],
    buckets: seconds,
    registers
  })
  const inFlight = new Gauge({ name: 'lavit_requests_in_flight', help: 'Requests being answered', registers })
  const errors = new Counter({
    name: 'lavit_errors_total',
    help: 'Problem documents by code',
    labelNames: ['code'],
    registers
  })
  const stages = new Histogram({
    name: 'lavit_stage_duration_seconds',
    help: 'Time of a job in each stage',
    labelNames: ['route', 'stage'],
    buckets: seconds,
    registers
  })
  const states = new Gauge({
    name: 'lavit_model_state',
    help: '1 for the state that a model is in',
    labelNames: ['model', 'state'],
    registers
  })
  const queueLength = new Gauge({
    name: 'lavit_queue_length',
    help: 'Requests waiting in the engine',
    labelNames: ['model'],
    registers
  })
  const queuedCost = new Gauge({
    name: 'lavit_queued_cost',
    help: 'Cost admitted and not yet done; scale out on it',
    labelNames: ['model'],
    registers
  })
  const running = new Gauge({
    name: 'lavit_running',
    help: 'Requests being worked on in the engine',
    labelNames: ['model'],
    registers
  })
  const slots = new Gauge({
    name: 'lavit_kv_slots_in_use',
    help: 'Places of the KV cache that are taken',
    labelNames: ['model'],
    registers
  })
  const batchSize = new Histogram({
    name: 'lavit_batch_size',
    help: 'Rows of each unit of work',
    labelNames: ['model', 'kind'],
    buckets: rows,
    registers
  })
  const unitDuration = new Histogram({
    name: 'lavit_unit_duration_seconds',
    help: 'Time of each unit of work',
    labelNames: ['model', 'kind'],
    buckets: seconds,
    registers
  })

  return {
    contentType: collection.contentType,
    text: () => collection.metrics(),
    /** Name, type, help and labels of each. */
    describe: () => collection.getMetricsAsArray(),
    watchProcess: () => collectDefaultMetrics({ register: collection }),
    requestStarted: () => inFlight.inc(),
    requestEnded (route: string, method: string, status: number, durationMs: number) {
      inFlight.dec()
      requests.observe({ route, method, status }, durationMs / 1000)
    },
    countError: (code: string) => errors.inc({ code }),
    observeStages (route: string, timings: Record<string, number>) {
      for (const [stage, durationMs] of Object.entries(timings)) stages.observe({ route, stage }, durationMs / 1000)
    },
    setModelStates (models: { name: string; state: string }[]) {
      states.reset()
      for (const { name, state } of models) states.set({ model: name, state }, 1)
    },
    /** Takes an engine's report: its gauges as they are now, and the units since the last one. */
    addEngineCounts (model: string, counts: EngineCounts) {
      queueLength.set({ model }, counts.waiting)
      running.set({ model }, counts.running)
      slots.set({ model }, counts.slotsInUse)
      queuedCost.set({ model }, counts.queuedCost)
      for (const { kind, rows, seconds } of counts.units) {
        batchSize.observe({ model, kind }, rows)
        unitDuration.observe({ model, kind }, seconds)
      }
    }
  }
}
