/** Writes kernel.ts from kernel.wat: `npm run kernel`. */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import openWabt from 'wabt'

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL('kernel.ts', import.meta.url), await renderKernel())
}

/** kernel.ts as it is committed. */
export async function renderKernel (): Promise<string> {
  const source = await readFile(new URL('kernel.wat', import.meta.url), 'utf8')
  const module = (await openWabt()).parseWat('kernel.wat', source, { simd: true })
  const lines = Buffer.from(module.toBinary({}).buffer).toString('base64').match(/.{1,110}/g) ?? []
  const text = lines.map(line => `  '${line}'`).join(' +\n')
  return `/** kernel.wat in binary, base64, as compile.ts writes it. */\nexport const kernel =\n${text}\n`
}
