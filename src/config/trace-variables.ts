/** Variables of OpenTelemetry that say whether traces are kept; the others are its SDK's own. */
import { Type } from 'typebox'

const httpAddress = { pattern: '^https?://\\S+$', allowed: 'an address of http or https' }

export const traceVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    Type.String({
      ...httpAddress,
      description:
        'Where OpenTelemetry traces go, as JSON over HTTP, with `/v1/traces` behind it ' +
        '([docs/tracing.md](docs/tracing.md)); unset keeps none'
    })
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Type.Optional(
    Type.String({ ...httpAddress, description: 'The same, with nothing behind it' })
  ),
  OTEL_TRACES_EXPORTER: Type.Optional(
    Type.Enum(['otlp', 'none'], {
      description: '`otlp` keeps traces, for `http://localhost:4318` where no endpoint is set; `none` keeps none'
    })
  ),
  OTEL_SDK_DISABLED: Type.Enum(['false', 'true'], { default: 'false', description: '`true` keeps no traces' })
}
