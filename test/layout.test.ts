import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, matchesGlob, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Rooms from the leaves up: each may import itself and the rooms named here. */
const layers: Record<string, string[]> = {
  'src/errors.ts': [],
  'src/bulk': [],
  'src/config': [],
  'src/metrics.ts': [],
  'src/schemas': [],
  'src/package': ['src/schemas'],
  'src/pipe': ['src/errors.ts', 'src/package'],
  'src/devices': [],
  'src/admission': ['src/errors.ts', 'src/pipe'],
  'src/graphs': ['src/package'],
  'src/engine': ['src/errors.ts', 'src/package', 'src/pipe', 'src/graphs'],
  'src/codecs': ['src/errors.ts'],
  'src/fetching': ['src/errors.ts', 'src/pipe', 'src/admission'],
  'src/registry': [
    'src/errors.ts',
    'src/admission',
    'src/schemas',
    'src/package',
    'src/pipe',
    'src/devices',
    'src/codecs'
  ],
  'src/tasks': [
    'src/errors.ts',
    'src/config',
    'src/schemas',
    'src/package',
    'src/pipe',
    'src/admission',
    'src/codecs',
    'src/fetching',
    'src/registry'
  ],
  'src/batches': ['src/errors.ts', 'src/bulk', 'src/codecs', 'src/schemas'],
  'src/openai': ['src/errors.ts', 'src/schemas', 'src/codecs', 'src/tasks'],
  'src/mcp': ['src/schemas'],
  'src/tracing': ['src/pipe', 'src/tasks'],
  'src/plugins': [
    'src/errors.ts',
    'src/batches',
    'src/admission',
    'src/openai',
    'src/config',
    'src/metrics.ts',
    'src/schemas',
    'src/codecs',
    'src/fetching',
    'src/registry',
    'src/tasks',
    'src/tracing'
  ],
  'src/routes': [
    'src/errors.ts',
    'src/bulk',
    'src/batches',
    'src/mcp',
    'src/openai',
    'src/config',
    'src/metrics.ts',
    'src/schemas',
    'src/codecs',
    'src/registry',
    'src/tasks',
    'src/plugins'
  ],
  'src/app.ts': [
    'src/config',
    'src/metrics.ts',
    'src/schemas',
    'src/fetching',
    'src/registry',
    'src/plugins',
    'src/routes',
    'src/tracing'
  ],
  'src/start-errors.ts': ['src/errors.ts', 'src/batches', 'src/config'],
  'src/server.ts': [
    'src/app.ts',
    'src/config',
    'src/metrics.ts',
    'src/codecs',
    'src/registry',
    'src/start-errors.ts',
    'src/tracing'
  ],
  'src/cli': [
    'src/app.ts',
    'src/bulk',
    'src/config',
    'src/metrics.ts',
    'src/package',
    'src/registry',
    'src/server.ts',
    'src/start-errors.ts'
  ],
  evaluate: ['src/bulk', 'src/engine', 'src/graphs'],
  'playground/src/pure': ['src/engine'], // the rule of which patches stay
  'playground/src/server': ['src/bulk', 'playground/src/pure'], // how long to wait for another try
  'playground/src/state': [
    'src/schemas',
    'playground/src/pure',
    'playground/src/server',
    'playground/src/codes',
    'playground/src/samples'
  ],
  'playground/src/parts': ['src/schemas', 'playground/src/pure', 'playground/src/server', 'playground/src/state'],
  'playground/src/main.tsx': ['playground/src/parts', 'playground/src/state', 'playground/src/style']
}

/** The only files that may import a package. */
const doors: Record<string, string[]> = {
  sharp: ['src/codecs/image.ts', 'src/codecs/pixels.ts', 'evaluate/judge/network.ts'],
  'wink-*': ['src/codecs/tagger.ts'],
  'node:worker_threads': ['src/codecs/lemmas.ts', 'src/codecs/release.ts', 'src/codecs/tagger.ts'],
  'onnxruntime-node': ['src/graphs/session.ts', 'evaluate/judge/network.ts'],
  'ipaddr.js': ['src/fetching/addresses.ts'],
  'prom-client': ['src/metrics.ts'],
  'node:child_process': ['src/pipe/engine-process.ts', 'src/codecs/decoder-client.ts', 'src/devices/command.ts'],
  '@nats-io/*': ['src/cli/bulk/nats.ts', 'src/cli/bulk/nats-connection.ts'],
  'tar-stream': ['src/cli/bulk/tar.ts'],
  '@opentelemetry/*': ['src/tracing/tracing.ts'],
  '@modelcontextprotocol/*': ['src/mcp/server.ts'],
  'fastify*': ['src/app.ts', 'src/routes/**', 'src/plugins/**'],
  '@fastify/**': ['src/app.ts', 'src/routes/**', 'src/plugins/**']
}

const sources = ['src', 'evaluate', 'playground/src'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.tsx?$/.test(name))
    .map(name => join(folder, name))
)
const imports = new Map(sources.map(file => [file, importsOf(file)]))

t.test('every room imports only from the rooms below it', async t => {
  const wrong: string[] = []
  for (const [file, names] of imports) {
    const room = roomOf(file)
    for (const target of names.filter(name => name.startsWith('.')).map(name => join(dirname(file), name))) {
      const other = roomOf(target)
      if (other !== room && !layers[room]?.includes(other)) wrong.push(`${file} -> ${target}`)
    }
  }
  t.strictSame(wrong, [])
})

t.test('packages with one door are imported through it', async t => {
  const wrong: string[] = []
  for (const [file, names] of imports) {
    for (const name of names) {
      const door = Object.entries(doors).find(([pattern]) => matchesGlob(name, pattern))?.[1]
      if (door && !door.some(pattern => matchesGlob(file, pattern))) wrong.push(`${file} -> ${name}`)
    }
  }
  t.strictSame(wrong, [])
})

t.test('no file reaches itself through its imports', async t => {
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) return circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    if (done.has(file)) return
    for (const name of imports.get(file) ?? []) {
      if (name.startsWith('.')) visit(join(dirname(file), name), [...path, file])
    }
    done.add(file)
  }
  for (const file of imports.keys()) visit(file, [])
  t.strictSame(circles, [])
})

t.test('the table names every room', async t => {
  t.strictSame([...new Set([...imports.keys()].map(roomOf))].sort(), Object.keys(layers).sort())
})

t.test('files are short', async t => {
  const lengths = sources.filter(isServed).map(file => ({ file, lines: textOf(file).split('\n').length - 1 }))
  t.strictSame(lengths.filter(({ lines }) => lines > 200), [])
  const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  t.ok(median < 70, `median of ${median} lines`)
})

t.test('a file that does something has a test of its name, or is named by the test that covers it', async t => {
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .map(name => join('test', name))
  const named = tests.map(file => file.replace('test', 'src').replace('.test.ts', '.ts'))
  const covered = tests.flatMap(coveredBy)
  const doing = sources
    .filter(file => isServer(file) && !file.endsWith('.d.ts'))
    .filter(file => nodesOf(file).some(ts.isFunctionLike))
  t.strictSame(
    doing.filter(file => !named.includes(file) && !covered.includes(file)),
    []
  )
  t.strictSame(
    covered.filter(file => !doing.includes(file) || named.includes(file)),
    [],
    'what is named exists, does something and has no test of its own'
  )
})

t.test('what the compiler is told to believe does not grow', async t => {
  const nodes = sources.filter(isServed).flatMap(file => nodesOf(file))
  const casts = nodes.filter(
    node =>
      (ts.isAsExpression(node) && node.type.getText() !== 'const') || ts.isTypeAssertionExpression(node)
  )
  t.ok(casts.length <= 8, `${casts.length} casts`)
  const marks = nodes.filter(ts.isNonNullExpression)
  t.ok(marks.length <= 36, `${marks.length} non-null marks`)
})

/** The files that the first lines of a test name: `// covers: src/a.ts src/b.ts`. */
function coveredBy (test: string): string[] {
  const head = /^(\/\/ covers: .*\n)*/.exec(textOf(test))?.[0] ?? ''
  return head.match(/src\/\S+/g) ?? []
}

function isServer (file: string) {
  return file.startsWith('src/')
}

function isServed (file: string) {
  return isServer(file) || file.startsWith('playground/')
}

function textOf (file: string) {
  return readFileSync(join(root, file), 'utf8')
}

/** Every node of the file's syntax tree. */
function nodesOf (file: string): ts.Node[] {
  const nodes: ts.Node[] = []
  const visit = (node: ts.Node) => {
    nodes.push(node)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true))
  return nodes
}

/** `src/tasks` of `src/tasks/job.ts`, `src/app.ts` of itself. */
function roomOf (file: string) {
  const [top = '', ...rest] = relative('.', file).split('/')
  if (top === 'playground') return join(top, ...rest.slice(0, 2))
  return top === 'src' && rest[0] ? `src/${rest[0]}` : top
}

/** Names of everything that a file imports, types included, as written. */
function importsOf (file: string) {
  return ts.preProcessFile(textOf(file)).importedFiles.map(({ fileName }) => fileName)
}
