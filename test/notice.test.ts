import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const notice = read('NOTICE')
const card = read('models/README.md')

t.test('NOTICE and the card name every set of art, in the version that is used', async t => {
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(read('models/recipe/art/package.json'))
  const art = Object.entries(dependencies).filter(([name]) => /^(@iconify-json\/|emojibase)/.test(name)) // no tools
  for (const [name, version] of art) {
    t.match(notice, new RegExp(`\\b${name.replace('@iconify-json/', '')} ${version}\\b`))
    t.ok(card.includes(`\`${name}\` ${version}`), `the card: ${name}`)
  }
  const { provenance } = JSON.parse(read('models/lavit-mini/manifest.json'))
  for (const name of [...provenance.train_sets, ...provenance.heldout_sets]) t.ok(notice.includes(name), name)
})

t.test('the model package brings the part about its art', async t => {
  t.ok(notice.includes(read('models/lavit-mini/NOTICE').trim()))
})

t.test('NOTICE names installed software whose licence asks for more than its text', async t => {
  const plain = [
    'MIT',
    'ISC',
    '0BSD',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'BlueOak-1.0.0',
    'Apache-2.0',
    'Unlicense',
    '(MIT OR CC0-1.0)'
  ]
  const packages: [path: string, entry: { license?: string; dev?: boolean }][] = Object.entries(
    JSON.parse(read('package-lock.json')).packages
  )
  const rare = packages
    .filter(([path, { license = '', dev }]) => path && !dev && !plain.includes(license))
    .map(([path]) => path.replace(/.*node_modules\//, ''))
  t.ok(rare.length > 0)
  for (const name of rare) t.match(name, /^@img\/sharp-(libvips-|win32-|wasm32$)/, `${name} is in NOTICE`)
})

t.test('the npm package holds what the image holds', async t => {
  const [{ files }]: [{ files: { path: string }[] }] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore']
    })
  )
  const names = files.map(({ path }) => path)
  for (const name of [
    'NOTICE',
    'LICENSE',
    'README.md',
    'package.json',
    'openapi/openapi.json',
    'models/lavit-mini/manifest.json',
    'models/lavit-mini/NOTICE'
  ]) {
    t.ok(names.includes(name), name)
  }
  t.strictSame(
    names.filter(name => /^(src|test|playground|models\/(?!lavit-mini)|\.ci)|tsbuildinfo/.test(name)),
    []
  )
})

t.test('README, document and manifest say which world the model knows', async t => {
  const world =
    /knows a closed world, pictograms on coloured grounds[.;] about anything else, a photograph too, it .*wrongly/i
  t.match(read('README.md').replaceAll('\n', ' '), world)
  t.match(JSON.parse(read('openapi/openapi.json')).info.description, world)
  t.match(JSON.parse(read('models/lavit-mini/manifest.json')).description, world)
})
