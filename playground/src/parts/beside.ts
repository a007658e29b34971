/** Where the focus goes when what has it is taken away. */
import { useLayoutEffect, useRef } from 'preact/hooks'

/** For what has its buttons come and go: it takes the focus itself when the button inside that had it is gone. */
export function useKeptFocus<Kind extends HTMLElement> () {
  const around = useRef<Kind>(null)
  const had = around.current?.contains(document.activeElement) === true
  useLayoutEffect(() => {
    if (had && document.activeElement === document.body) around.current?.focus()
  })
  return around
}

/** To the same place of the item beside it, or to what stays when there is none. */
export function focusBeside (element: Element, selector: string, otherwise: string) {
  const item = element.closest('li')
  const beside = item?.nextElementSibling ?? item?.previousElementSibling
  const next = beside?.querySelector<HTMLElement>(selector) ?? document.querySelector<HTMLElement>(otherwise)
  next?.focus()
}
