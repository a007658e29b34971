/** Copies a text; a page that is not served by TLS has the older way alone. Tells whether it was allowed. */
export async function toClipboard (text: string): Promise<boolean> {
  if (isSecureContext) return await navigator.clipboard.writeText(text).then(() => true, () => false)
  const focused = document.activeElement
  const field = document.createElement('textarea')
  field.value = text
  document.body.append(field)
  field.focus({ preventScroll: true })
  field.select()
  const isCopied = document.execCommand('copy')
  field.remove()
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true })
  return isCopied
}
