/** The head of the page: what it is, which model answers, and where else to go. */
import { key } from '../server/key.ts'
import { openDialog } from '../state/dialogs.ts'
import { picture } from '../state/picture.ts'
import { readPicture } from '../state/reading.ts'
import { chooseModel, model, modelName, names, phase, type Phase } from '../state/server.ts'

const says: Record<Phase, string> = {
  connecting: 'asking',
  ready: 'ready',
  busy: 'not ready',
  failed: 'failed',
  gone: 'no answer',
  locked: 'asks for a key'
}

export function Header () {
  return (
    <header>
      <a class='skip' href='#paint' onClick={jump}>To painting</a>
      <h1>LaVIT <span>playground</span></h1>
      <p class={`model ${phase.value}`}>
        <span class='dot' aria-hidden='true' />
        <ModelChoice />
        <span role='status'>{says[phase.value]}</span>
      </p>
      <nav aria-label='Page'>
        <a href='#read' onClick={jump}>Read</a>
        <a href='#paint' onClick={jump}>Paint</a>
        <a href='#history' onClick={jump}>History</a>
        <a href='docs'>API</a>
        {(key.value || phase.value === 'locked') && (
          <button type='button' class='plain' onClick={() => openDialog('key')}>Key</button>
        )}
        <button type='button' class='plain' aria-label='Keys and help' onClick={() => openDialog('help')}>?</button>
      </nav>
    </header>
  )
}

/** Which model answers, where there are several. */
function ModelChoice () {
  const { name, version } = modelName.value
  if (!model.value) return null
  if (names.value.length < 2) return <span>{name} {version}, </span>
  const choose = async (next: string) => {
    await chooseModel(next)
    if (picture.value) await readPicture(picture.value.blob, picture.value.stored.file)
  }
  return (
    <label class='field'>
      <span class='unseen'>Model</span>
      <select value={name} onChange={event => choose(event.currentTarget.value)}>
        {names.value.map(each => <option key={each} value={each}>{each}</option>)}
      </select>
      {version},
    </label>
  )
}

/** The address keeps what it carries. */
function jump (event: MouseEvent & { currentTarget: HTMLAnchorElement }) {
  event.preventDefault()
  const target = document.querySelector<HTMLElement>(event.currentTarget.hash)
  target?.scrollIntoView()
  target?.focus({ preventScroll: true })
}
