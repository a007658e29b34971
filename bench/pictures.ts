/**
 * How long a picture takes to decode, and how long the event loop is held up meanwhile. Another checkout of this
 * project
 * as an argument is measured in turns with this one: `npx tsx bench/pictures.ts ../before`.
 */
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'

type Decode = (bytes: Uint8Array, size: number, limits: object) => Promise<Uint8Array>

const size = 224
const runs = 9
const limits = { maxImageBytes: 1e8, maxImagePixels: 1e8, imageFormats: ['png', 'jpeg'] }
const folders = [join(import.meta.dirname, '..'), ...process.argv.slice(2).map(folder => resolve(folder))]

const pictures: [name: string, bytes: Buffer][] = [
  ['192 x 192 PNG', await photograph(192, 192).png().toBuffer()],
  ['1024 x 768 JPEG', await photograph(1024, 768).jpeg({ quality: 85 }).toBuffer()],
  ['4000 x 3000 JPEG', await photograph(4000, 3000).jpeg({ quality: 85 }).toBuffer()]
]
const versions = await Promise.all(
  folders.map(async folder => {
    const { decodePicture } = (await import(pathToFileURL(join(folder, 'src/codecs/image.ts')).href)) as {
      decodePicture: Decode
    }
    return { folder, decode: (bytes: Uint8Array) => decodePicture(bytes, size, limits) }
  })
)

console.log(
  `load average ${loadavg()
    .map(load => load.toFixed(1))
    .join(', ')}; medians of ${runs}, fastest in brackets`
)
for (const [name, bytes] of pictures) {
  const times = new Map(versions.map(({ folder }) => [folder, { decode: [] as number[], held: [] as number[] }]))
  for (const { decode } of versions) await decode(bytes) // warm-up
  for (let run = 0; run < runs; run++) {
    for (const { folder, decode } of versions) {
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      const from = performance.now()
      await decode(bytes)
      times.get(folder)?.decode.push(performance.now() - from)
      delay.disable()
      times.get(folder)?.held.push(delay.max / 1e6)
    }
  }
  for (const [folder, { decode, held }] of times) {
    console.log(`${name.padEnd(17)} ${tell(decode)} ms, event loop held ${tell(held)} ms  ${folder}`)
  }
}

function tell (times: number[]) {
  const sorted = times.sort((a, b) => a - b)
  return `${sorted[sorted.length >> 1]?.toFixed(1).padStart(6)} (${sorted[0]?.toFixed(1)})`
}

/** Soft shapes and some grain, as a camera gives them. */
function photograph (width: number, height: number) {
  const grain = {
    create: {
      width: width >> 2,
      height: height >> 2,
      channels: 3 as const,
      background: '#808080',
      noise: { type: 'gaussian' as const, mean: 128, sigma: 40 }
    }
  }
  return sharp(grain).blur(1.5).resize(width, height, { kernel: 'cubic' })
}
