/** How a job goes: that it waits for the model, how long it took, what went wrong, and another try. */
import { isBusy, type Job } from '../state/job.ts'
import { phase } from '../state/server.ts'
import { useKeptFocus } from './beside.ts'

export function JobLine ({ job, doing }: { job: Job; doing: string }) {
  const { status, problem, ms } = job
  const line = useKeptFocus<HTMLParagraphElement>()
  const seconds = `${(ms.value / 1000).toFixed(1)} s`
  // the server, too, lets requests wait while it loads
  const waits = status.value === 'waiting' || (status.value === 'running' && phase.value === 'busy')
  // one button, so that the focus stays on it
  const press = isBusy(job)
    ? { says: 'Stop', act: job.stop }
    : status.value === 'failed' || status.value === 'stopped' ? { says: 'Try again', act: job.again } : undefined
  const took = ms.value < 1000 ? `${Math.round(ms.value)} ms` : seconds
  return (
    <p class={`job-line ${status.value}`} role='status' ref={line} tabIndex={-1}>
      {status.value === 'running' && !waits && (
        <span>{doing}… <span class='number' aria-hidden='true'>{seconds}</span></span>
      )}
      {waits && <span>Waits for the model, and goes on by itself…</span>}
      {status.value === 'done' && <span class='quiet'>in <span class='number'>{took}</span></span>}
      {status.value === 'stopped' && <span>Stopped after {seconds}.</span>}
      {status.value === 'failed' && <span class='bad'>{problem.value}.</span>}
      {press && <button type='button' onClick={() => press.act()}>{press.says}</button>}
    </p>
  )
}
