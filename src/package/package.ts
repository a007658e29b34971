/**
 * Opens a model package: its manifest is checked, and nothing is read but the regular files that it names, in its own
 * folder.
 */
import { createHash, type KeyObject } from 'node:crypto'
import { constants, lstatSync, readFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Value } from 'typebox/value'
import type { PaintDefaults } from './defaults.ts'
import type { PackageFile } from './files.ts'
import { Manifest } from './manifest.ts'
import { patchesOf } from './patches.ts'
import type { PixelDecoderShape } from './pixel-decoder.ts'
import { isSigned, signatureBytes, signatureFile } from './signature.ts'

/** What is wrong with a package, told by the names in it and without paths. */
export class PackageError extends Error {}

const largestManifest = 4 * 2 ** 20 // bytes

/**
 * Reads `manifest.json` of a package folder, which one of the keys must have signed where there are any. Throws a
 * PackageError that names the file and what is wrong with it.
 */
export function readManifest (folder: string, keys: readonly KeyObject[] = []): Manifest {
  const file = 'manifest.json'
  const bytes = readManifestBytes(folder)
  if (keys.length > 0) checkSignature(folder, bytes, keys)
  const manifest = parseJson(file, bytes.toString('utf8'))
  if (!Value.Check(Manifest, manifest)) {
    const [error] = Value.Errors(Manifest, manifest)
    throw new PackageError(`${file}: ${error?.instancePath || '/'} ${error?.message}`)
  }
  if (manifest.name !== basename(folder)) throw new PackageError(`${file}: the name differs from the folder's`)
  const contradiction = findContradiction(manifest)
  if (contradiction) throw new PackageError(`${file}: ${contradiction}`)
  return manifest
}

/** The manifest as it lies in the folder: what is signed. Throws a PackageError. */
export function readManifestBytes (folder: string): Buffer {
  const file = 'manifest.json'
  if (!lstatSync(folder).isDirectory()) throw new PackageError('the package is not a folder of its own')
  if (regularFileSize(folder, file) > largestManifest) {
    throw new PackageError(`${file}: larger than ${largestManifest} bytes`)
  }
  return readFileSync(join(folder, file))
}

function checkSignature (folder: string, manifest: Buffer, keys: readonly KeyObject[]) {
  const size = regularFileSize(folder, signatureFile)
  if (size !== signatureBytes) {
    throw new PackageError(`${signatureFile}: ${size} bytes, a signature has ${signatureBytes}`)
  }
  if (!isSigned(manifest, readFileSync(join(folder, signatureFile)), keys)) {
    throw new PackageError(`${signatureFile}: no key of LAVIT_PACKAGE_KEYS has signed this manifest`)
  }
}

/**
 * Checks size and sha256 of every file that the manifest names. Rejects with a PackageError that names the first bad
 * file, or with the signal's reason.
 */
export async function verifyFiles (folder: string, manifest: Manifest, signal?: AbortSignal) {
  for (const file of filesOf(manifest)) {
    const size = regularFileSize(folder, file.file)
    if (size !== file.bytes) throw new PackageError(`${file.file}: ${size} bytes, the manifest says ${file.bytes}`)
    if ((await digest(join(folder, file.file), signal)) !== file.sha256) {
      throw new PackageError(`${file.file}: sha256 differs from the manifest`)
    }
  }
}

/** The package's tokenizer, as `createTextCodec` takes it. */
export async function readTokenizer (folder: string, manifest: Manifest): Promise<unknown> {
  return parseJson(manifest.tokenizer.file, await readFile(join(folder, manifest.tokenizer.file), 'utf8'))
}

/** Every file of a package beside the manifest itself. */
export function filesOf (manifest: Manifest): PackageFile[] {
  const graphs = Object.values(manifest.graphs).flatMap(({ data = [], device, ...graph }) =>
    typeof device === 'object' ? [graph, ...data, device] : [graph, ...data]
  )
  return [...graphs, manifest.tokenizer]
}

function regularFileSize (folder: string, file: string) {
  const stat = lstatSync(join(folder, file), { throwIfNoEntry: false })
  if (!stat) throw new PackageError(`${file}: missing`)
  if (!stat.isFile()) throw new PackageError(`${file}: not a regular file (links are refused)`)
  return stat.size
}

async function digest (path: string, signal?: AbortSignal) {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  const hash = createHash('sha256')
  for await (const chunk of handle.createReadStream({ highWaterMark: 2 ** 20 })) {
    signal?.throwIfAborted()
    hash.update(chunk)
  }
  return hash.digest('hex')
}

function parseJson (file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new PackageError(`${file}: not JSON`)
  }
}

/** What a schema cannot say: numbers of a manifest that do not fit each other. */
function findContradiction ({
  ids,
  image,
  visual_tokenizer: tokenizer,
  language_model: language,
  tasks,
  pixel_decoder: decoder,
  graphs,
  familiarity
}: Manifest) {
  const rules: [holds: boolean, otherwise: string][] = [
    [ids.end < ids.image_start, 'ids.end must be below ids.image_start'],
    [ids.image_end === ids.image_start + 1, 'ids.image_end must follow ids.image_start'],
    [ids.visual_offset === ids.image_end + 1, 'ids.visual_offset must follow ids.image_end'],
    [
      ids.visual_offset + tokenizer.codebook_size <= language.vocabulary_size,
      'the codes exceed language_model.vocabulary_size'
    ],
    [
      tokenizer.min_visual_tokens <= patchesOf({ image }),
      'visual_tokenizer.min_visual_tokens exceeds the grid'
    ],
    [
      (decoder === undefined) === (graphs.tokenizer_decoder === undefined),
      'pixel_decoder and graphs.tokenizer_decoder go together'
    ],
    [
      (familiarity === undefined) === (graphs.familiarity === undefined),
      'familiarity and graphs.familiarity go together'
    ],
    ...(decoder === undefined ? [] : paintingRules(tasks.generate, decoder, graphs))
  ]
  return rules.find(([holds]) => !holds)?.[1]
}

function paintingRules (
  { size, steps }: PaintDefaults,
  decoder: PixelDecoderShape,
  graphs: Manifest['graphs']
): [holds: boolean, otherwise: string][] {
  return [
    [decoder.sizes.includes(size), 'tasks.generate.size is none of pixel_decoder.sizes'],
    [steps <= decoder.max_steps, 'tasks.generate.steps exceeds pixel_decoder.max_steps'],
    [
      steps > 0 ? 'denoiser' in graphs : 'painter' in graphs,
      'tasks.generate.steps needs a graph that the package lacks'
    ]
  ]
}
