/** Reading a picture: its patches and tokens, how familiar it is, what it shows, and answers about it. */
import { useSignal } from '@preact/signals'
import { answers, beams, caption, describe, answerQuestion, type Text } from '../state/reading.ts'
import {
  active, choice, codes, kept, mask, picture, tokenizeCall, tokenizing, tokens, type Picture
} from '../state/picture.ts'
import { addPart, paintTokens, tokensCall } from '../state/painting.ts'
import { patches } from '../state/server.ts'
import { linkTo } from '../state/sharing.ts'
import { ChoiceSliders } from './choice.tsx'
import { CodeView } from './code-view.tsx'
import { CopyButton } from './copy-button.tsx'
import { Familiarity } from './familiarity.tsx'
import { Intake } from './intake.tsx'
import { JobLine } from './job-line.tsx'
import { TokenPicture } from './token-picture.tsx'
import { TokenRow } from './token-row.tsx'

export function Reading () {
  const { value } = picture
  return (
    <section id='read' aria-labelledby='read-title' tabIndex={-1}>
      <h2 id='read-title'>Read a picture</h2>
      <p class='lead'>A picture becomes as many tokens as it has to say.</p>
      <Intake />
      {value && <Read picture={value} />}
    </section>
  )
}

function Read ({ picture: { url, stored } }: { picture: Picture }) {
  const answer = tokens.value
  const places = mask.value.flatMap((isKept, place) => (isKept ? [{ place, token: codes.value.get(place) }] : []))
  return (
    <div class='read'>
      <div class='seen'>
        <TokenPicture
          src={url} alt={`The picture ${stored.file}`} mask={mask.value} codes={codes.value} active={active}
          {...(answer && { probabilities: answer.keep_probabilities })}
        />
        <div class='beside'>
          <p class='count' aria-live='polite'>
            {answer ? <><b class='number'>{kept.value}</b> of {patches.value} patches</> : <b class='number'>–</b>}
            <span class='unseen'> stay</span>
          </p>
          {answer && <ChoiceSliders />}
          <JobLine job={tokenizing} doing='Choosing patches' />
        </div>
      </div>
      {answer && <TokenRow places={places} active={active} />}
      {answer && <Familiarity answer={answer} />}
      {answer && <Said />}
      {answer && (
        <div class='bar'>
          <button type='button' onClick={() => paintTokens(tokensCall(answer.visual_tokens))}>Paint its tokens</button>
          <button type='button' onClick={() => addPart({ type: 'image', image: stored })}>
            Paint with this picture
          </button>
          <CopyButton text={linkTo(answer.visual_tokens)} label='Copy link' />
          <CodeView call={tokenizeCall(stored)} title='Code for these tokens' key={JSON.stringify(choice.value)} />
        </div>
      )}
    </div>
  )
}

function Said () {
  const question = useSignal('')
  const ask = (event: Event) => {
    event.preventDefault()
    if (question.value.trim() !== '') answerQuestion(question.value.trim())
  }
  return (
    <div class='said'>
      {caption.value && <Written text={caption.value} title='Caption' doing='Writing' />}
      <div class='bar'>
        <button type='button' id='describe' onClick={describe}>Describe again</button>
        <label class='field'>
          Beams
          <select value={beams.value} onChange={event => { beams.value = Number(event.currentTarget.value) }}>
            {[1, 2, 4].map(count => <option key={count} value={count}>{count}</option>)}
          </select>
        </label>
      </div>
      <form class='ask' onSubmit={ask}>
        <label for='question'>Ask about it</label>
        <input
          id='question' dir='auto' value={question.value} placeholder='how many things are there?' autocomplete='off'
          onInput={event => { question.value = event.currentTarget.value }}
        />
        <button type='submit' class='strong'>Ask</button>
      </form>
      {answers.value.map(text => (
        <Written key={text} text={text} title={String(text.call.options.question)} doing='Answering' />
      ))}
    </div>
  )
}

/** Words as they come. */
function Written ({ text: { job, call, text }, title, doing }: { text: Text; title: string; doing: string }) {
  return (
    <article class='written'>
      <h3 dir='auto'>{title}</h3>
      <p class='words' dir='auto' aria-live='polite' aria-busy={job.status.value === 'running'}>{text.value || ' '}</p>
      <div class='bar'>
        <JobLine job={job} doing={doing} />
        <CodeView call={call} title='Code' />
      </div>
    </article>
  )
}
