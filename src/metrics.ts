/**
 * Every counter, gauge and histogram, and their text for Prometheus. Labels are routes, tasks, stages, codes and our
 * own models, never what a client chooses.
 */
import { Counter, Gauge, Histogram, Registry as Collection, collectDefaultMetrics } from 'prom-client'

type EngineCounts = {
  waiting: number
  running: number
  slotsInUse: number
  queuedCost: number
  units: { kind: string; rows: number; seconds: number }[]
  bus?: { up: number; down: number; buffers: number; held: number } | undefined
}

export type Metrics = ReturnType<typeof createMetrics>

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]
const secondsOfToken = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const stagesOfAll = ['start', 'queue'] // of every job that an engine had; others it may not go through
const rows = [1, 2, 4, 8, 16, 32, 64]
const tokens = [1, 2, 4, 8, 16, 32, 64, 128, 256]

export function createMetrics () {
  const collection = new Collection()
  const registers = [collection]
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const histogram = <L extends string>(name: string, help: string, labelNames: L[], buckets: number[]) =>
    new Histogram({ name, help, labelNames, buckets, registers })

  const requests = histogram(
    'lavit_request_duration_seconds',
    'From the head of a request to the end of its answer',
    ['route', 'method', 'status'],
    seconds
  )
  const inFlight = gauge('lavit_requests_in_flight', 'Requests being answered')
  const errors = counter('lavit_errors_total', 'Problem documents by code', ['code'])
  const cancelled = counter('lavit_cancelled_total', 'Jobs ended before they were done, by where they were and why', [
    'stage',
    'code'
  ])
  const stages = histogram(
    'lavit_stage_duration_seconds',
    'Time of a job in each stage that it went through',
    ['route', 'stage'],
    seconds
  )
  const firstToken = histogram(
    'lavit_time_to_first_token_seconds',
    'From the head of a request to its first token',
    ['model', 'task'],
    seconds
  )
  const perToken = histogram(
    'lavit_time_per_output_token_seconds',
    'Time of each token after the first, on an average of its request',
    ['model', 'task'],
    secondsOfToken
  )
  const kept = histogram('lavit_kept_tokens_per_picture', 'Visual tokens that stay of a picture', ['model'], tokens)
  const previews = counter('lavit_previews_total', 'Pictures painted of the first tokens of others', ['model'])
  const lookups = counter(
    'lavit_encoding_lookups_total',
    'Pictures looked for among those seen before, by name (ref) or by pixels',
    ['by', 'result']
  )
  const states = gauge('lavit_model_state', '1 for the state that a model is in', ['model', 'state'])
  const queueLength = gauge('lavit_queue_length', 'Requests waiting in the engine', ['model'])
  const queuedCost = gauge('lavit_queued_cost', 'Cost admitted and not yet done; scale out on it', ['model'])
  const running = gauge('lavit_running', 'Requests being worked on in the engine', ['model'])
  const slots = gauge('lavit_kv_slots_in_use', 'Places of the KV cache that are taken', ['model'])
  const batchSize = histogram('lavit_batch_size', 'Rows of each unit of work', ['model', 'kind'], rows)
  const unitDuration = histogram(
    'lavit_unit_duration_seconds',
    'Time of each unit of work',
    ['model', 'kind'],
    seconds
  )
  const restarts = counter('lavit_engine_restarts_total', 'Engine processes started in place of one that ended', [
    'model',
    'device'
  ])
  const pipeBytes = counter(
    'lavit_pipe_bytes_total',
    'Bytes of pixels and features that crossed the pipe to engines and back',
    ['model', 'direction']
  )

  const bulkItems = counter('lavit_bulk_items_total', 'Lines of batches that are done, by the route that they asked', [
    'route',
    'status'
  ])
  const deviceEngines = gauge('lavit_device_engines', 'Engines that run on a device', ['device'])
  const deviceBudget = gauge(
    'lavit_device_budget_bytes',
    'Memory for models on a device; absent where nothing bounds it',
    ['device']
  )
  const deviceUsed = gauge('lavit_device_used_bytes', 'Memory that models on a device are taken to need', ['device'])

  const busBytes = counter(
    'lavit_device_bus_bytes_total',
    'Bytes of inputs and outputs of graphs that went to a GPU (up) and came from it (down)',
    ['model', 'direction']
  )
  const deviceBuffers = gauge('lavit_device_buffers', 'Buffers on a GPU for keys, values and what passes', ['model'])
  const deviceBufferBytes = gauge('lavit_device_buffer_bytes', 'Bytes of these buffers', ['model'])

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
    countBulkItem: (route: string, isGood: boolean) =>
      bulkItems.inc({ route, status: isGood ? 'completed' : 'failed' }),
    countError: (code: string) => errors.inc({ code }),
    countCancelled: (stage: string, code: string) => cancelled.inc({ stage, code }),
    observeStages (route: string, timings: Record<string, number>) {
      for (const [stage, durationMs] of Object.entries(timings)) {
        if (durationMs > 0 || stagesOfAll.includes(stage)) stages.observe({ route, stage }, durationMs / 1000)
      }
    },
    observeAnswer (
      { model, task }: { model: string; task: string },
      seen: { firstTokenMs?: number; tokenMs?: number; kept: number[] }
    ) {
      if (seen.firstTokenMs !== undefined) firstToken.observe({ model, task }, seen.firstTokenMs / 1000)
      if (seen.tokenMs !== undefined) perToken.observe({ model, task }, seen.tokenMs / 1000)
      for (const count of seen.kept) kept.observe({ model }, count)
    },
    countPreview: (model: string) => previews.inc({ model }),
    countLookup: (by: 'ref' | 'pixels', isHit: boolean) => lookups.inc({ by, result: isHit ? 'hit' : 'miss' }),
    setModelStates (models: { name: string; state: string }[]) {
      states.reset()
      for (const { name, state } of models) states.set({ model: name, state }, 1)
    },
    setDevices (devices: { id: string; engines: number; budget_bytes: number | null; used_bytes: number }[]) {
      for (const gauge of [deviceEngines, deviceBudget, deviceUsed]) gauge.reset()
      for (const { id: device, engines, budget_bytes: budget, used_bytes: used } of devices) {
        deviceEngines.set({ device }, engines)
        deviceUsed.set({ device }, used)
        if (budget !== null) deviceBudget.set({ device }, budget)
      }
    },
    /**
     * Takes a report of a model's engines: gauges as they are now, and the units since the last one. Restarts count
     * from 0 on, since who sees a counter begin with 1 sees no increase.
     */
    addEngineCounts (model: string, counts: EngineCounts, device: string) {
      restarts.inc({ model, device }, 0)
      queueLength.set({ model }, counts.waiting)
      running.set({ model }, counts.running)
      slots.set({ model }, counts.slotsInUse)
      queuedCost.set({ model }, counts.queuedCost)
      for (const { kind, rows, seconds } of counts.units) {
        batchSize.observe({ model, kind }, rows)
        unitDuration.observe({ model, kind }, seconds)
      }
      if (counts.bus) {
        busBytes.inc({ model, direction: 'up' }, counts.bus.up)
        busBytes.inc({ model, direction: 'down' }, counts.bus.down)
        deviceBuffers.set({ model }, counts.bus.buffers)
        deviceBufferBytes.set({ model }, counts.bus.held)
      } else {
        deviceBuffers.remove({ model })
        deviceBufferBytes.remove({ model })
      }
    },
    countRestart: (model: string, device: string) => restarts.inc({ model, device }),
    countPipeBytes: (model: string, direction: string, bytes: number) => pipeBytes.inc({ model, direction }, bytes)
  }
}
