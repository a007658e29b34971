/** Painting: the row of the prompt, its options, and the pictures as they come. */
import { isBusy } from '../state/job.ts'
import { canPaint, canvases, isBlank, nextCall, paint, painted, painting, position } from '../state/painting.ts'
import { otherModel } from '../state/sharing.ts'
import { CanvasView } from './canvas.tsx'
import { CodeView } from './code-view.tsx'
import { JobLine } from './job-line.tsx'
import { Known } from './known.tsx'
import { PaintOptions } from './paint-options.tsx'
import { PromptRow } from './prompt-row.tsx'

export function Painting () {
  const submit = (event: Event) => {
    event.preventDefault()
    if (!isBlank.value && canPaint.value) paint()
  }
  return (
    <section id='paint' aria-labelledby='paint-title' tabIndex={-1}>
      <h2 id='paint-title'>Paint a picture</h2>
      <p class='lead'>Words, pictures and tokens in a row become a picture.</p>
      {!canPaint.value && <p class='notice'>This model cannot paint: it has no pixel decoder.</p>}
      <form onSubmit={submit}>
        <PromptRow />
        <Known />
        <PaintOptions />
        <div class='bar'>
          <button type='submit' class='strong' id='paint-button' disabled={isBlank.value || !canPaint.value}>
            Paint
          </button>
          <CodeView call={painted.value?.call ?? nextCall.value} title='Code' />
        </div>
      </form>
      {otherModel.value && <p class='warning' role='alert'>{otherModel.value}.</p>}
      <JobLine job={painting} doing={tellDoing()} />
      <div class='canvases'>
        {canvases.value.map((canvas, index) => (
          <CanvasView key={index} canvas={canvas} index={index} isBusy={isBusy(painting)} />
        ))}
      </div>
    </section>
  )
}

function tellDoing () {
  if (position.value === undefined) return 'Painting'
  return position.value === 0 ? 'Next in the queue' : `In the queue behind ${position.value}`
}
