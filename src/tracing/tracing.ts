/** Spans to an exporter of OpenTelemetry. The SDK is loaded by `openTracing`, and by nothing else. */
import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Span } from '@opentelemetry/api'
import type { SpanOf } from './spans.ts'

export type RequestTrace = {
  /** As they stand in lines of the log. */
  ids: { trace_id: string; span_id: string }
  /** When it began, by `performance.now()`. */
  from: number
  /** Once, with all that there is to tell. */
  end: (request: Omit<SpanOf, 'from' | 'isClient'>) => void
}

export type Tracing = {
  /** Begins the span of a request, within the trace that its `traceparent` names. */
  begin: (headers: IncomingHttpHeaders) => RequestTrace
  /** Sends what has not been sent; a receiver that does not take it within two seconds goes without. */
  close: () => Promise<void>
}

type Log = { warn: (message: string) => void }

const longestCloseMs = 2000

/** Where it sends spans is told by the variables `OTEL_…`, which the SDK reads; they go as JSON over HTTP. */
export async function openTracing (version: string, log: Log): Promise<Tracing> {
  const [api, core, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources')
  ])
  const warn = (message: string) => log.warn(`traces: ${message}`)
  const ignore = () => {}
  const logger = { error: warn, warn, info: ignore, debug: ignore, verbose: ignore }
  api.diag.setLogger(logger, { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true })
  const told = resources.detectResources({ detectors: [resources.envDetector] })
  const provider = new sdk.BasicTracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes({ 'service.name': 'lavit-server', 'service.version': version }))
      .merge(told),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())]
  })
  const tracer = provider.getTracer('lavit-server', version)
  const propagator = new core.W3CTraceContextPropagator()

  return { begin, close }

  async function close (): Promise<void> {
    const isSent = provider.shutdown().then(() => true)
    const late = pause(longestCloseMs, false, { ref: false })
    const sent = await Promise.race([isSent, late]).catch(error => warn(String(error)))
    if (sent === false) warn('the receiver did not take the last spans')
  }

  function begin (headers: IncomingHttpHeaders): RequestTrace {
    const from = performance.now()
    const epochMs = Date.now() - from // of this request: the two clocks drift apart
    const at = (time: number) => core.millisToHrTime(epochMs + time)
    const outside = propagator.extract(api.ROOT_CONTEXT, headers, api.defaultTextMapGetter)
    const root = tracer.startSpan('HTTP', { kind: api.SpanKind.SERVER, startTime: at(from) }, outside)
    const { traceId, spanId } = root.spanContext()
    return {
      ids: { trace_id: traceId, span_id: spanId },
      from,
      end ({ name, ...told }) {
        root.updateName(name)
        finish(root, told)
      }
    }

    function finish (span: Span, told: Omit<SpanOf, 'name' | 'from' | 'isClient'>): void {
      const { attributes = {}, errorType, parts = [], to } = told
      span.setAttributes(attributes)
      if (errorType !== undefined) {
        span.setAttribute('error.type', errorType)
        span.setStatus({ code: api.SpanStatusCode.ERROR })
      }
      const inside = api.trace.setSpan(outside, span)
      for (const { name, from, isClient, ...told } of parts) {
        const kind = isClient ? api.SpanKind.CLIENT : api.SpanKind.INTERNAL
        finish(tracer.startSpan(name, { kind, startTime: at(from) }, inside), told)
      }
      span.end(at(to))
    }
  }
}
