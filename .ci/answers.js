// Whether what a command printed is what a page has written under it: JSON that the answer contains, where … leaves
// the rest open; `FILE: W x H` of a PNG; `events: ` and the names of server-sent events in order, each once; or the
// last lines of text, in which … stands for anything.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** `folder` is where files that an answer names lie. */
export function isAnswer (stdout, answer, folder) {
  const picture = /^(\S+): (\d+) x (\d+)$/.exec(answer)
  if (picture) return isPng(join(folder, picture[1]), Number(picture[2]), Number(picture[3]))
  if (answer.startsWith('events: ')) return `events: ${namesOfEvents(stdout).join(', ')}` === answer
  if (!/^[[{]/.test(answer)) return isLike(lastLines(stdout, answer.split('\n').length), answer)
  return contains(JSON.parse(stdout || 'null'), open(answer))
}

function lastLines (text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}

/** The same text, but for what … stands for. */
function isLike (text, written) {
  const parts = written.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^]*?')}$`).test(text)
}

function namesOfEvents (stream) {
  return [...new Set([...stream.matchAll(/^event: (.+)$/gm)].map(([, name]) => name))]
}

/** The JSON of a written answer; in a list … stays as a mark that more may follow. */
function open (answer) {
  return JSON.parse(answer.replace(/,\s*…\s*\}/g, '}').replace(/,\s*…\s*\]/g, ',"…"]'))
}

function contains (whole, part) {
  if (Array.isArray(part)) {
    const isOpen = part.at(-1) === '…'
    const items = isOpen ? part.slice(0, -1) : part
    return (
      Array.isArray(whole) &&
      (isOpen || whole.length === items.length) &&
      items.every((item, i) => contains(whole[i], item))
    )
  }
  if (part === null || typeof part !== 'object') return whole === part
  return (
    whole !== null &&
    typeof whole === 'object' &&
    Object.entries(part).every(([key, value]) => contains(whole[key], value))
  )
}

function isPng (path, width, height) {
  if (!existsSync(path)) return false
  const bytes = readFileSync(path)
  return (
    bytes.toString('latin1', 1, 4) === 'PNG' && bytes.readUInt32BE(16) === width && bytes.readUInt32BE(20) === height
  )
}
