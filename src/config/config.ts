/** The environment, read once into a frozen Config. */
import { resolve } from 'node:path'
import { readDevices } from './devices.ts'
import { readPackageKeys } from './package-keys.ts'
import { readTrustProxy } from './trust-proxy.ts'
import { readVariables, refuse, StartError } from './variables.ts'

const halfMiB = 2 ** 19 // bytes

/** Throws a StartError with a line for each wrong variable. */
export function readConfig (environment: Record<string, string | undefined>, root: string) {
  const { values, refusals } = readVariables(environment)
  const read = <T>(variable: () => T): T | undefined => {
    try {
      return variable()
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      refusals.push(error.message)
    }
  }
  const packageKeys = read(() => readPackageKeys(values.LAVIT_PACKAGE_KEYS.map(file => resolve(root, file))))
  const devices = read(() => devicesOf(values.LAVIT_DEVICE))
  const trustProxy = read(() => proxiesOf(values.LAVIT_TRUST_PROXY))
  if (packageKeys === undefined || devices === undefined || trustProxy === undefined || refusals.length > 0) {
    throw new StartError(refusals.join('\n'))
  }
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    metricsPort: values.LAVIT_METRICS_PORT,
    modelsFolder: resolve(root, values.LAVIT_MODELS),
    defaultModel: values.LAVIT_MODEL,
    packageKeys,
    devices,
    deviceBudgetMb: values.LAVIT_DEVICE_BUDGET_MB,
    engines: values.LAVIT_ENGINES,
    engineTimeoutMs: values.LAVIT_ENGINE_TIMEOUT_MS,
    threads: values.LAVIT_THREADS,
    slots: values.LAVIT_SLOTS,
    queueLimit: values.LAVIT_QUEUE_LIMIT,
    queueCost: values.LAVIT_QUEUE_COST,
    clientShare: values.LAVIT_CLIENT_SHARE,
    maxImageBytes: values.LAVIT_MAX_IMAGE_BYTES,
    maxUploadBytes: values.LAVIT_MAX_UPLOAD_BYTES,
    uploadMemoryMb: values.LAVIT_UPLOAD_MEMORY_MB,
    maxImagePixels: values.LAVIT_MAX_IMAGE_PIXELS,
    imageFormats: values.LAVIT_IMAGE_FORMATS,
    fetchImages: values.LAVIT_FETCH_IMAGES,
    fetchTimeoutMs: values.LAVIT_FETCH_TIMEOUT_MS,
    maxPromptCharacters: values.LAVIT_MAX_PROMPT_CHARACTERS,
    encodingBytes: values.LAVIT_IMAGE_CACHE_MB * halfMiB,
    prefixBytes: values.LAVIT_IMAGE_CACHE_MB * halfMiB,
    memoryBudgetMb: values.LAVIT_MEMORY_BUDGET_MB,
    sseKeepAliveMs: values.LAVIT_SSE_KEEPALIVE_MS,
    graceMs: values.LAVIT_GRACE_MS,
    keysFile: values.LAVIT_KEYS_FILE === undefined ? undefined : resolve(root, values.LAVIT_KEYS_FILE),
    adminKey: values.LAVIT_ADMIN_KEY,
    batchFolder: values.LAVIT_BATCH_DIR === undefined ? undefined : resolve(root, values.LAVIT_BATCH_DIR),
    batchFileBytes: values.LAVIT_BATCH_FILE_BYTES,
    batchLines: values.LAVIT_BATCH_LINES,
    batchDiskMb: values.LAVIT_BATCH_DISK_MB,
    batchKeepHours: values.LAVIT_BATCH_KEEP_HOURS,
    batchInFlight: values.LAVIT_BATCH_IN_FLIGHT,
    corsOrigins: values.LAVIT_CORS_ORIGINS,
    trustProxy,
    isTraced: isTraced(values),
    logLevel: values.LOG_LEVEL
  })
}

function devicesOf (text: string) {
  const read = readDevices(text)
  if ('allowed' in read) throw refuse('LAVIT_DEVICE', text, read.allowed)
  return read.devices
}

function proxiesOf (text: string | undefined) {
  const proxies = readTrustProxy(text)
  if (proxies === undefined) throw refuse('LAVIT_TRUST_PROXY', text)
  return proxies
}

/** As OpenTelemetry's variables say; without any there are no traces. */
function isTraced (values: ReturnType<typeof readVariables>['values']): boolean {
  const { OTEL_TRACES_EXPORTER: exporter, OTEL_SDK_DISABLED: isDisabled } = values
  const endpoint = values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? values.OTEL_EXPORTER_OTLP_ENDPOINT
  return isDisabled !== 'true' && exporter !== 'none' && (exporter === 'otlp' || endpoint !== undefined)
}

export type Config = ReturnType<typeof readConfig>
