// covers: src/cli/commands/sign.ts src/config/package-keys.ts
/** Packages whose manifest is signed, and those that come with the wrong signature, another's, or none. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { appendFileSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { readPackageKeys } from '../../src/config/package-keys.ts'
import { StartError } from '../../src/config/variables.ts'
import { readManifest, verifyFiles } from '../../src/package/package.ts'
import { isSigned } from '../../src/package/signature.ts'
import { lavit } from '../cli/fixtures/lavit.ts'
import { packageFiles } from '../fixtures/package.ts'

const pem = { type: 'spki', format: 'pem' } as const
const secretPem = { type: 'pkcs8', format: 'pem' } as const
const [ours, others] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' })

t.test('the signature is that of RFC 8032', async t => {
  // section 7.1, test 2: the key, the message of one byte, and its signature
  const x = Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex').toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  const signature = Buffer.from(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    'hex'
  )
  t.ok(isSigned(Buffer.from('72', 'hex'), signature, [key]))
  t.notOk(isSigned(Buffer.from('73', 'hex'), signature, [key]))
})

t.test('lavit sign signs a sound package, which is then read with the key', async t => {
  const { folder, key, sign } = setUp(t)
  t.throws(() => readManifest(folder, [ours.publicKey]), { message: /^manifest\.json\.sig: missing$/ })
  t.match(await sign(), { code: 0, stdout: `${join(folder, 'manifest.json.sig')}\n`, stderr: '' })
  const manifest = readManifest(folder, [others.publicKey, ours.publicKey])
  await verifyFiles(folder, manifest)
  t.equal(statSync(join(folder, 'manifest.json.sig')).size, 64)
  t.match(await sign(), { code: 0 }, 'again')
  t.match(readManifest(folder), { name: 'small' }, 'without a key the signature is not looked at')
  t.notMatch(readFileSync(join(folder, 'manifest.json.sig'), 'latin1'), readFileSync(key, 'latin1'))
})

t.test('what was changed after it was signed, or signed by another, is refused', async t => {
  const signature = (folder: string) => join(folder, 'manifest.json.sig')
  const refusals: [what: string, spoil: (folder: string) => void, message: RegExp][] = [
    ['a list that was changed', folder => appendFileSync(join(folder, 'manifest.json'), ' '), /no key .* has signed/],
    [
      'a list with another digest',
      folder => {
        const file = join(folder, 'manifest.json')
        const text = readFileSync(file, 'utf8')
        const digest = JSON.parse(text).graphs.painter.sha256
        writeFileSync(file, text.replace(digest, '0'.repeat(64)))
      },
      /no key .* has signed/
    ],
    ['no signature', folder => rmSync(signature(folder)), /^manifest\.json\.sig: missing$/],
    ['a signature of zeros', folder => writeFileSync(signature(folder), Buffer.alloc(64)), /no key .* has signed/],
    ['a longer one', folder => appendFileSync(signature(folder), '\n'), /^manifest\.json\.sig: 65 bytes/],
    ['an empty one', folder => writeFileSync(signature(folder), ''), /^manifest\.json\.sig: 0 bytes/],
    [
      'a link to a right one',
      folder => {
        writeFileSync(join(folder, 'elsewhere'), readFileSync(signature(folder)))
        rmSync(signature(folder))
        symlinkSync(join(folder, 'elsewhere'), signature(folder))
      },
      /^manifest\.json\.sig: not a regular file/
    ]
  ]
  for (const [what, spoil, message] of refusals) {
    t.test(what, async t => {
      const { folder, sign } = setUp(t)
      await sign()
      spoil(folder)
      t.throws(() => readManifest(folder, [ours.publicKey]), { message })
    })
  }

  t.test('the key of another', async t => {
    const { folder, sign } = setUp(t)
    await sign()
    t.throws(() => readManifest(folder, [others.publicKey]), { message: /no key .* has signed/ })
  })

  t.test('a file that was changed', async t => {
    const { folder, sign } = setUp(t)
    await sign()
    writeFileSync(join(folder, 'painter.onnx'), 'graph painter.0nnx')
    const manifest = readManifest(folder, [ours.publicKey])
    await t.rejects(verifyFiles(folder, manifest), { message: /^painter\.onnx: sha256 differs/ })
  })
})

t.test('lavit sign signs nothing that is broken, and with nothing that is no key', async t => {
  const { folder, sign, file } = setUp(t)
  for (const [name, reason] of [
    ['elliptic.pem', /is no key of Ed25519$/],
    ['public.pem', /is no private key that can be read/],
    ['nope.pem', /ENOENT/]
  ] as const) {
    const { code, stderr } = await sign(file(name))
    t.equal(code, 2, name)
    t.match(stderr.trim(), reason)
  }
  t.match(await lavit(['sign', folder]), { code: 2, stderr: /--key <FILE>/ })
  t.match(await lavit(['sign', file('nowhere'), '--key', file('secret.pem')]), { code: 2, stderr: /ENOENT/ })
  writeFileSync(join(folder, 'painter.onnx'), 'graph painter.0nnx')
  t.match(await sign(), { code: 4, stdout: '', stderr: /painter\.onnx: sha256 differs/ })
  t.throws(() => statSync(join(folder, 'manifest.json.sig')), { code: 'ENOENT' })
})

t.test('files of public keys', async t => {
  const { file } = setUp(t)
  const same = (keys: { equals: typeof ours.publicKey.equals }[], wanted: typeof ours.publicKey[]) =>
    t.ok(keys.length === wanted.length && wanted.every((key, i) => keys[i]?.equals(key)))
  same(readPackageKeys([file('public.pem')]), [ours.publicKey])
  same(readPackageKeys([file('both.pem'), file('public.pem')]), [others.publicKey, ours.publicKey, ours.publicKey])
  same(readConfig({ LAVIT_PACKAGE_KEYS: 'public.pem, both.pem' }, file('.')).packageKeys.slice(), [
    ours.publicKey,
    others.publicKey,
    ours.publicKey
  ])
  for (const [name, reason] of [
    ['nope.pem', /it cannot be read \(ENOENT\)$/],
    ['empty.pem', /it holds no public key \(PEM\)$/],
    ['secret.pem', /it holds something else than public keys$/],
    ['broken.pem', /it holds a public key that cannot be read$/],
    ['elliptic-public.pem', /it holds a key of ec, not of ed25519$/]
  ] as const) {
    const path = file(name)
    const wanted = `LAVIT_PACKAGE_KEYS=${JSON.stringify(path)} cannot be used: `
    const error = refusalOf([file('public.pem'), path])
    t.equal(error?.exitCode, 78)
    t.equal(error?.message.slice(0, wanted.length), wanted)
    t.match(error?.message, reason)
    t.notMatch(error?.message, /\n/, 'one line')
  }
})

function refusalOf (files: string[]) {
  try {
    readPackageKeys(files)
  } catch (error) {
    if (error instanceof StartError) return error
    throw error
  }
}

/** A package that nobody has signed, and files of keys. */
function setUp (t: Test) {
  const root = t.testdir({
    small: packageFiles('small'),
    'secret.pem': ours.privateKey.export(secretPem),
    'public.pem': ours.publicKey.export(pem),
    'both.pem': `the old one\n${others.publicKey.export(pem)}the new one\n${ours.publicKey.export(pem)}`,
    'elliptic.pem': elliptic.privateKey.export(secretPem),
    'elliptic-public.pem': elliptic.publicKey.export(pem),
    'broken.pem': '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
    'empty.pem': ''
  })
  const file = (name: string) => join(root, name)
  const [folder, key] = [file('small'), file('secret.pem')]
  return { folder, key, file, sign: (keyFile = key) => lavit(['sign', folder, '--key', keyFile]) }
}
