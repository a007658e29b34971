/**
 * The words of a caption, close to what the Stanford PTB tokenizer gives caption metrics: lower case, clitics apart
 * (`do n't`, `dog 's`), punctuation dropped, hyphenated words whole. Not treated: abbreviations, fractions, URLs.
 */
export function wordsOf (caption: string): string[] {
  return caption.toLowerCase()
    .replace(/[‘’]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/(?<=^|\s)'+(?!(?:s|m|d|ll|re|ve)\b)|(?<=\w)'+(?=\s|$)/g, ' ') // quotes, and the mark of `dogs' ears`
    .replace(/\b(can)(not)\b/g, '$1 $2')
    .replace(/\b(gon|wan)(na)\b/g, '$1 $2')
    .replace(/(\w)(n't)\b/g, '$1 $2')
    .replace(/(\w)('(?:s|m|d|ll|re|ve))\b/g, '$1 $2')
    .replace(/(\d),(?=\d{3})/g, '$1\u0000') // a comma inside a number belongs to it
    .replace(/[.?!,:;"`()[\]{}…]+(?=\s|$)|(?<=^|\s)["`([{.…]+|[,:;"`()[\]{}?!…]|--+/g, ' ')
    .replaceAll('\u0000', ',')
    .split(/\s+/)
    .filter(word => /[^'-]/.test(word))
}
