/** What was asked in this browser: to see again, to lay side by side, to take along as a file. */
import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Run } from '../pure/history-file.ts'
import { pictureOf, tellAnswer, tellAsked } from '../pure/tell-run.ts'
import { save } from '../state/files.ts'
import {
  bringBack, compared, exportHistory, forget, forgetAll, forgotten, importHistory, runs, toggleCompared, trouble
} from '../state/history.ts'
import { showAgain } from '../state/show-again.ts'
import { focusBeside } from './beside.ts'
import { Comparison } from './comparison.tsx'

const shownAtFirst = 12
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'short' })

export function History () {
  const all = useSignal(false)
  const list = useRef<HTMLUListElement>(null)
  useLayoutEffect(() => {
    // the button that had the focus is gone
    if (all.value) list.current?.querySelector<HTMLElement>(`:nth-child(${shownAtFirst + 1}) > .again`)?.focus()
  }, [all.value])
  const shown = all.value ? runs.value : runs.value.slice(0, shownAtFirst)
  return (
    <section id='history' aria-labelledby='history-title' tabIndex={-1}>
      <h2 id='history-title'>History</h2>
      <p class='lead'>Kept in this browser alone. Choose two runs to lay them side by side.</p>
      <Files />
      <Comparison />
      <ul class='runs' ref={list}>
        {shown.map(run => <RunView key={run.id} run={run} />)}
      </ul>
      {runs.value.length > shown.length && (
        <button type='button' class='plain' onClick={() => { all.value = true }}>All {runs.value.length}</button>
      )}
    </section>
  )
}

function Files () {
  const file = useRef<HTMLInputElement>(null)
  const said = useSignal('')
  const bring = async () => {
    const [chosen] = file.current?.files ?? []
    const count = chosen && await importHistory(await chosen.text())
    if (chosen) said.value = count === undefined ? `${chosen.name} is no history` : `${count} runs brought in`
    if (file.current) file.current.value = ''
  }
  const empty = runs.value.length === 0
  const lost = forgotten.value.length
  return (
    <div class='bar'>
      <button
        type='button' disabled={empty}
        onClick={() => save(new Blob([exportHistory()], { type: 'application/json' }), 'lavit-history.json')}
      >
        Export
      </button>
      <button type='button' onClick={() => file.current?.click()}>Import</button>
      <input ref={file} type='file' accept='application/json,.json' hidden onChange={bring} aria-label='History file' />
      {empty && lost > 0
        ? <button type='button' class='plain' onClick={bringBack}>Bring {lost} back</button>
        : <button type='button' class='plain' disabled={empty} onClick={forgetAll}>Delete all</button>}
      <span role='status'>{said.value}</span>
      <span class='bad' role='status'>{trouble.value && `${trouble.value}.`}</span>
    </div>
  )
}

function RunView ({ run }: { run: Run }) {
  const { id, at, call } = run
  const picture = pictureOf(run)
  const asked = tellAsked(run)
  const drop = (event: MouseEvent & { currentTarget: HTMLElement }) => {
    focusBeside(event.currentTarget, '.run-buttons button:last-child', '#history')
    forget(id)
  }
  return (
    <li class='run'>
      <button type='button' class='again' onClick={() => showAgain(run)} title='Show again'>
        {picture && <img src={picture} alt='' loading='lazy' />}
        <span class='run-words'>
          <span class='asked' dir='auto'>{asked}</span>
          <span class='answered' dir='auto'>{tellAnswer(run)}</span>
          <span class='quiet'>{call.route}, {dates.format(new Date(at))}</span>
        </span>
      </button>
      <span class='run-buttons'>
        <button
          type='button' class='plain' aria-pressed={compared.value.includes(id)} aria-label={`Compare: ${asked}`}
          onClick={() => toggleCompared(id)}
        >
          Compare
        </button>
        <button type='button' class='plain' aria-label={`Delete: ${asked}`} onClick={drop}>×</button>
      </span>
    </li>
  )
}
