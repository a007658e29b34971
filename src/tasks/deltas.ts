/** Texts in pieces, as they are drawn: only what no later token can change is told. */
import type { TextCodec } from '../codecs/text.ts'
import type { Part } from '../pipe/work.ts'
import type { Tell } from '../schemas/events.ts'

const unsettled = /[\s\ufffd]+$/ // space at the end falls away; broken characters may be whole with the next byte

/**
 * `isAsDrawn`: the answer is one text, as its tokens come; any other text is told when it is finished. A token shows
 * what it adds once
 * the next has come, since the bytes of one character may be spread over several.
 */
export function createDeltas (tell: Tell, { decode }: Pick<TextCodec, 'decode'>, isAsDrawn: boolean) {
  const ids: number[] = []
  let before = ''
  let told = ''
  return {
    onPart (part: Part): void {
      if (part.kind === 'queued') tell('queued', { position: part.position })
      if (part.kind !== 'token' || !isAsDrawn) return
      ids.push(part.tokenId)
      const now = decode(ids).trimStart()
      goOn(commonStart(before, now).replace(unsettled, ''))
      before = now
    },

    /** The texts of the answer: what of them is not told yet. */
    finish (texts: string[]): void {
      for (const [index, text] of texts.entries()) {
        const delta = index === 0 ? text.slice(told.length) : text
        if (delta !== '') tell('token', { index, delta })
      }
    }
  }

  function goOn (text: string): void {
    if (text.length <= told.length || !text.startsWith(told)) return
    tell('token', { index: 0, delta: text.slice(told.length) })
    told = text
  }
}

function commonStart (a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return a.slice(0, length)
}
