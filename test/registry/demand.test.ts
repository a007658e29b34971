import t from 'tap'
import type { Manifest } from '../../src/package/manifest.ts'
import { cacheBytes, demandOf, weightBytes } from '../../src/registry/demand.ts'
import { manifest } from '../fixtures/manifest.ts'

const file = (bytes: number) => ({ file: 'x', sha256: '0'.repeat(64), bytes })
const graphs: Manifest['graphs'] = {
  vision: { ...file(1), data: [file(100), file(10)] },
  token_predictor: file(0),
  merger_codes: file(0),
  merger_embeddings: file(0),
  language_model: file(1000),
  text_head: file(10_000),
  visual_head: file(0)
}
const at = (precision?: string, device?: string): Manifest => ({
  ...manifest,
  graphs,
  provenance: { precision, device }
})

t.test('half precision is widened, single is not, and quantised layers stay packed', async t => {
  for (const kind of ['cpu', 'webgpu'] as const) {
    t.equal(weightBytes(at('fp32'), kind), 11_111)
    t.equal(weightBytes(at('fp16'), kind), 22_222)
    t.equal(weightBytes(at(), kind), 22_222)
    t.equal(weightBytes(at('int4'), kind), 11_222)
  }
})

t.test('weights of a package that was made for GPUs stay there as they are stored', async t => {
  t.equal(weightBytes(at('fp16', 'webgpu'), 'webgpu'), 11_111)
  t.equal(weightBytes(at('fp16', 'webgpu'), 'cpu'), 22_222)
  t.equal(weightBytes(at('int4', 'webgpu'), 'webgpu'), 11_111)
})

t.test('a cache of LaVIT-7B takes 0.8 GB a sequence', async t => {
  const language = { ...manifest.language_model, layers: 32, kv_heads: 32, head_dim: 128, max_length: 768 }
  t.equal(cacheBytes(language, 1) - cacheBytes(language, 0), 2 * 32 * 32 * 128 * 768 * 4)
})

t.test('on the processor all lies in the memory of the host, on a GPU what is computed with lies there', async t => {
  const cpu = demandOf(at(), { slots: 4, engines: 2, kind: 'cpu' })
  const gpu = demandOf(at(), { slots: 4, engines: 2, kind: 'webgpu' })
  t.equal(cpu.device, 0)
  t.equal(gpu.host, 2 * 128 * 2 ** 20, 'the processes alone')
  const copy = gpu.device - (cpu.host - gpu.host)
  t.ok(copy > 0 && copy < cpu.host, 'beside the cache there is a copy of one sequence, and what is new')
  t.equal(demandOf(at(), { slots: 4, engines: 1, kind: 'webgpu' }).device, gpu.device / 2)
  t.ok(gpu.device > 2 * 22_222, 'activations count')
  const kept = demandOf(at(), { slots: 4, engines: 2, kind: 'webgpu', keepsOnHost: true })
  t.equal(kept.host - gpu.host, 2 * cacheBytes(manifest.language_model, 4), 'a cache that is kept on the host')
  t.equal(kept.host + kept.device, cpu.host, 'then nothing is there twice')
})

t.test('what the processor runs wherever the model is counts on the host', async t => {
  const mixed = { ...at('fp32'), graphs: { ...graphs, vision: { ...graphs.vision, device: 'cpu' as const } } }
  const options = { slots: 4, engines: 2, kind: 'webgpu' } as const
  t.equal(demandOf(mixed, options).host - demandOf(at('fp32'), options).host, 2 * 111)
  t.equal(demandOf(at('fp32'), options).device - demandOf(mixed, options).device, 2 * 111)
})
