/** The command line of the soak. */
import { parseArgs } from 'node:util'

export const usage = `npm run soak -- [options]

  --requests 20000     at least so many
  --minutes 30         over at least so long; requests are spread over that time
  --clients 16         each with an address of its own
  --kill-every 90      seconds between two kills of an engine, of another than the first; below 60 an
                       engine has no time to prove itself, and is started again ever more slowly
  --hang-every 240     seconds between two engines that are made to hang
  --ready-within 5     seconds from a kill or a hang to an engine that is ready
  --decoder-every 60   seconds between two kills of a process that decodes pictures
  --seed 1             of what is asked when
  --report docs/soak.md`

export type SoakOptions = ReturnType<typeof readSoakOptions>

/** Throws an Error that says what is wrong and what there is. */
export function readSoakOptions (words: string[]) {
  const { values } = parseArgs({
    args: words,
    options: {
      requests: { type: 'string', default: '20000' },
      minutes: { type: 'string', default: '30' },
      clients: { type: 'string', default: '16' },
      'kill-every': { type: 'string', default: '90' },
      'hang-every': { type: 'string', default: '240' },
      'ready-within': { type: 'string', default: '5' },
      'decoder-every': { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      report: { type: 'string', default: 'docs/soak.md' }
    }
  })
  return {
    requests: positive(values.requests),
    minutes: positive(values.minutes),
    clients: positive(values.clients),
    killEvery: positive(values['kill-every']),
    hangEvery: positive(values['hang-every']),
    readyWithin: positive(values['ready-within']),
    decoderEvery: positive(values['decoder-every']),
    seed: positive(values.seed),
    report: values.report
  }
}

function positive (word: string): number {
  const number = Number(word)
  if (!(number > 0)) throw new Error(`${word} is no number above 0\n\n${usage}`)
  return number
}
