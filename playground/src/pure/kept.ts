/** Texts that a browser keeps. Where site data is forbidden, the storage throws when it is only looked at. */

export type Store = {
  getItem: (name: string) => string | null
  setItem: (name: string, text: string) => void
  removeItem: (name: string) => void
}

/** Empty where nothing is kept. */
export function readKept (storage: () => Store, name: string): string {
  try {
    return storage().getItem(name) ?? ''
  } catch {
    return ''
  }
}

/** An empty text is forgotten; what the browser keeps no text of is known until the page is left. */
export function writeKept (storage: () => Store, name: string, text: string): void {
  try {
    if (text) storage().setItem(name, text)
    else storage().removeItem(name)
  } catch {}
}
