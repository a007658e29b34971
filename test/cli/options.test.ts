// covers: src/cli/document.ts src/cli/values.ts src/cli/jobs.ts src/cli/settings.ts src/cli/commands/config.ts
/** Options are the fields of the schemas; a flag stands above a variable, that above the file, that above defaults. */
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { clientVariables } from '../../src/config/client-variables.ts'
import { findUnknownVariables } from '../../src/config/variables.ts'
import { jobs } from '../../src/cli/jobs.ts'
import { DetokenizeRequest, GenerateRequest } from '../../src/schemas/generate.ts'
import { TokenizeRequest } from '../../src/schemas/tokenize.ts'
import { CaptionRequest, VqaRequest } from '../../src/schemas/understanding.ts'
import { buildTestApp, png } from '../helper.ts'
import { lavit } from './fixtures/lavit.ts'

const schemas = {
  caption: CaptionRequest,
  ask: VqaRequest,
  tokenize: TokenizeRequest,
  paint: GenerateRequest,
  detokenize: DetokenizeRequest
}
const common = ['--url', '--key', '--in-flight', '--color', '--json', '--quiet', '--help']
const more: Record<string, string[]> = { tokenize: ['--overlay'], paint: ['--out'], detokenize: ['--out'] }

t.test('the options of a command are the fields of its request, in kebab-case', async t => {
  for (const [name, { properties }] of Object.entries(schemas)) {
    const { stdout } = await lavit([name, '--help'])
    const flags = [...stdout.matchAll(/^ +(?:-h, )?(--(?!no-)[a-z-]+)/gm)].map(([, flag]) => flag)
    const own: readonly string[] = jobs[name as keyof typeof jobs].own
    const fields = Object.keys(properties).filter(field => !own.includes(field))
    t.ok(own.every(field => field in properties), 'what is no option is a field')
    t.strictSame(
      flags.sort(),
      [...fields.map(field => `--${field.replaceAll('_', '-')}`), ...common, ...(more[name] ?? [])].sort(),
      name
    )
  }
})

t.test('the options of bulk are those of its tasks', async t => {
  const { stdout } = await lavit(['bulk', '--help'])
  const flags = [...stdout.matchAll(/^ +(?:-h, )?(--(?!no-)[a-z-]+)/gm)].map(([, flag]) => flag)
  const requests = [CaptionRequest, VqaRequest, TokenizeRequest]
  const fields = new Set(requests.flatMap(({ properties }) => Object.keys(properties)))
  for (const own of ['image', 'visual_tokens', 'stream']) fields.delete(own)
  t.strictSame(
    flags.sort(),
    [
      ...[...fields].map(field => `--${field.replaceAll('_', '-')}`),
      ...common,
      '--out',
      '--do',
      '--shard-size',
      '--sidecars',
      '--shards-from',
      '--creds',
      '--completions',
      '--hold',
      '--at-once'
    ].sort()
  )
})

t.test('flag, variable, file, default', async t => {
  const home = t.testdir({ lavit: {} })
  const write = (values: unknown) => writeFileSync(join(home, 'lavit/config.json'), JSON.stringify(values))
  const tell = async (words: string[] = [], env: Record<string, string> = {}) => {
    const { stdout } = await lavit(['config', '--json', ...words], { env: { XDG_CONFIG_HOME: home, ...env } })
    const lines = stdout.trim().split('\n')
    const rows: { name: string; value: unknown; from: string }[] = lines.map(line => JSON.parse(line))
    return Object.fromEntries(rows.map(({ name, value, from }) => [name, [value, from]]))
  }
  write({})
  t.strictSame((await tell()).in_flight, [8, 'default'])
  write({ in_flight: 5, caption: { num_beams: 4, early_stopping: true } })
  const filed = await tell()
  t.strictSame(filed.in_flight, [5, 'file'])
  t.strictSame(filed['caption.num_beams'], [4, 'file'])
  t.strictSame(filed['caption.early_stopping'], [true, 'file'])
  t.notOk('ask.num_beams' in filed)
  write({ bulk: { shard_size: 5 }, tokenize: { overlay: 'x.png' }, paint: { out: 'y.png' }, bench: { seconds: 1 } })
  t.match(await tell(), {
    'bulk.shard_size': [5, 'file'],
    'tokenize.overlay': ['x.png', 'file'],
    'paint.out': ['y.png', 'file'],
    'bench.seconds': [1, 'file']
  })
  write({ in_flight: 5 })
  t.strictSame((await tell([], { LAVIT_IN_FLIGHT: '6' })).in_flight, [6, 'LAVIT_IN_FLIGHT'])
  t.strictSame((await tell([], { LAVIT_IN_FLIGHT: '' })).in_flight, [5, 'file'], 'an empty variable is none')
  t.strictSame((await tell(['--in-flight', '7'], { LAVIT_IN_FLIGHT: '6' })).in_flight, [7, 'flag'])
  t.strictSame((await tell([], { LAVIT_KEY: 'secret' })).key, ['(not shown)', 'LAVIT_KEY'])

  const faults: [values: unknown, told: RegExp][] = [
    [[], /config\.json: it is no object/],
    [{ in_flight: 'x' }, /config\.json: in_flight: "x" is not a whole number/],
    [{ in_flight: 0 }, /config\.json: in_flight: 0 is not a whole number from 1 to 999999/],
    [{ caption: { beams: 1 } }, /caption\.beams is no option of lavit caption/],
    [{ inflight: 1 }, /config\.json: inflight is no setting/],
    [{ models: 7 }, /config\.json: models is no object\n$/],
    [{ models: { out: 'x' } }, /config\.json: models\.out is no option of lavit models\n$/],
    [{ estimate: { n: 1 } }, /config\.json: estimate\.n is no option of lavit estimate\n$/],
    [{ bulk: { 'shard-size': 5 } }, /config\.json: bulk\.shard-size is no option of lavit bulk\n$/],
    [{ bulk: { shard_size: 0 } }, /config\.json: bulk\.shard_size: 0 is not a whole number from 1 to 999999\n$/],
    [{ bench: { job: 'paint' } }, /config\.json: bench\.job: "paint" is not one of caption, tokenize\n$/],
    [{ sign: { url: 'x' } }, /config\.json: sign\.url is no option of lavit sign\n$/]
  ]
  for (const [values, told] of faults) {
    write(values)
    const { code, stderr } = await lavit(['config'], { env: { XDG_CONFIG_HOME: home } })
    t.equal(code, 2)
    t.match(stderr, told)
  }
})

t.test('requests at a time are a whole number from 1', async t => {
  const wrong = /^error: (--in-flight|LAVIT_IN_FLIGHT): ".*" is not a whole number from 1 to 999999\n$/
  for (const value of ['0', '-3', '1000000']) {
    t.match(await lavit(['models', `--in-flight=${value}`]), { code: 2, stdout: '', stderr: wrong })
    t.match(await lavit(['models'], { env: { LAVIT_IN_FLIGHT: value } }), { code: 2, stdout: '', stderr: wrong })
  }
})

t.test('a configuration file that is not there says nothing, one that cannot be read is told', async t => {
  const home = t.testdir({ lavit: { 'config.json': '{}' } })
  const file = join(home, 'lavit/config.json')
  const tell = (home: string) => lavit(['config'], { env: { XDG_CONFIG_HOME: home } })
  t.match(await tell(join(home, 'none')), { code: 0 })
  t.match(await tell(file), { code: 0 }, 'as where the home is /dev/null')
  rmSync(file)
  mkdirSync(file)
  t.match(await tell(home), { code: 2, stdout: '', stderr: new RegExp(`^error: ${file}: EISDIR: .*\n$`) })
})

t.test('what the file says of a job goes into its requests, a flag above it', async t => {
  const app = await buildTestApp(t)
  const url = await app.listen({ port: 0 })
  const home = t.testdir({ lavit: { 'config.json': JSON.stringify({ url, caption: { n: 3, early_stopping: true } }) } })
  const env = { XDG_CONFIG_HOME: home }
  await lavit(['caption', '--visual-tokens', '1'], { env })
  await lavit(['caption', '--visual-tokens', '1', '--n', '2', '--no-early-stopping'], { env })
  t.match(app.seen.works, [{ n: 3 }, { n: 2 }])
})

t.test('what the file says of options that are no fields holds, too, and a flag stands above it', async t => {
  const app = await buildTestApp(t)
  const url = await app.listen({ port: 0 })
  const folder = t.testdir({ lavit: {}, 'a.png': png, 'b.png': png, 'c.png': png })
  const at = (name: string) => join(folder, name)
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  writeFileSync(at('key.pem'), key)
  const values = {
    url,
    tokenize: { overlay: at('overlay.png') },
    paint: { out: at('painted.webp'), size: '8x8' },
    bench: { seconds: 1, job: 'tokenize' },
    bulk: { out: at('out'), shard_size: 2, sidecars: true, completions: 7, at_once: 9 },
    sign: { key: at('key.pem') }
  }
  writeFileSync(at('lavit/config.json'), JSON.stringify(values))
  const run = (...words: string[]) => lavit(words, { env: { XDG_CONFIG_HOME: folder } })

  t.match(await run('tokenize', at('a.png')), { code: 0, stderr: '' })
  t.ok(existsSync(at('overlay.png')))
  t.match(await run('paint', 'a'), { code: 0, stdout: `${at('painted.webp')}\n` })
  t.match(await run('estimate', 'paint', 'a'), { code: 0, stderr: '' }, 'which writes no file')
  t.match(await run('bench', at('a.png'), '--json'), { code: 0, stdout: /^{"job":"tokenize",/ })
  t.match(await run('sign', at('none')), { code: 2, stderr: /^error: \S+none cannot be read/ }, 'with the key')

  t.match(await run('bulk', at('a.png'), at('b.png'), at('c.png')), { code: 0, stderr: '' })
  t.strictSame(readdirSync(at('out/shards')), ['00000', '00001'])
  t.ok(existsSync(at('c.txt')))
  rmSync(at('c.txt'))
  const more = ['--do', 'tokenize', '--out', at('tokens'), '--shard-size', '3']
  t.match(await run('bulk', at('a.png'), at('b.png'), at('c.png'), ...more), { code: 0, stderr: '' })
  t.strictSame(readdirSync(at('tokens/shards')), ['00000'])
  t.match(await run('bulk', at('c.png'), '--no-sidecars', '--out', at('plain')), { code: 0, stderr: '' })
  t.notOk(existsSync(at('c.txt')))
})

t.test('the server takes variables of the command line for no mistakes', async t => {
  t.strictSame(findUnknownVariables(Object.fromEntries(Object.values(clientVariables).map(name => [name, 'x']))), [])
})
