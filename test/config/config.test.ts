// covers: src/config/trust-proxy.ts src/config/variables.ts
import { readFileSync } from 'node:fs'
import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { Environment } from '../../src/config/environment.ts'
import { findUnknownVariables, StartError } from '../../src/config/variables.ts'

const names = Object.keys(Environment.properties)

/**
 * For each variable: texts that are taken, with what becomes of them, and texts that are refused, with what the refusal
 * must name.
 */
const table: Record<
  string,
  { key: string; taken: [text: string, value: unknown][]; refused: string[]; allowed: string }
> = {
  HOST: {
    key: 'host',
    taken: [
      ['::', '::'],
      [' localhost\n', 'localhost']
    ],
    refused: ['a b'],
    allowed: 'an address'
  },
  PORT: {
    key: 'port',
    taken: [
      ['0', 0],
      ['65535', 65535],
      [' 8080 ', 8080],
      ['08080', 8080]
    ],
    refused: ['abc', '65536', '-1', '1e3', '0x10', '80.5', '8080;', '१'],
    allowed: '0 to 65535'
  },
  LAVIT_METRICS_PORT: {
    key: 'metricsPort',
    taken: [['9090', 9090]],
    refused: ['-1', '65536', 'x'],
    allowed: '0 to 65535'
  },
  LAVIT_MODELS: {
    key: 'modelsFolder',
    taken: [
      ['/data', '/data'],
      ['data', '/srv/data']
    ],
    refused: [],
    allowed: ''
  },
  LAVIT_MODEL: { key: 'defaultModel', taken: [['other', 'other']], refused: [], allowed: '' },
  LAVIT_PACKAGE_KEYS: { key: 'packageKeys', taken: [], refused: ['a.pem,', ','], allowed: 'files of public keys' },
  LAVIT_DEVICE: {
    key: 'devices',
    taken: [
      ['cpu', ['cpu']],
      ['auto', ['auto']],
      ['WebGPU:1, webgpu,cpu', ['webgpu:1', 'webgpu', 'cpu']]
    ],
    refused: ['gpu', 'cpu,cpu', '0', 'cuda'],
    allowed: 'auto, or a list with commas of cpu, webgpu'
  },
  LAVIT_DEVICE_BUDGET_MB: {
    key: 'deviceBudgetMb',
    taken: [
      ['0', 0],
      ['20000', 20_000]
    ],
    refused: ['-1', 'all'],
    allowed: '0 to 16777216'
  },
  LAVIT_ENGINES: {
    key: 'engines',
    taken: [
      ['0', 0],
      ['2', 2]
    ],
    refused: ['-1', '257', 'auto'],
    allowed: '0 to 256'
  },
  LAVIT_ENGINE_TIMEOUT_MS: {
    key: 'engineTimeoutMs',
    taken: [
      ['0', 0],
      ['30000', 30_000]
    ],
    refused: ['-1', '30s', '9'.repeat(30)],
    allowed: '0 to 3600000'
  },
  LAVIT_THREADS: {
    key: 'threads',
    taken: [
      ['0', 0],
      ['4', 4]
    ],
    refused: ['-1', '2.5', 'all', '1e3', '9'.repeat(30)],
    allowed: '0 to 1024'
  },
  LAVIT_SLOTS: { key: 'slots', taken: [['1', 1]], refused: ['0', '1025', 'x'], allowed: '1 to 1024' },
  LAVIT_QUEUE_LIMIT: {
    key: 'queueLimit',
    taken: [['1', 1]],
    refused: ['0', 'x', '9'.repeat(30)],
    allowed: '1 to 1000000'
  },
  LAVIT_QUEUE_COST: {
    key: 'queueCost',
    taken: [['5000000000', 5_000_000_000]],
    refused: ['0', 'x', '9'.repeat(30)],
    allowed: '1 to 1000000000000'
  },
  LAVIT_CLIENT_SHARE: {
    key: 'clientShare',
    taken: [
      ['0.5', 0.5],
      ['1', 1]
    ],
    refused: ['0', '1.5', '-0.5', '1e-1', 'x'],
    allowed: 'a number from 0.01 to 1'
  },
  LAVIT_MAX_IMAGE_BYTES: {
    key: 'maxImageBytes',
    taken: [['1', 1]],
    refused: ['0', '10MB', '9'.repeat(30)],
    allowed: '1 to 268435456'
  },
  LAVIT_MAX_UPLOAD_BYTES: {
    key: 'maxUploadBytes',
    taken: [['1', 1]],
    refused: ['0', '40MB', '9'.repeat(30)],
    allowed: '1 to 1073741824'
  },
  LAVIT_UPLOAD_MEMORY_MB: {
    key: 'uploadMemoryMb',
    taken: [['60', 60]],
    refused: ['0', '1GB', '9'.repeat(30)],
    allowed: '1 to 16777216'
  },
  LAVIT_MAX_IMAGE_PIXELS: {
    key: 'maxImagePixels',
    taken: [['1', 1]],
    refused: ['0', '4k', '9'.repeat(30)],
    allowed: '1 to 1000000000'
  },
  LAVIT_IMAGE_FORMATS: {
    key: 'imageFormats',
    taken: [
      ['png', ['png']],
      ['PNG, svg', ['png', 'svg']]
    ],
    refused: ['tiff', 'png,', 'png jpeg'],
    allowed: 'a list with commas of png, jpeg, webp, gif, avif, svg'
  },
  LAVIT_FETCH_IMAGES: {
    key: 'fetchImages',
    taken: [
      ['off', 'off'],
      ['HTTPS', 'https'],
      ['http', 'http']
    ],
    refused: ['true', 'on', 'https,http'],
    allowed: 'off, https, http'
  },
  LAVIT_FETCH_TIMEOUT_MS: {
    key: 'fetchTimeoutMs',
    taken: [['600000', 600_000]],
    refused: ['0', '5s', '600001'],
    allowed: '1 to 600000'
  },
  LAVIT_MAX_PROMPT_CHARACTERS: {
    key: 'maxPromptCharacters',
    taken: [['1', 1]],
    refused: ['0', 'x', '9'.repeat(30)],
    allowed: '1 to 1000000'
  },
  LAVIT_IMAGE_CACHE_MB: {
    key: 'encodingBytes',
    taken: [['0', 0]],
    refused: ['-1', '64MB'],
    allowed: '0 to 16777216'
  },
  LAVIT_MEMORY_BUDGET_MB: {
    key: 'memoryBudgetMb',
    taken: [['512', 512]],
    refused: ['-1', '2GB', '9'.repeat(30)],
    allowed: '0 to 16777216'
  },
  LAVIT_SSE_KEEPALIVE_MS: {
    key: 'sseKeepAliveMs',
    taken: [
      ['1', 1],
      ['3600000', 3_600_000]
    ],
    refused: ['0', '15s', '3600001'],
    allowed: '1 to 3600000'
  },
  LAVIT_GRACE_MS: {
    key: 'graceMs',
    taken: [
      ['0', 0],
      ['86400000', 86_400_000]
    ],
    refused: ['-1', '10s', '86400001', '2147483648'],
    allowed: '0 to 86400000'
  },
  LAVIT_BATCH_DIR: { key: 'batchFolder', taken: [['batches', '/srv/batches']], refused: [], allowed: 'a folder' },
  LAVIT_BATCH_FILE_BYTES: { key: 'batchFileBytes', taken: [['1', 1]], refused: ['0', '1MB'], allowed: '1 to 109951' },
  LAVIT_BATCH_LINES: { key: 'batchLines', taken: [['10', 10]], refused: ['0', '10000001'], allowed: '1 to 10000000' },
  LAVIT_BATCH_DISK_MB: { key: 'batchDiskMb', taken: [['1', 1]], refused: ['0'], allowed: '1 to 1073741824' },
  LAVIT_BATCH_KEEP_HOURS: { key: 'batchKeepHours', taken: [['1', 1]], refused: ['0', '87601'], allowed: '1 to 87600' },
  LAVIT_BATCH_IN_FLIGHT: { key: 'batchInFlight', taken: [['1', 1]], refused: ['0', '10001'], allowed: '1 to 10000' },
  LAVIT_KEYS_FILE: {
    key: 'keysFile',
    taken: [
      ['/etc/keys.json', '/etc/keys.json'],
      ['keys.json', '/srv/keys.json']
    ],
    refused: [],
    allowed: ''
  },
  LAVIT_ADMIN_KEY: {
    key: 'adminKey',
    taken: [[' 0123456789abcdef ', '0123456789abcdef']],
    refused: ['short', '0123456789 abcdef', '0123456789abcdéf'],
    allowed: 'at least 16 visible ASCII characters'
  },
  LAVIT_CORS_ORIGINS: {
    key: 'corsOrigins',
    taken: [
      ['*', ['*']],
      ['https://a.example, http://localhost:3000', ['https://a.example', 'http://localhost:3000']]
    ],
    refused: ['a.example', 'https://a.example/', 'https://a.example,'],
    allowed: 'origins such as https://example.org'
  },
  LAVIT_TRUST_PROXY: {
    key: 'trustProxy',
    taken: [
      ['true', true],
      ['False', false],
      ['loopback, 10.0.0.0/8,::1', ['loopback', '10.0.0.0/8', '::1']]
    ],
    refused: ['10.0.0.0/33', 'proxy', '10.0.0.1,', '1.2.3'],
    allowed: 'a number of proxies'
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    key: 'isTraced',
    taken: [[' http://collector:4318 ', true]],
    refused: ['collector:4318'],
    allowed: 'an address of http or https'
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: {
    key: 'isTraced',
    taken: [['https://collector/v1/traces', true]],
    refused: ['/v1/traces'],
    allowed: 'an address of http or https'
  },
  OTEL_TRACES_EXPORTER: {
    key: 'isTraced',
    taken: [
      ['otlp', true],
      ['none', false]
    ],
    refused: ['zipkin'],
    allowed: 'otlp, none'
  },
  OTEL_SDK_DISABLED: {
    key: 'isTraced',
    taken: [['true', false]],
    refused: ['yes'],
    allowed: 'false, true'
  },
  LOG_LEVEL: {
    key: 'logLevel',
    taken: [
      ['silent', 'silent'],
      ['INFO', 'info']
    ],
    refused: ['loud', '30'],
    allowed: 'fatal, error, warn, info, debug, trace, silent'
  }
}

t.test('the table above has every variable', async t => {
  t.strictSame(Object.keys(table), names)
})

t.test('traces are kept where an exporter is set, and not where one of the others says no', async t => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
  t.notOk(readConfig({}, '/srv').isTraced)
  t.ok(readConfig({ ...endpoint, OTEL_TRACES_EXPORTER: 'otlp' }, '/srv').isTraced)
  t.notOk(readConfig({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, '/srv').isTraced)
  t.notOk(readConfig({ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }, '/srv').isTraced)
})

t.test('defaults hold where nothing is set', async t => {
  t.match(readConfig({}, '/srv'), {
    host: '127.0.0.1',
    port: 8080,
    modelsFolder: '/srv/models',
    defaultModel: 'lavit-mini',
    devices: ['cpu'],
    imageFormats: ['png', 'jpeg', 'webp', 'gif', 'avif'],
    adminKey: undefined
  })
})

t.test('the picture cache is for encodings by one half, and by the other for what engines read', async t => {
  t.match(readConfig({ LAVIT_IMAGE_CACHE_MB: '3' }, '/srv'), { encodingBytes: 1_572_864, prefixBytes: 1_572_864 })
})

t.test('an empty value is none', async t => {
  for (const empty of ['', ' \t']) {
    t.strictSame(readConfig(Object.fromEntries(names.map(name => [name, empty])), '/srv'), readConfig({}, '/srv'))
  }
})

t.test('the result is frozen and holds nothing else', async t => {
  const config = readConfig({ UNRELATED: 'x' }, '/srv')
  t.ok(Object.isFrozen(config))
  t.notOk('UNRELATED' in config)
})

for (const [name, { key, taken, refused, allowed }] of Object.entries(table)) {
  t.test(name, async t => {
    for (const [text, value] of taken) {
      t.strictSame({ ...readConfig({ [name]: text }, '/srv') }[key], value, JSON.stringify(text))
    }
    for (const text of refused) {
      const error = refusal({ [name]: text })
      t.equal(error?.exitCode, 78, JSON.stringify(text))
      t.match(error?.message, /^[^\n]+$/, 'one line')
      t.ok(error?.message.startsWith(name))
      t.ok(error?.message.includes(allowed), `it says what is allowed: ${error?.message}`)
      t.equal(
        error?.message.includes(JSON.stringify(text)),
        name !== 'LAVIT_ADMIN_KEY',
        'the value is shown unless it is secret'
      )
    }
  })
}

t.test('each wrong variable has its line', async t => {
  t.strictSame(refusal({ PORT: 'x\ny', LAVIT_SLOTS: '0' })?.message.split('\n'), [
    'PORT="x\\ny" is not allowed; allowed is a whole number from 0 to 65535',
    'LAVIT_SLOTS="0" is not allowed; allowed is a whole number from 1 to 1024'
  ])
})

t.test('so have those that are read further than their schema', async t => {
  const wrong = { PORT: 'abc', LAVIT_PACKAGE_KEYS: '/nope.pem', LAVIT_DEVICE: 'gpu', LAVIT_TRUST_PROXY: 'foo' }
  const lines = refusal(wrong)?.message.split('\n').map(line => line.slice(0, line.indexOf('=')))
  t.strictSame(lines, Object.keys(wrong))
})

t.test('a name that is nearly a variable is warned of', async t => {
  t.strictSame(findUnknownVariables({ LAVIT_THREAD: '2', lavit_slots: '1', LAVIT_MODEL: 'x', THREADS: '1' }), [
    'LAVIT_THREAD is no variable of this server; the nearest is LAVIT_THREADS',
    'lavit_slots is no variable of this server; the nearest is LAVIT_SLOTS'
  ])
})

t.test('docs/configuration.md lists exactly the variables', async t => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  const table = page.slice(page.indexOf('<!-- variables -->'), page.indexOf('<!-- /variables -->'))
  t.strictSame(
    [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name),
    names
  )
})

function refusal (environment: Record<string, string>) {
  try {
    readConfig(environment, '/')
  } catch (error) {
    if (error instanceof StartError) return error
    throw error
  }
}
