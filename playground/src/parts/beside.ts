/** Where the focus goes when what has it is taken away. */

/** To the same place of the item beside it, or to what stays when there is none. */
export function focusBeside (element: Element, selector: string, otherwise: string) {
  const item = element.closest('li')
  const beside = item?.nextElementSibling ?? item?.previousElementSibling
  const next = beside?.querySelector<HTMLElement>(selector) ?? document.querySelector<HTMLElement>(otherwise)
  next?.focus()
}
