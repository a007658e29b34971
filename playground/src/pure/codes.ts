/** What a code of the embedded model stands for: a content at a place. */

export type Code = { content: number; place: number }

/** A model with `places` patches writes each content at each place: the place counts in steps of `contents`. */
export function splitCode (code: number, contents: number): Code {
  return { content: code % contents, place: Math.floor(code / contents) }
}

export function joinCode ({ content, place }: Code, contents: number): number {
  return place * contents + content
}

/** Codes in raster order, by the patch that each stands at. */
export function codesByPlace (codes: readonly number[], mask: readonly boolean[]): Map<number, number> {
  const places = mask.flatMap((isKept, place) => (isKept ? [place] : []))
  return new Map(places.flatMap((place, i) => {
    const code = codes[i]
    return code === undefined ? [] : [[place, code]]
  }))
}
