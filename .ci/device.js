// What a GPU gives against what the processor gives, over HTTP: `node .ci/device.js DRIVER [LESSER]`, in a checkout
// that is built. Both are files that tell the Vulkan loader of a driver; LESSER is one without half precision. Lines
// `ok` and `not ok`.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import sharp from 'sharp'

const [driver, lesser] = process.argv.slice(2)
const requests = Number(process.env.REQUESTS ?? 120) // after which an engine's memory is looked at
const mostGrowth = 16 * 2 ** 20 // bytes, over as many requests again
const near = 0.05 // of log-probabilities: where activations are rounded to 8 bits, some round the other way
const nearColour = 2 // of 255
const others = 8
const adminKey = 'device-check-device-check-device-check'
const scratch = mkdtempSync(join(tmpdir(), 'lavit-device-'))
const processes = new Set()
let count = 0

process.on('exit', () => {
  for (const child of processes) child.kill('SIGKILL')
  rmSync(scratch, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

const image = readFileSync('test/fixtures/apple.png').toString('base64')
cpSync('models/lavit-mini', join(scratch, 'lavit-mini'), { recursive: true })
cpSync('test/fixtures/lavit-golden', join(scratch, 'lavit-golden'), { recursive: true })
paintSmall(join(scratch, 'lavit-golden/manifest.json'))

const works = {
  'lavit-mini': [
    ['tokenize', { image }],
    ['caption', { image, seed: 1 }],
    ['vqa', { image, question: 'what is in the picture?', num_beams: 3, seed: 1 }],
    ['generate', { prompt: 'a red apple', guidance_scale: 3, seed: 7 }],
    ['detokenize', { visual_tokens: Array.from({ length: 24 }, (_, i) => 37 * i), seed: 7 }]
  ],
  'lavit-golden': [
    ['tokenize', { image, seed: 1 }],
    ['caption', { image, seed: 1 }],
    ['caption', { image, temperature: 1, num_beams: 1, seed: 5, n: 2 }],
    ['vqa', { image, seed: 1, question: 'what is in the picture?' }],
    ['generate', { prompt: 'a red apple', seed: 7, steps: 2 }],
    ['detokenize', { visual_tokens: [1, 40, 7, 63], seed: 7, steps: 2 }]
  ]
}

const [host, gpu] = await Promise.all([
  startServer({ LAVIT_DEVICE: 'cpu' }),
  startServer({ LAVIT_DEVICE: 'webgpu', VK_DRIVER_FILES: driver })
])
const found = (await get(gpu, '/devices')).devices.find(({ id }) => id !== 'cpu')
report(found?.fault === null, `${found?.name} takes models, half precision: ${found?.f16}`, found?.fault)
for (const [model, asked] of Object.entries(works)) await compare(model, asked)
await beside()
await keepMemory()
for (const server of [host, gpu]) server.child.kill()
await withoutDriver()
if (lesser) await withoutHalf()
process.exit()

async function compare (model, asked) {
  for (const [route, body] of asked) {
    const [expected, answer] = [await ask(host, route, { model, ...body }), await ask(gpu, route, { model, ...body })]
    const gap = await difference(answer, expected)
    const { image: _, ...told } = body
    report(gap === undefined, `${model}: /${route} ${JSON.stringify(told)} as on the processor`, gap)
  }
}

/** The same seed gives the same tokens alone and among others. */
async function beside () {
  for (const [route, body] of [
    ['generate', { model: 'lavit-golden', prompt: 'a dog beside a tree', temperature: 1, steps: 1 }],
    ['caption', { image, temperature: 1 }]
  ]) {
    const tokens = ({ captions, images }) => captions?.map(({ text }) => text) ?? images.map(one => one.visual_tokens)
    const alone = tokens(await ask(gpu, route, { ...body, seed: 7 }))
    const all = await Promise.all(
      Array.from({ length: others + 1 }, (_, i) => ask(gpu, route, { ...body, seed: 7 + i }))
    )
    const gap = await difference(tokens(all[0]), alone)
    report(gap === undefined, `/${route}: the same seed alone and among ${others} others`, gap)
  }
}

/** Requests that leave nothing behind in the engine's memory, which a driver that is a processor shares. */
async function keepMemory () {
  const { enginePid } = gpu.lines.findLast(({ msg, model }) => msg === 'model ready' && model === 'lavit-golden')
  const run = async () => {
    for (let i = 0; i < requests; i++) await ask(gpu, 'tokenize', { model: 'lavit-golden', image, seed: i })
    return memoryOf(enginePid)
  }
  const [before, after] = [await run(), await run()]
  const [grown, whole] = [after - before, after].map(bytes => (bytes / 2 ** 20).toFixed(1))
  report(after - before < mostGrowth, `${requests} requests leave ${grown} MiB in an engine of ${whole}`)
}

async function withoutDriver () {
  const none = { VK_DRIVER_FILES: join(scratch, 'none.json') }
  const auto = await startServer({ LAVIT_DEVICE: 'auto', ...none }, ['lavit-mini'])
  const [{ placement }] = (await get(auto, '/models')).models.filter(({ name }) => name === 'lavit-mini')
  const isTold = placement.device === 'cpu' && /there is no GPU/.test(placement.reason)
  report(isTold, 'without a driver auto takes the processor, and says why', JSON.stringify(placement))
  auto.child.kill()
  await refuses('without a driver webgpu alone ends the server, and says why', /finds no GPU/, none)
}

/** A package whose table is in half precision, which the processor then reads where the manifest names what does. */
async function withoutHalf () {
  const model = 'lavit-golden'
  const path = join(scratch, model, 'manifest.json')
  const { pixel_decoder: _, graphs, ...manifest } = JSON.parse(readFileSync(path, 'utf8'))
  for (const name of ['tokenizer_decoder', 'denoiser', 'autoencoder_decoder']) delete graphs[name] // minutes
  writeFileSync(path, JSON.stringify({ ...manifest, graphs }))
  const servers = [{ LAVIT_DEVICE: 'cpu' }, { LAVIT_DEVICE: 'webgpu', VK_DRIVER_FILES: lesser }]
  const answers = []
  for (const environment of servers) {
    const server = await startServer({ LAVIT_MODEL: model, ...environment }, [model])
    answers.push(await ask(server, 'caption', { image, seed: 1, num_beams: 1, min_tokens: 1, max_tokens: 2 }))
    server.child.kill()
  }
  const gap = await difference(answers[1], answers[0])
  report(gap === undefined, 'a GPU without half precision: tables in half precision are read as on the processor', gap)

  delete graphs.language_model.half_nodes
  writeFileSync(path, JSON.stringify({ ...manifest, graphs }))
  await refuses('a GPU without half precision refuses other graphs in half precision, and says why', /half precision/, {
    LAVIT_MODEL: model,
    VK_DRIVER_FILES: lesser
  })
}

/** Ends with the code of a wrong setting, after one start of an engine at most. */
async function refuses (name, reason, environment) {
  const server = spawnServer({ LAVIT_DEVICE: 'webgpu', ...environment })
  const code = await server.ended
  const starts = server.lines.filter(({ msg }) => msg === 'engine does not start').length
  report(code === 78 && reason.test(server.said()) && starts <= 1, name, `${code}, ${starts} starts, ${server.said()}`)
}

/** A server whose models are loaded. */
async function startServer (environment, models = Object.keys(works)) {
  const server = spawnServer(environment)
  const url = await server.url
  for (const model of models) {
    const headers = { authorization: `Bearer ${adminKey}` }
    const answer = await fetch(`${url}/models/${model}/load`, { method: 'POST', headers })
    if (!answer.ok) throw new Error(`${model} is not loaded: ${await answer.text()}`)
  }
  return { ...server, url }
}

function spawnServer (environment) {
  const settings = {
    PORT: '0',
    LAVIT_MODELS: scratch,
    LAVIT_SLOTS: String(others + 1),
    LAVIT_ENGINES: '1',
    LAVIT_ADMIN_KEY: adminKey,
    LAVIT_CLIENT_SHARE: '1'
  }
  const child = spawn(process.execPath, ['dist/server.js'], { env: { ...process.env, ...settings, ...environment } })
  processes.add(child)
  const lines = []
  let said = ''
  child.stderr.on('data', data => {
    said += data
  })
  const url = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', line => {
      const entry = JSON.parse(line)
      lines.push(entry)
      const [address] = /http:\S+$/.exec(entry.msg) ?? []
      if (address) resolve(address)
    })
    child.once('exit', code => reject(new Error(`a server ended with ${code}: ${said}`)))
  })
  url.catch(() => {}) // `ended` tells it, too
  const ended = new Promise(resolve => {
    child.once('close', code => {
      processes.delete(child)
      resolve(code)
    })
  })
  return { child, lines, url, ended, said: () => said }
}

async function ask ({ url }, route, body) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/${route}`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`/${route}: ${response.status} ${await response.text()}`)
  return response.json()
}

async function get ({ url }, path) {
  return (await fetch(url + path)).json()
}

/** Where two answers differ by more than a device may, with what; nothing where they do not. */
async function difference (one, other, path = '') {
  if (typeof one === 'number' && typeof other === 'number' && !Number.isInteger(other)) {
    return Math.abs(one - other) <= near * Math.max(1, Math.abs(other)) ? undefined : `${path}: ${one}, ${other}`
  }
  if (one === null || other === null || typeof one !== 'object' || typeof other !== 'object') {
    if (one === other || path.endsWith('.image_ref')) return undefined
    if (path.endsWith('.data') && (await colourGap(one, other)) <= nearColour) return undefined
    return `${path}: ${String(one).slice(0, 80)}, ${String(other).slice(0, 80)}`
  }
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const gap = await difference(one[key], other[key], `${path}.${key}`)
    if (gap !== undefined) return gap
  }
}

async function colourGap (one, other) {
  const [a, b] = await Promise.all([one, other].map(data => sharp(Buffer.from(data, 'base64')).raw().toBuffer()))
  return a.length === b.length ? a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0) : Infinity
}

/** Bytes of a process that lie in memory. */
function memoryOf (pid) {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
}

/** A processor that plays a GPU would take minutes for its first picture of the official size. */
function paintSmall (path) {
  const manifest = JSON.parse(readFileSync(path, 'utf8'))
  manifest.pixel_decoder.sizes = ['128x128']
  Object.assign(manifest.tasks.generate, { size: '128x128', min_tokens: 4, max_tokens: 16 })
  writeFileSync(path, JSON.stringify(manifest))
}

function report (passed, name, detail = '') {
  console.log(`${passed ? 'ok' : 'not ok'} ${++count} - device: ${name}`)
  if (passed) return
  process.exitCode = 1
  console.log(String(detail).trim().replace(/^/gm, '# '))
}
