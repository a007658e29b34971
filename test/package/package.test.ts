// covers: src/package/contradictions.ts src/package/misfit.ts src/package/patches.ts src/package/tokenizer.ts
import { appendFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Manifest } from '../../src/package/manifest.ts'
import { filesOf, readManifest, readTokenizer, verifyFiles } from '../../src/package/package.ts'
import { packageFiles } from '../fixtures/package.ts'

type Edit = [what: string, edit: (manifest: any) => unknown, message: RegExp]

t.test('a sound package is read and verified', async t => {
  const folder = packageFolder(t)
  const manifest = readManifest(folder)
  await verifyFiles(folder, manifest)
  t.match(await readTokenizer(folder, manifest), { model: { vocab: { dog: 2 } } })
  t.strictSame(
    filesOf(manifest)
      .map(({ file }) => file)
      .sort(),
    [
      'language-model.onnx',
      'merger-codes.onnx',
      'merger-embeddings.onnx',
      'painter.onnx',
      'text-head.onnx',
      'token-predictor.onnx',
      'tokenizer-decoder.onnx',
      'tokenizer.json',
      'vision.data',
      'vision.onnx',
      'visual-head.onnx'
    ]
  )
})

t.test('a package may come without a pixel decoder', async t => {
  const files = packageFiles('small')
  const {
    pixel_decoder: _,
    graphs: { tokenizer_decoder: __, painter: ___, ...graphs },
    ...rest
  } = JSON.parse(files['manifest.json']) as Manifest
  const folder = packageFolder(t, { ...files, 'manifest.json': JSON.stringify({ ...rest, graphs }) })
  t.equal(readManifest(folder).pixel_decoder, undefined)
})

t.test('the longest defaults that fit are taken', async t => {
  const files = packageFiles('small')
  const manifest = JSON.parse(files['manifest.json']) as Manifest
  manifest.tasks.caption.max_tokens = 26
  manifest.tasks.vqa.max_tokens = 25
  manifest.tasks.generate.max_tokens = 30
  const folder = packageFolder(t, { ...files, 'manifest.json': JSON.stringify(manifest) })
  t.strictSame(readManifest(folder).tasks, manifest.tasks)
})

t.test('a graph for devices is a file like the others', async t => {
  const files = packageFiles('small')
  const manifest = JSON.parse(files['manifest.json']) as Manifest
  const device = { ...manifest.graphs.text_head, file: 'text-head.device.onnx' }
  const graphs = { ...manifest.graphs, text_head: { ...manifest.graphs.text_head, device } }
  const folder = packageFolder(t, {
    ...files,
    'text-head.device.onnx': 'graph text-head.onnx',
    'manifest.json': JSON.stringify({ ...manifest, graphs })
  })
  await verifyFiles(folder, readManifest(folder))
  appendFileSync(join(folder, 'text-head.device.onnx'), '!')
  await t.rejects(verifyFiles(folder, readManifest(folder)), { message: /^text-head\.device\.onnx: / })
})

t.test('a bad file is named', async t => {
  const spoilings: [what: string, spoil: (folder: string) => void, message: RegExp][] = [
    [
      'other bytes of the same length',
      folder => writeFileSync(join(folder, 'painter.onnx'), 'graph painter.0nnx'),
      /^painter\.onnx: sha256 differs/
    ],
    [
      'a longer file',
      folder => appendFileSync(join(folder, 'vision.data'), '!'),
      /^vision\.data: 18 bytes, the manifest says 17$/
    ],
    ['a missing file', folder => rmSync(join(folder, 'tokenizer.json')), /^tokenizer\.json: missing$/],
    [
      'a link to a right file',
      folder => {
        rmSync(join(folder, 'vision.onnx'))
        writeFileSync(join(folder, 'elsewhere'), 'graph vision.onnx')
        symlinkSync(join(folder, 'elsewhere'), join(folder, 'vision.onnx'))
      },
      /^vision\.onnx: not a regular file/
    ]
  ]
  for (const [what, spoil, message] of spoilings) {
    t.test(what, async t => {
      const folder = packageFolder(t)
      spoil(folder)
      await t.rejects(verifyFiles(folder, readManifest(folder)), { message })
    })
  }
})

t.test('a tokenizer with another end of text than the manifest is refused', async t => {
  const readWith = (tokenizer: object) => {
    const folder = packageFolder(t, { ...packageFiles('small'), 'tokenizer.json': JSON.stringify(tokenizer) })
    return readTokenizer(folder, readManifest(folder))
  }
  const listed = (id: number) => ({ model: { vocab: { '</s>': id } } })
  const added = (id: number) => ({ added_tokens: [{ id, content: '</s>' }], model: { vocab: [['<unk>', 0]] } })
  for (const withEnd of [listed, added]) {
    await t.rejects(readWith(withEnd(1)), { message: 'tokenizer.json: </s> is 1, ids.end of the manifest is 2' })
    t.strictSame(await readWith(withEnd(2)), withEnd(2))
  }
  const startsPictures = { message: /^tokenizer\.json: has the id \d+, and ids\.image_start of the manifest is \d+$/ }
  await t.rejects(readWith({ model: { vocab: { '</s>': 2, dog: 4000 } } }), startsPictures)
  await t.rejects(readWith({ added_tokens: [{ id: 4000, content: 'dog' }] }), startsPictures)
  const without = { model: { vocab: { dog: 1 } } }
  t.strictSame(await readWith(without), without, 'of another name it cannot be known')
})

t.test('a bad manifest is refused before any file is touched', async t => {
  const edits: Edit[] = [
    [
      'a path upwards',
      manifest => {
        manifest.graphs.vision.file = '../vision.onnx'
      },
      /\/graphs\/vision\/file/
    ],
    [
      'a path downwards',
      manifest => {
        manifest.tokenizer.file = 'a/tokenizer.json'
      },
      /\/tokenizer\/file/
    ],
    [
      'an absolute path',
      manifest => {
        manifest.graphs.vision.data[0].file = '/etc/passwd'
      },
      /\/graphs\/vision\/data\/0\/file/
    ],
    [
      'a hidden file',
      manifest => {
        manifest.graphs.painter.file = '..'
      },
      /\/graphs\/painter/
    ],
    [
      'an unknown field',
      manifest => {
        manifest.extra = 1
      },
      /^manifest\.json: \/extra is no field of a manifest$/
    ],
    [
      'an unknown field further down',
      manifest => {
        manifest.language_model.extra = 1
      },
      /^manifest\.json: \/language_model\/extra is no field of a manifest$/
    ],
    [
      'another schema, of which other fields may differ, too',
      manifest => {
        manifest.schema = 2
        manifest.extra = 1
        delete manifest.ids
      },
      /^manifest\.json: \/schema must be 1$/
    ],
    [
      'a schedule that there is not',
      manifest => {
        manifest.pixel_decoder.schedule.kind = 'none'
      },
      /^manifest\.json: \/pixel_decoder\/schedule\/kind must be flow or ddim$/
    ],
    [
      'another name',
      manifest => {
        manifest.name = 'other'
      },
      /name differs/
    ],
    [
      'ids that do not follow each other',
      manifest => {
        manifest.ids.visual_offset = 53
      },
      /ids\.visual_offset must follow/
    ],
    [
      'more codes than the vocabulary holds',
      manifest => {
        manifest.visual_tokenizer.codebook_size = 17
      },
      /vocabulary_size must be ids\.visual_offset \+ visual_tokenizer\.codebook_size$/
    ],
    [
      'fewer codes than the vocabulary holds',
      manifest => {
        manifest.visual_tokenizer.codebook_size = 15
      },
      /vocabulary_size must be ids\.visual_offset \+ visual_tokenizer\.codebook_size$/
    ],
    [
      'a question that is not asked',
      manifest => {
        manifest.prompts.question = 'what?'
      },
      /prompts\.question must contain \{question\}$/
    ],
    ...(['caption', 'vqa', 'generate'] as const).map((task): Edit => [
      `a least length above the greatest: ${task}`,
      manifest => {
        manifest.tasks[task].min_tokens = manifest.tasks[task].max_tokens + 1
      },
      new RegExp(`tasks\\.${task}\\.min_tokens exceeds tasks\\.${task}\\.max_tokens$`)
    ]),
    // 32 tokens, of which 4 patches between start and end, and a word of a question, leave the others
    ...([['caption', 26], ['vqa', 25], ['generate', 30]] as const).map(([task, most]): Edit => [
      `more tokens than fit by default: ${task}`,
      manifest => {
        manifest.tasks[task].max_tokens = most + 1
      },
      new RegExp(`tasks\\.${task}\\.max_tokens and the shortest prompt .* exceed language_model\\.max_length$`)
    ]),
    [
      'a scale that nothing can be divided by',
      manifest => {
        manifest.pixel_decoder.scaling_factor = 0
      },
      /\/pixel_decoder\/scaling_factor must be > 0$/
    ],
    [
      'steps without a denoiser',
      manifest => {
        manifest.tasks.generate.steps = 1
      },
      /needs a graph/
    ],
    [
      'a pixel decoder without the decoder of its tokens',
      manifest => {
        delete manifest.graphs.tokenizer_decoder
      },
      /go together/
    ],
    [
      'the decoder of tokens without a pixel decoder',
      manifest => {
        delete manifest.pixel_decoder
      },
      /go together/
    ],
    [
      'a threshold of familiarity without its graph',
      manifest => {
        manifest.familiarity = { threshold: 0.5, quality: {} }
      },
      /familiarity and graphs\.familiarity go together/
    ],
    [
      'a threshold that no share reaches',
      manifest => {
        manifest.familiarity = { threshold: 2, quality: {} }
      },
      /\/familiarity\/threshold/
    ],
    [
      'a rule of selection that there is not',
      manifest => {
        manifest.visual_tokenizer.selection = 'best'
      },
      /\/visual_tokenizer\/selection must be one of threshold, sample$/
    ],
    [
      'a size that is not offered',
      manifest => {
        manifest.tasks.generate.size = '9x9'
      },
      /none of pixel_decoder\.sizes/
    ],
    ['no JSON', () => 'nonsense', /^manifest\.json: not JSON$/],
    ['too much of it', () => ' '.repeat(5_000_000), /^manifest\.json: larger/]
  ]
  for (const [what, edit, message] of edits) {
    t.test(what, async t => {
      const files = packageFiles('small')
      const manifest = JSON.parse(files['manifest.json']) as Manifest
      const text = edit(manifest)
      const folder = packageFolder(t, {
        ...files,
        'manifest.json': typeof text === 'string' ? text : JSON.stringify(manifest)
      })
      t.throws(() => readManifest(folder), { message })
    })
  }

  t.test('a linked manifest, and a linked folder', async t => {
    const folder = packageFolder(t)
    symlinkSync(folder, join(folder, '..', 'linked'))
    t.throws(() => readManifest(join(folder, '..', 'linked')), { message: /not a folder of its own/ })
    rmSync(join(folder, 'manifest.json'))
    symlinkSync('/etc/hostname', join(folder, 'manifest.json'))
    t.throws(() => readManifest(folder), { message: /^manifest\.json: not a regular file/ })
  })
})

function packageFolder (t: Test, files: Record<string, string> = packageFiles('small')) {
  return join(t.testdir({ small: files }), 'small')
}
