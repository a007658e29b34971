/** A decoder with random weights in the sizes of a model package, as a GGUF file that llama.cpp reads. */

const alignment = 32
const types = { u32: 4, i32: 5, f32: 6, string: 8, array: 9 }

/** LLaMA layout, float32. `sizes`: layers, width, heads, kvHeads, hidden (of the feed-forward part), words, places. */
export function randomDecoder ({ layers, width, heads, kvHeads, hidden, words, places }) {
  const byte = i => `<0x${(i - 3).toString(16).toUpperCase().padStart(2, '0')}>` // without them no file is read
  const tokens = Array.from({ length: words }, (_, i) => ['<unk>', '<s>', '</s>'][i] ?? (i < 259 ? byte(i) : `w${i}`))
  const fields = [
    ['general.architecture', 'string', 'llama'],
    ['llama.context_length', 'u32', places],
    ['llama.embedding_length', 'u32', width],
    ['llama.block_count', 'u32', layers],
    ['llama.feed_forward_length', 'u32', hidden],
    ['llama.attention.head_count', 'u32', heads],
    ['llama.attention.head_count_kv', 'u32', kvHeads],
    ['llama.rope.dimension_count', 'u32', width / heads],
    ['llama.vocab_size', 'u32', words],
    ['llama.attention.layer_norm_rms_epsilon', 'f32', 1e-5],
    ['tokenizer.ggml.model', 'string', 'llama'],
    ['tokenizer.ggml.tokens', 'array', ['string', tokens]],
    ['tokenizer.ggml.scores', 'array', ['f32', tokens.map(() => 0)]],
    ['tokenizer.ggml.token_type', 'array', ['i32', tokens.map((_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1))]],
    ['tokenizer.ggml.bos_token_id', 'u32', 1],
    ['tokenizer.ggml.eos_token_id', 'u32', 2],
    ['tokenizer.ggml.unknown_token_id', 'u32', 0]
  ]
  const tensors = [
    ['token_embd.weight', [width, words]],
    ['output_norm.weight', [width]],
    ['output.weight', [width, words]],
    ...Array.from({ length: layers }, (_, i) => [
      [`blk.${i}.attn_norm.weight`, [width]],
      ...['q', 'output'].map(name => [`blk.${i}.attn_${name}.weight`, [width, width]]),
      ...['k', 'v'].map(name => [`blk.${i}.attn_${name}.weight`, [width, (width / heads) * kvHeads]]),
      [`blk.${i}.ffn_norm.weight`, [width]],
      [`blk.${i}.ffn_gate.weight`, [width, hidden]],
      [`blk.${i}.ffn_up.weight`, [width, hidden]],
      [`blk.${i}.ffn_down.weight`, [hidden, width]]
    ]).flat()
  ]
  const parts = [Buffer.from('GGUF'), number('u32', 3), long(tensors.length), long(fields.length)]
  for (const [name, type, value] of fields) parts.push(text(name), number('u32', types[type]), valueOf(type, value))
  let offset = 0
  for (const [name, dims] of tensors) {
    parts.push(text(name), number('u32', dims.length), ...dims.map(long), number('u32', 0), long(offset))
    offset += padded(4 * product(dims))
  }
  const head = Buffer.concat(parts)
  const file = Buffer.alloc(padded(head.length) + offset)
  head.copy(file)
  let start = padded(head.length)
  for (const [, dims] of tensors) {
    const size = product(dims)
    const weights = Float32Array.from({ length: size }, () => (dims.length === 1 ? 1 : (Math.random() - 0.5) / 8))
    Buffer.from(weights.buffer).copy(file, start)
    start += padded(4 * size)
  }
  return file
}

function valueOf (type, value) {
  if (type === 'string') return text(value)
  if (type !== 'array') return number(type, value)
  const [each, values] = value
  return Buffer.concat([number('u32', types[each]), long(values.length), ...values.map(item => valueOf(each, item))])
}

function text (value) {
  const bytes = Buffer.from(value)
  return Buffer.concat([long(bytes.length), bytes])
}

function number (type, value) {
  const bytes = Buffer.alloc(4)
  if (type === 'f32') bytes.writeFloatLE(value)
  else bytes.writeInt32LE(value)
  return bytes
}

function long (value) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function product (dims) {
  return dims.reduce((all, dim) => all * dim, 1)
}

function padded (size) {
  return Math.ceil(size / alignment) * alignment
}
