/** The prompt: words, pictures and tokens in a row, in any order. */
import { useRef } from 'preact/hooks'
import { dataUrl, type Part } from '../pure/call.ts'
import { bytesOfPicture, sampleFile, storedFile } from '../state/files.ts'
import { addPart, changePart, dropPart, movePart, row, type Row } from '../state/painting.ts'
import { samples } from '../state/samples.ts'
import { focusBeside } from './beside.ts'
import { Tile } from './tile.tsx'

export function PromptRow () {
  return (
    <div class='prompt-row'>
      <ol class='parts' aria-label='Prompt'>
        {row.value.map((each, index) => (
          <li key={each.id} class={`part of-${each.part.type}`}>
            <PartView row={each} index={index} />
            {row.value.length > 1 && <PartButtons row={each} index={index} />}
          </li>
        ))}
      </ol>
      <AddPart />
    </div>
  )
}

type Press = MouseEvent & { currentTarget: HTMLElement }
type PartProps = { row: Row; index: number }

function PartView ({ row: { id, part }, index }: PartProps) {
  if (part.type === 'image') return <img src={dataUrl(part.image)} alt={`Picture ${part.image.file}`} />
  if (part.type === 'visual_tokens') return <TokensPart part={part} />
  return (
    <textarea
      rows={2} dir='auto' value={part.text} aria-label={`Words, part ${index + 1}`}
      id={index === 0 ? 'prompt' : `part-${id}`} placeholder='a rocket on a blue background'
      onInput={event => changePart(id, { type: 'text', text: event.currentTarget.value })}
      onKeyDown={event => {
        // on a touch screen Enter belongs to the keyboard, and while a word is composed to what composes it
        if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
        if (matchMedia('(pointer: coarse)').matches) return
        event.preventDefault()
        event.currentTarget.form?.requestSubmit()
      }}
    />
  )
}

function TokensPart ({ part }: { part: Extract<Part, { type: 'visual_tokens' }> }) {
  return (
    <span class='few-tokens' role='img' aria-label={`${part.visual_tokens.length} visual tokens`}>
      {part.visual_tokens.slice(0, 12).map((token, i) => <Tile key={i} token={token} />)}
      <span class='number'>{part.visual_tokens.length}</span>
    </span>
  )
}

function PartButtons ({ row: { id, part }, index }: { row: Row; index: number }) {
  const name = part.type === 'text' ? 'words' : part.type === 'image' ? 'picture' : 'tokens'
  const isLast = index === row.value.length - 1
  const move = (event: Press, step: -1 | 1) => {
    const button = event.currentTarget
    movePart(id, step)
    queueMicrotask(() => button.focus()) // not every browser moves what has it (moveBefore)
  }
  const drop = (event: Press) => {
    // one that stays alone has no buttons
    const selector = row.value.length > 2 ? '.part-buttons button:last-child' : 'textarea'
    focusBeside(event.currentTarget, selector, '.add-part button')
    dropPart(id)
  }
  return (
    <span class='part-buttons'>
      <button
        type='button' class='plain' aria-label={`Move ${name} ${index + 1} to the front`} aria-disabled={index === 0}
        onClick={event => move(event, -1)}
      >↑
      </button>
      <button
        type='button' class='plain' aria-label={`Move ${name} ${index + 1} to the back`} aria-disabled={isLast}
        onClick={event => move(event, 1)}
      >↓
      </button>
      <button type='button' class='plain' aria-label={`Take ${name} ${index + 1} out`} onClick={drop}>×</button>
    </span>
  )
}

async function addPicture (blob: Blob, name: string) {
  if (await bytesOfPicture(blob, name)) addPart({ type: 'image', image: await storedFile(blob, name) })
}

function AddPart () {
  const file = useRef<HTMLInputElement>(null)
  const add = async () => {
    const [chosen] = file.current?.files ?? []
    if (chosen) await addPicture(chosen, chosen.name)
    if (file.current) file.current.value = ''
  }
  const addSample = async (name: string) => {
    const sample = samples.find(({ file }) => file === name)
    const blob = sample && await sampleFile(sample.url)
    if (blob) await addPicture(blob, name)
  }
  return (
    <div class='bar add-part'>
      <button type='button' class='plain' onClick={() => addPart({ type: 'text', text: '' })}>+ Words</button>
      <button type='button' class='plain' onClick={() => file.current?.click()}>+ Picture</button>
      <input ref={file} type='file' accept='image/*' hidden onChange={add} aria-label='Picture for the prompt' />
      <label class='field'>
        <span class='unseen'>Add a sample</span>
        <select value='' onChange={event => addSample(event.currentTarget.value)}>
          <option value=''>+ Sample</option>
          {samples.map(({ file: name, says }) => <option key={name} value={name}>{says}</option>)}
        </select>
      </label>
    </div>
  )
}
