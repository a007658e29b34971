// `npm run sbom`: what the lock file installs with the server, as CycloneDX on stdout. npm's own `--omit dev` leaves
// out what tools of development need as well, so the whole list is asked for, and those are dropped that nothing else
// needs.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const { name } = JSON.parse(readFileSync('package.json', 'utf8'))
const words = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application']
const list = JSON.parse(execFileSync('npm', words, { encoding: 'utf8', maxBuffer: 2 ** 26 }))
const isOfDevelopment = ({ properties = [] }) => properties.some(each => each.name === 'cdx:npm:package:development')
const dropped = new Set(list.components.filter(isOfDevelopment).map(each => each['bom-ref']))
const isKept = reference => !dropped.has(reference)

list.metadata.component.name = name // npm tells that of the folder
list.components = list.components.filter(each => isKept(each['bom-ref']))
list.dependencies = list.dependencies
  .filter(({ ref }) => isKept(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isKept) }))
process.stdout.write(`${JSON.stringify(list, undefined, 2)}\n`)
