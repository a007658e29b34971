/** Which things of a closed world a caption names. */

/** The names of each concept, singular first. Where the data set has none, the plural follows the rules of spelling. */
export function namesOf (concepts: string[], known: Record<string, string[]> = {}): Map<string, string[]> {
  return new Map(concepts.map(concept => [concept, known[concept] ?? [concept, pluralOf(concept)]]))
}

/** Longer names first, so that `ice cream` is never `cream`; each word is used once. */
export function conceptsIn (caption: string, names: Map<string, string[]>): Set<string> {
  const pairs = [...names].flatMap(([concept, forms]) => forms.map(form => ({ concept, form })))
    .sort((a, b) => b.form.length - a.form.length)
  let text = ` ${caption.toLowerCase().replace(/[.,;:!?"()]/g, ' ').replace(/\s+/g, ' ')} `
  const found = new Set<string>()
  for (const { concept, form } of pairs) {
    if (!text.includes(` ${form} `)) continue
    text = text.replaceAll(` ${form} `, ' | ')
    found.add(concept)
  }
  return found
}

export function pluralOf (name: string): string {
  if (/(s|x|z|ch|sh)$/.test(name)) return `${name}es`
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`
  if (/ife$|(ea|l|r)f$/.test(name)) return `${name.replace(/fe?$/, '')}ves`
  if (/man$/.test(name)) return `${name.slice(0, -3)}men`
  return `${name}s`
}
