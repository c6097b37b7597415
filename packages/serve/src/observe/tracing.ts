import type { Context, Span, SpanStatusCode, Tracer } from '@opentelemetry/api'
import type { TraceContext } from './trace-context.ts'

/** Where the times of one request go. */
export interface Trace {
  /** Tells of a stage; both times are of `performance.now()`. */
  span(name: string, from: number, to: number): void
}

/** The trace of a request, until its answer. */
export interface RequestTrace extends Trace {
  /** 32 hexadecimal digits; null when its spans are not recorded. */
  readonly id: string | null
  /** Ends the request's own span. `route`: the path with its parameters, or null for none that is known. */
  end(answer: { readonly method: string; readonly route: string | null; readonly status: number }): void
}

/** Sends spans to a collector. */
export interface Tracing {
  /** Begins the span of a request that arrived at `arrived` (of `performance.now()`), below that of its caller. */
  begin(caller: TraceContext | null, arrived: number): RequestTrace
  /** Sends what was not sent yet. */
  close(): Promise<void>
}

/**
 * Starts tracing to the collector that answers at `endpoint`, by OTLP over HTTP. The variables of OpenTelemetry
 * (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER) hold.
 */
export async function startTracing(endpoint: string, version: string): Promise<Tracing> {
  // Loaded only here, so that a service without tracing does not wait for them.
  const [api, sdk, resources, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ])
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` })
  const provider = new sdk.TracerProvider({
    resource: resources
      .resourceFromAttributes({ 'service.name': 'flowers', 'service.version': version })
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter })],
  })
  const tracer = provider.getTracer('flowers', version)
  return {
    begin: (caller, arrived) => {
      const parent = caller
        ? api.trace.setSpanContext(api.ROOT_CONTEXT, {
            traceId: caller.traceId,
            spanId: caller.parentId,
            traceFlags: caller.sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE,
            isRemote: true,
          })
        : api.ROOT_CONTEXT
      const span = tracer.startSpan('request', { kind: api.SpanKind.SERVER, startTime: toEpoch(arrived) }, parent)
      return requestTrace(tracer, span, api.trace.setSpan(parent, span), api.SpanStatusCode.ERROR)
    },
    close: () => provider.shutdown(),
  }
}

function requestTrace(tracer: Tracer, span: Span, context: Context, failed: SpanStatusCode): RequestTrace {
  return {
    id: span.isRecording() ? span.spanContext().traceId : null,
    span: (name, from, to) => {
      tracer.startSpan(name, { startTime: toEpoch(from) }, context).end(toEpoch(to))
    },
    end: ({ method, route, status }) => {
      span.updateName(route === null ? method : `${method} ${route}`)
      // Names by the semantic conventions of OpenTelemetry for HTTP.
      span.setAttributes({
        'http.request.method': method,
        'http.response.status_code': status,
        ...(route === null ? {} : { 'http.route': route }),
      })
      if (status >= 500) span.setStatus({ code: failed })
      span.end()
    },
  }
}

/** Milliseconds since 1970 of a time of `performance.now()`. */
function toEpoch(time: number): number {
  return performance.timeOrigin + time
}
