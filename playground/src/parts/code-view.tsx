/** The call behind what is seen, as code. */
import { useSignal } from '@preact/signals'
import type { Call } from '../pure/call.ts'
import { languages, writeSnippet, type Language } from '../pure/snippets.ts'
import { base } from '../server/ask.ts'
import { key } from '../server/key.ts'
import { Choose } from './choose.tsx'
import { CopyButton } from './copy-button.tsx'

export function CodeView ({ call, title }: { call: Call; title: string }) {
  const isOpen = useSignal(false)
  const language = useSignal<Language>('curl')
  return (
    <details class='code' onToggle={event => { isOpen.value = event.currentTarget.open }}>
      <summary>{title}</summary>
      {isOpen.value && <Snippet call={call} language={language.value} onLanguage={next => { language.value = next }} />}
    </details>
  )
}

type Props = { call: Call; language: Language; onLanguage: (language: Language) => void }

function Snippet ({ call, language, onLanguage }: Props) {
  const text = writeSnippet(language, call, { base, needsKey: key.value !== '' })
  return (
    <div class='snippet'>
      <div class='bar'>
        <Choose label='Language' options={languages} value={language} onChoose={onLanguage} />
        <CopyButton text={text} label='Copy' />
      </div>
      <pre tabIndex={0} aria-label={`${language} for this`}><code>{text}</code></pre>
      <p class='quiet'>It writes the bytes that this page was answered. Pictures are files of these names.</p>
    </div>
  )
}
