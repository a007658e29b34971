/** A call as code: each snippet writes to its output the bytes that the page was answered. */
import { bodyOf, filesOf, type Call } from './call.ts'

export type Language = 'curl' | 'JavaScript' | 'Python'
export const languages: readonly Language[] = ['curl', 'JavaScript', 'Python']

/** `base` is the server's address with a slash at its end; with `needsKey` the key is read from `LAVIT_KEY`. */
export type Place = { base: string; needsKey: boolean }

/** Pictures are read from files of their names, in the folder where the snippet runs. */
export function writeSnippet (language: Language, call: Call, place: Place): string {
  return { curl: writeCurl, JavaScript: writeScript, Python: writePython }[language](call, place)
}

/** A picture that is asked about is a raw body, with its options in the query. */
function urlOf ({ route, image, options }: Call, { base }: Place): string {
  if (!image) return `${base}${route}`
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(options)) query.set(name, String(value))
  return `${base}${route}${query.size > 0 ? `?${query}` : ''}`
}

type Write = (file: string, type: string) => string

/** JSON of the call whose pictures are written as `write` says. */
function writeJson (call: Call, write: Write, escape = (text: string) => text): string {
  // lists of tokens on one line
  let rest = JSON.stringify(bodyOf(call), null, 2).replace(/"visual_tokens": \[[\s\d,]*\]/g, list =>
    list.replace(/\s+/g, ' ').replace(/\[ | (?=\])/g, found => found.trim())
  )
  let written = ''
  for (const { file, media_type: type, base64 } of filesOf(call)) {
    const [before = '', ...after] = rest.split(`"data:${type};base64,${base64}"`)
    written += escape(before) + write(file, type)
    rest = after.join(`"data:${type};base64,${base64}"`)
  }
  return written + escape(rest)
}

function writeCurl (call: Call, place: Place): string {
  const key = place.needsKey ? ' \\\n  -H "Authorization: Bearer $LAVIT_KEY"' : ''
  const url = inShell(urlOf(call, place))
  if (call.image) {
    const { file, media_type: type } = call.image
    return `curl -s ${url}${key} \\\n  -H 'content-type: ${type}' --data-binary ${inShell(`@${file}`)}`
  }
  const escape = (text: string) => text.replace(/[\\$`]/g, '\\$&')
  const read: Write = (file, type) => `"data:${type};base64,$(base64 < ${inShell(file)} | tr -d '\\n')"`
  const json = writeJson(call, read, escape)
  return `curl -s ${url}${key} --json @- <<JSON\n${json}\nJSON`
}

function inShell (text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function writeScript (call: Call, place: Place): string {
  const url = JSON.stringify(urlOf(call, place))
  // eslint-disable-next-line no-template-curly-in-string -- of the snippet
  const key = place.needsKey ? ', authorization: `Bearer ${process.env.LAVIT_KEY}`' : ''
  const type = call.image?.media_type ?? 'application/json'
  const reads = filesOf(call).length > 0 ? "import { readFile } from 'node:fs/promises'\n\n" : ''
  const read: Write = (file, type) =>
    `\`data:${type};base64,\${(await readFile(${JSON.stringify(file)})).toString('base64')}\``
  const body = call.image
    ? `await readFile(${JSON.stringify(call.image.file)})`
    : `JSON.stringify(${writeJson(call, read)})`
  return `${reads}const answer = await fetch(${url}, {
  method: 'POST',
  headers: { 'content-type': '${type}'${key} },
  body: ${body.replaceAll('\n', '\n  ')}
})
process.stdout.write(await answer.text())`
}

function writePython (call: Call, place: Place): string {
  const url = JSON.stringify(urlOf(call, place))
  const type = call.image?.media_type ?? 'application/json'
  const key = place.needsKey ? ', "authorization": "Bearer " + os.environ["LAVIT_KEY"]' : ''
  const read: Write = (file, type) =>
    `"data:${type};base64," + base64.b64encode(open(${JSON.stringify(file)}, "rb").read()).decode()`
  const body = call.image
    ? `open(${JSON.stringify(call.image.file)}, "rb").read()`
    : `json.dumps(${writeJson(call, read)}).encode()`
  const modules = [
    ...(filesOf(call).length > 0 && !call.image ? ['base64'] : []),
    ...(call.image ? [] : ['json']),
    ...(place.needsKey ? ['os'] : []),
    'sys',
    'urllib.request'
  ]
  return `${modules.map(name => `import ${name}`).join('\n')}

request = urllib.request.Request(
    ${url},
    data=${body.replaceAll('\n', '\n    ')},
    headers={"content-type": "${type}"${key}},
)
sys.stdout.buffer.write(urllib.request.urlopen(request).read())`
}
