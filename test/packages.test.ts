import { readFileSync } from 'node:fs'
import { minVersion, satisfies } from 'semver'
import t from 'tap'

type Package = { version: string; resolved?: string; engines?: { node?: string }; cpu?: string[]; os?: string[] }

const read = (name: string) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'))
const manifest: { engines: { node: string }; scripts: Record<string, string> } = read('package.json')
const locked: [path: string, entry: Package][] = Object.entries(read('package-lock.json').packages)

t.test('every locked package takes the oldest Node of each line that this one takes', async t => {
  const oldest = manifest.engines.node.split('||').map(range => minVersion(range)?.version ?? '')
  t.strictSame(oldest, ['20.19.0', '22.13.0', '24.0.0'])
  // never installed where this is served
  const foreign = ({ cpu, os }: Package) => cpu?.includes('x64') === false || os?.includes('linux') === false
  for (const version of oldest) {
    const unfit = locked
      .filter(([, entry]) => !foreign(entry) && entry.engines?.node && !satisfies(version, entry.engines.node))
      .map(([path]) => path)
    t.strictSame(unfit, [], version)
  }
})

t.test('the lock file names no registry', async t => {
  t.strictSame(
    locked.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
    []
  )
})

t.test('no script relies on one that runs before or after it: npm leaves those out here', async t => {
  const { scripts } = manifest
  t.match(readFileSync(new URL('../.npmrc', import.meta.url), 'utf8'), /^ignore-scripts=true$/m)
  t.strictSame(
    Object.keys(scripts).filter(name => /^(pre|post)/.test(name) && name.replace(/^(pre|post)/, '') in scripts),
    []
  )
})
