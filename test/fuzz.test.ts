/** Requests that are nearly right have answers that the document tells of; longer by `npm run fuzz -- --minutes 30`. */
import t from 'tap'
import { fuzz } from './fixtures/fuzz.ts'
import { manifest } from './fixtures/manifest.ts'
import { buildTestApp } from './helper.ts'

const minutes = Number(process.env.FUZZ_MINUTES ?? 0)
const seed = Number(process.env.FUZZ_SEED ?? 1)
const least = 600

t.setTimeout((minutes + 5) * 60_000)

t.test(`${minutes > 0 ? `${minutes} minutes` : `${least} requests`} from seed ${seed}`, async t => {
  const model = {
    ...manifest,
    image: { size: 16, grid: { rows: 8, columns: 8 } }, // as the document's examples
    language_model: { ...manifest.language_model, max_length: 1000 },
    visual_tokenizer: { ...manifest.visual_tokenizer, codebook_size: 65_536 }
  }
  const environment = { LAVIT_MAX_IMAGE_PIXELS: '1000000', LAVIT_BATCH_DIR: t.testdir() }
  const app = await buildTestApp(t, { model, environment })
  const until = performance.now() + minutes * 60_000
  const goesOn = (count: number) => count < least || performance.now() < until
  const { count, statuses, valid, faults } = await fuzz(app, seed, goesOn)
  t.strictSame(faults, [])
  t.ok(valid > count / 4, `${valid} of ${count} are right`)
  t.ok(statuses.size >= 4, [...statuses].join('; '))
  t.equal(app.seen.loans, 0)
  t.equal((await app.inject('/health/live')).statusCode, 200)
})
