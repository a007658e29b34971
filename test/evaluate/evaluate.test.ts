/** The whole way: options, data set, requests to a server, report. The server is a fake. */
import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { evaluate } from '../../evaluate/evaluate.ts'
import { tableOf } from '../../evaluate/report.ts'
import { stripTypes } from '../fixtures/strip/node.ts'

const root = join(import.meta.dirname, '../..')
const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures', name))
const apple = fixture('apple.png')
const scene = fixture('scene.png')

const dataset = {
  images: { '1.png': apple, '2.png': scene },
  'captions_test.json': JSON.stringify({
    images: [
      { id: 1, file_name: '1.png' },
      { id: 2, file_name: '2.png' }
    ],
    annotations: [
      { image_id: 1, caption: 'a red apple on a yellow background' },
      { image_id: 2, caption: 'a dog above a rocket on a blue background' }
    ]
  }),
  'questions.json': JSON.stringify({
    questions: [
      { question_id: 10, image_id: 1, question: 'What is THIS?  ' },
      { question_id: 20, image_id: 2, question: 'How many?' }
    ]
  }),
  'annotations.json': JSON.stringify({
    annotations: [
      [10, 'apple', 'what'],
      [20, 'two', 'count']
    ].map(([id, answer, kind]) => ({
      question_id: id,
      question_type: kind,
      multiple_choice_answer: answer,
      answers: Array.from({ length: 10 }, () => ({ answer }))
    }))
  }),
  'scenes.json': JSON.stringify({
    scenes: [
      { image_id: 1, concepts: ['red apple'], places: ['center'], ground: 'yellow' },
      { image_id: 2, concepts: ['dog', 'rocket'], places: ['top', 'bottom'], ground: 'blue' }
    ]
  })
}

type Body = Record<string, unknown> & { image: string; seed: number; question: string; prompt: string }
type Answer = { status?: number; headers?: Record<string, string>; body: object }

/** A server of one model that answers jobs by `answer`, and the bodies it got. */
async function serve (t: Test, answer: (path: string, body: Body, count: number) => Answer) {
  const got: Body[] = []
  const stop = new AbortController()
  const server = createServer(async (request: IncomingMessage, response) => {
    const path = request.url!
    const {
      status = 200,
      headers = {},
      body
    } = path === '/models'
      ? { body: { default: 'fake', models: [] } }
      : path === '/models/fake'
        ? { body: { name: 'fake', version: '1.2.3', concepts: ['red apple', 'dog', 'rocket', 'cat'] } }
        : answer(path, got[got.push((await json(request)) as Body) - 1]!, got.length)
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const run = (task: string, ...more: string[]) =>
    evaluate(['--task', task, '--data', t.testdirName, '--url', url, ...more], () => {}, stop.signal)
  return { got, run, stop, url }
}

t.test('captions are scored, after a wait for a busy server', async t => {
  t.testdir(dataset)
  const { got, run } = await serve(t, (_, { image }, count) =>
    count === 1
      ? { status: 429, headers: { 'retry-after': '0' }, body: { code: 'queue_full', detail: 'full' } }
      : {
          body: {
            captions: [
              {
                text:
                  image === apple.toString('base64')
                    ? 'a red apple on a yellow background'
                    : 'a cat above a rocket on a red background'
              }
            ]
          }
        }
  )
  const out = join(t.testdirName, 'report.json')
  const report = await run(
    'caption',
    '--concurrency',
    '1',
    '--seed',
    '5',
    '--request',
    '{"num_beams": 2}',
    '--out',
    out
  )
  t.equal(report.failed, 0)
  t.equal(report.figures['things named that are there (precision)']!.value, 2 / 3)
  t.equal(report.figures['things there that are named (recall)']!.value, 2 / 3)
  t.match(report.records, [
    { id: 1, caption: 'a red apple on a yellow background' },
    { id: 2, named: ['rocket', 'cat'], present: ['dog', 'rocket'], right: 1 }
  ])
  t.strictSame(
    got.map(({ seed, num_beams: beams }) => [seed, beams]),
    [
      [5_000_015, 2],
      [5_000_015, 2],
      [5_000_016, 2]
    ]
  )
  t.strictSame(JSON.parse(readFileSync(out, 'utf8')), JSON.parse(JSON.stringify(report)))
  t.match(tableOf(report), /CIDEr-D +\d\.\d{3} +\d\.\d{3} to \d+\.\d+ +2\n/)
})

t.test('answers are scored, by kind too', async t => {
  t.testdir(dataset)
  const { got, run } = await serve(t, (_, { question }) => ({
    body: { answers: [{ text: question.startsWith('what') ? 'It is an apple.' : '3' }] }
  }))
  const { figures, records } = await run('vqa')
  t.strictSame(
    Object.entries(figures).map(([name, { value, samples }]) => [name, value, samples]),
    [
      ['VQA accuracy', 0.5, 2],
      ['exact match', 0.5, 2],
      ['VQA accuracy, question type count', 0, 1],
      ['VQA accuracy, question type what', 1, 1]
    ]
  )
  t.strictSame(got.map(({ question }) => question).sort(), ['how many?', 'what is this?'])
  t.match(records, [
    { id: 10, answer: 'apple', expected: 'apple', accuracy: 1 },
    { id: 20, answer: '3', expected: 'two', accuracy: 0 }
  ])
})

t.test('tokens are counted', async t => {
  t.testdir(dataset)
  const { run } = await serve(t, (_, { image }) => {
    const kept = image === apple.toString('base64') ? 4 : 9
    return { body: { visual_tokens: new Array(kept).fill(1), usage: { visual_tokens: kept, patches: 16 } } }
  })
  const { figures } = await run('tokenize')
  t.strictSame(
    Object.entries(figures).map(([name, { value }]) => [name, value]),
    [
      ['patches kept', 6.5],
      ['patches kept, least', 4],
      ['patches kept, most', 9],
      ['share of patches kept', 6.5 / 16],
      ['patches kept, 1 object', 4],
      ['patches kept, 2 objects', 9]
    ]
  )
})

t.test('painted pictures are judged and compared with true ones', async t => {
  t.testdir(dataset)
  const { run } = await serve(t, () => ({
    body: { images: [{ data: apple.toString('base64'), visual_tokens: [1, 2] }] }
  }))
  const { figures, records } = await run('generate', '--pictures', join(t.testdirName, 'painted'))
  t.equal(figures['1 object: object in its place']!.value, 1)
  t.equal(figures['2 objects: object in its place']!.value, 0)
  t.equal(figures['judge on true pictures, 2 objects: all objects']!.value, 1)
  t.ok(figures['Fréchet distance']!.value! > 1)
  t.type(figures['kernel distance']!.value, 'number')
  t.match(records, [
    { id: 1, prompt: 'a red apple on a yellow background', seen: { concepts: ['red apple'] } },
    { id: 2 }
  ])
  t.strictSame(readFileSync(join(t.testdirName, 'painted/2.png')), apple)
})

t.test('a failed request is told and counts as 0', async t => {
  t.testdir(dataset)
  const { run } = await serve(t, (_, { image }) =>
    image === apple.toString('base64')
      ? { status: 422, body: { code: 'image_unreadable', detail: 'The picture is corrupt' } }
      : { body: { captions: [{ text: 'a dog above a rocket on a blue background' }] } }
  )
  const report = await run('caption')
  t.equal(report.failed, 1)
  t.match(report.figures['CIDEr-D'], { value: 5, samples: 2 })
  t.equal(report.figures['things there that are named (recall)']!.value, 2 / 3)
  t.equal(report.figures['things named that are there (precision)']!.value, 1)
  t.match(report.records, [
    { id: 2, cider: 10 },
    { id: 1, cider: 0, error: '/caption answered 422: image_unreadable: The picture is corrupt' }
  ])
  t.equal(report.records.length, 2)
  t.match(
    tableOf(report),
    /\n1 of 2 requests failed, 1 of them count as 0; the first, of item 1: .*422: image_unreadable: .* is corrupt$/
  )
})

t.test('a question without an answer counts as 0', async t => {
  t.testdir(dataset)
  const { run } = await serve(t, (_, { question }) =>
    question.startsWith('what')
      ? { body: { answers: [{ text: 'apple' }] } }
      : { status: 500, body: { code: 'internal_error', detail: 'no' } }
  )
  const { figures, records } = await run('vqa')
  t.match(figures, {
    'VQA accuracy': { value: 0.5, samples: 2 },
    'exact match': { value: 0.5, samples: 2 },
    'VQA accuracy, question type count': { value: 0, samples: 1 }
  })
  t.match(records, [{ id: 10, accuracy: 1 }, { id: 20, accuracy: 0, exact: false, error: /internal_error/ }])
})

t.test('what cannot be run is said', async t => {
  const quiet = () => {}
  for (const [args, message] of [
    [['--data', 'x'], /--task must be one of caption, vqa, generate, tokenize/],
    [['--task', 'caption'], /--data must name a folder/],
    [['--task', 'caption', '--data', 'x', '--limit', '0'], /--limit must be a whole number from 1 up/],
    [['--task', 'caption', '--data', 'x', '--request', '[]'], /--request must be a JSON object/],
    [['--task', 'caption', '--data', 'x', '--url', 'localhost:8080'], /--url must be an address/],
    [['--task', 'caption', '--data', 'x', '--url', 'http://x/?x=1'], /--url must end with the path of the server/],
    [['--task', 'caption', '--data', 'x', '--url', 'http://x#a'], /--url must end with the path of the server/],
    [['--task', 'caption', '--data', 'x', '--url', 'http://me:word@x'], /^--url must hold no name or password/],
    [['--task', 'caption', '--data', 'x', '--out', '/dev/null/x.json'], /\/dev\/null\/x.json cannot be written/],
    [['--task', 'caption', '--data', 'x', '--beams', '2'], /Unknown option '--beams'/],
    [
      ['--task', 'caption', '--data', 'x', '--url', 'http://127.0.0.1:9'],
      /http:\/\/127.0.0.1:9\/models does not answer/
    ]
  ] as const) {
    await t.rejects(evaluate([...args], quiet), { message })
  }
  const { LAVIT_KEY: before } = process.env
  t.teardown(() => {
    if (before === undefined) delete process.env.LAVIT_KEY
    else process.env.LAVIT_KEY = before
  })
  for (const key of ['two\nlines', 'schl\u00fcssel-\u20ac']) {
    process.env.LAVIT_KEY = key
    const message = 'LAVIT_KEY has characters that no header can hold'
    await t.rejects(evaluate(['--task', 'caption', '--data', 'x', '--url', 'http://127.0.0.1:9'], quiet), { message })
  }
})

t.test('an interruption ends the requests and keeps what was answered', async t => {
  t.testdir(dataset)
  const { got, run, stop } = await serve(t, (_, _body, count) => {
    if (count === 2) stop.abort()
    return { body: { captions: [{ text: 'a red apple on a yellow background' }] } }
  })
  const out = join(t.testdirName, 'report.json')
  const report = await run('caption', '--concurrency', '1', '--out', out)
  t.equal(got.length, 2)
  t.match(report, {
    failed: 1,
    figures: { 'CIDEr-D': { samples: 1 } },
    records: [{ id: 1 }, { id: 2, error: 'not answered before the interruption' }]
  })
  t.notOk('cider' in report.records[1]!)
  t.equal(JSON.parse(readFileSync(out, 'utf8')).records.length, 2)
})

t.test('a picture that cannot be read fails its own item', async t => {
  t.testdir({ ...dataset, images: { '1.png': apple, '2.png': {} } })
  const { run } = await serve(t, () => ({ body: { captions: [{ text: 'a red apple' }] } }))
  t.match((await run('caption')).records, [{ id: 1 }, { id: 2, error: /images\/2.png cannot be read/ }])
})

t.test('a true picture that cannot be decoded fails its own item', async t => {
  t.testdir({ ...dataset, images: { '1.png': apple, '2.png': 'no picture' } })
  const { run } = await serve(t, () => ({ body: { images: [{ data: apple.toString('base64'), visual_tokens: [] }] } }))
  t.match((await run('generate')).records, [{ id: 1 }, { id: 2, error: /picture cannot be decoded/ }])
})

t.test('an empty data set and a folder that cannot be made are said', async t => {
  t.testdir({ ...dataset, 'captions_test.json': JSON.stringify({ images: [], annotations: [] }) })
  const { got, run } = await serve(t, () => ({ body: {} }))
  const out = join(t.testdirName, 'report.json')
  await t.rejects(run('caption', '--out', out), { message: /holds nothing to ask about/ })
  t.notOk(existsSync(out))
  await t.rejects(run('generate', '--pictures', '/dev/null/x'), { message: /\/dev\/null\/x cannot be made/ })
  await t.rejects(run('generate', '--pictures', '/proc/nope'), { message: /\/proc\/nope cannot be made: ENOENT/ })
  t.equal(got.length, 0)
})

t.test('a server without models is told from one', async t => {
  t.testdir(dataset)
  const { url } = await serve(t, () => ({ body: {} }))
  const other = createServer((_, response) => response.end('{"hello":1}')).listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const port = (other.address() as AddressInfo).port
  const args = ['--task', 'caption', '--data', t.testdirName, '--url', url.replace(/\d+$/, String(port))]
  await t.rejects(evaluate(args, () => {}), { message: /is no LaVIT server: \/models names no default model/ })
})

t.test('--help lists the options and is no error', async t => {
  const words = [...stripTypes, 'evaluate/main.ts', '--help']
  const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { cwd: root })
  t.match(stdout, /^npm run evaluate -- --task/)
  t.equal(stderr, '')
})
