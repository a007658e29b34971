// Holds openapi/openapi.json against that of the last release, and this gate against changes that it must refuse:
// `node .ci/contract.js OASDIFF`. What breaks a client asks for a version that says so. The last release is the last
// tag `v…`, or openapi/released.json where there is none.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const oasdiff = process.argv[2] ?? 'oasdiff'
const scratch = mkdtempSync(join(tmpdir(), 'lavit-contract-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

const { name, text } = lastRelease()
const released = JSON.parse(text)
const current = JSON.parse(readFileSync('openapi/openapi.json', 'utf8'))
const breaks = breaksOf(released, current)
const [from, to] = [released.info.version, current.info.version]
tell(
  breaks.length === 0 || isRaised(from, to),
  breaks.length === 0
    ? `contract: nothing breaks clients of ${name}`
    : `contract: ${breaks.length} changes break clients of ${name}, and the version goes from ${from} to ${to}`,
  breaks
)

// what clients send and read, in ways that oasdiff holds for a break by itself and others that it does not
const mutations = {
  'a field of a request that is gone': ({ CaptionRequest }) => delete CaptionRequest.properties.num_beams,
  'a field of an answer that is gone': ({ CaptionResponse }) => delete CaptionResponse.properties.image_ref,
  'an enum of a request that is narrower': ({ CaptionRequest }) => CaptionRequest.properties.priority.enum.pop(),
  'a new field that is required': ({ CaptionRequest }) => {
    CaptionRequest.properties.mood = { type: 'string' }
    CaptionRequest.required = [...(CaptionRequest.required ?? []), 'mood']
  },
  'a field that becomes required': ({ CaptionRequest }) => {
    CaptionRequest.required = [...(CaptionRequest.required ?? []), 'seed']
  },
  'a bound that is tighter': ({ CaptionRequest }) => (CaptionRequest.properties.num_beams.maximum = 2),
  'another type of a field': ({ CaptionResponse }) => (CaptionResponse.properties.model.type = 'integer'),
  'an option of the query that is gone': (_, { '/caption': { post } }) => post.parameters.pop(),
  'a type of picture that is not read': (_, { '/caption': { post } }) => delete post.requestBody.content['image/gif'],
  'a header that is gone': (_, { '/caption': { post } }) => delete post.responses[200].headers['Server-Timing'],
  'a route that is gone': (_, paths) => delete paths['/detokenize']
}
for (const [change, mutate] of Object.entries(mutations)) {
  const changed = structuredClone(current)
  mutate(changed.components.schemas, changed.paths)
  tell(breaksOf(current, changed).length > 0, `contract: the gate refuses ${change}`)
}
const added = structuredClone(current)
added.components.schemas.CaptionRequest.properties.mood = { type: 'string' }
tell(breaksOf(current, added).length === 0, 'contract: the gate takes a new field that is not required')
const versions = [
  ['0.2.0', '0.2.1', false],
  ['0.2.0', '0.3.0', true],
  ['1.2.0', '1.3.0', false],
  ['1.2.0', '2.0.0', true]
]
tell(
  versions.every(([old, next, is]) => isRaised(old, next) === is),
  'contract: a break raises the first number, of 0 the second'
)

function lastRelease () {
  const tag = git('describe', '--tags', '--match', 'v*', '--abbrev=0').trim()
  const text = tag && git('show', `${tag}:openapi/openapi.json`)
  const baseline = 'openapi/released.json'
  return text ? { name: tag, text } : { name: baseline, text: readFileSync(baseline, 'utf8') }
}

function git (...words) {
  const { status, stdout } = spawnSync('git', words, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  return status === 0 ? stdout : ''
}

/** A line for each break. Unknown fields are refused, so an optional one that goes away breaks whoever sends it. */
function breaksOf (base, revision) {
  const files = [base, revision].map((document, i) => {
    const file = join(scratch, `${i}.json`)
    writeFileSync(file, JSON.stringify(withoutFormats(structuredClone(document))))
    return file
  })
  const { status, stdout, stderr, error } = spawnSync(
    oasdiff,
    ['breaking', '--severity-levels', '.ci/contract-levels.txt', '--fail-on', 'ERR', '--format', 'json', ...files],
    { encoding: 'utf8', maxBuffer: 2 ** 26 }
  )
  if (error || (status !== 0 && status !== 1)) throw new Error(`oasdiff: ${error?.message ?? stderr}`)
  const found = stdout.trim().startsWith('[') ? JSON.parse(stdout) : []
  const lines = found
    .filter(({ level }) => level === 3)
    .map(({ operation, path, text }) => `${operation} ${path}: ${text}`)
  if ((status === 1) !== (lines.length > 0)) throw new Error(`oasdiff ends with ${status}, ${lines.length} breaks told`)
  return lines
}

/** Of integers the bounds say what may be sent; a format is for those that write clients. */
function withoutFormats (value) {
  if (typeof value !== 'object' || value === null) return value
  if (value.type === 'integer') delete value.format
  for (const inner of Object.values(value)) withoutFormats(inner)
  return value
}

function isRaised (from, to) {
  const [old, next] = [from, to].map(version => version.split('.').map(Number))
  return next[0] > old[0] || (old[0] === 0 && next[0] === 0 && next[1] > old[1])
}

function tell (isOk, what, lines = []) {
  console.log(`${isOk ? 'ok' : 'not ok'} - ${what}`)
  if (!isOk) process.exitCode = 1
  for (const line of lines) console.log(`# ${line}`)
}
