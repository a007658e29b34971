/** Every route of the server that a program asks, one method for each form of answer. */
import { unexpected, unsendable } from './error.ts'
import { createSend, type Request } from './http.ts'
import { fileOf, wireOf, type Picture, type PictureFile } from './pictures.ts'
import type {
  CaptionResponse, EstimateResponse, Health, ImagesResponse, ModelDetails, ModelList, TokenizeResponse, VqaResponse
} from './schema.ts'
import { stream } from './stream.ts'
import type {
  CallOptions, CaptionInput, ClientOptions, DetokenizeInput, EstimateInput, GenerateInput, GeneratePictureInput,
  GenerateStreamInput, PictureEvent, PromptPart, TextEvent, TokenizeInput, VqaInput
} from './types.ts'

export type Client = ReturnType<typeof createClient>

type Body = { image?: Picture; prompt?: string | PromptPart[]; visual_tokens?: number[] }

const json = 'application/json'
const eventStream = 'text/event-stream'

/** The calls of one server. Every one of them throws `LavitError`, or the reason of the signal that ended it. */
export function createClient (client: ClientOptions = {}) {
  const send = createSend(client)
  const get = <Answer>(path: string, options?: CallOptions): Promise<Answer> =>
    send({ method: 'GET', path, accept: json }, read, options)
  const post = async <Answer>(path: string, body: Body, options?: CallOptions): Promise<Answer> =>
    send(await prepare(path, json, body), read, options)
  const postForPicture = async (path: string, type: string, body: Body, options?: CallOptions): Promise<PictureFile> =>
    send(await prepare(path, type, body), fileOf, options)
  const postForEvents = <Event>(path: string, body: Body, options?: CallOptions) =>
    stream<Event>(send, () => prepare(path, eventStream, body), options)
  const act = async (name: string, action: 'load' | 'unload', options?: CallOptions): Promise<ModelDetails> =>
    send({ method: 'POST', path: `${modelPath(name)}/${action}`, accept: json }, read, options)

  return {
    /** The visual tokens of a picture. */
    tokenize: (request: TokenizeInput, options?: CallOptions) => post<TokenizeResponse>('/tokenize', request, options),
    /** The picture as PNG, the patches that become no token dimmed. */
    tokenizePicture: (request: TokenizeInput, options?: CallOptions) =>
      postForPicture('/tokenize', 'image/png', request, options),

    /** A picture painted of visual tokens, in base64 beside what is known of it. */
    detokenize: (request: DetokenizeInput, options?: CallOptions) =>
      post<ImagesResponse>('/detokenize', request, options),
    /** The painted picture itself. */
    detokenizePicture: (request: DetokenizeInput, options?: CallOptions) =>
      postForPicture('/detokenize', typeOf(request), request, options),

    /** What a picture shows. */
    caption: (request: CaptionInput, options?: CallOptions) => post<CaptionResponse>('/caption', request, options),
    captionStream: (request: CaptionInput, options?: CallOptions) =>
      postForEvents<TextEvent<CaptionResponse>>('/caption', request, options),

    /** The answer to a question about a picture. */
    vqa: (request: VqaInput, options?: CallOptions) => post<VqaResponse>('/vqa', request, options),
    vqaStream: (request: VqaInput, options?: CallOptions) =>
      postForEvents<TextEvent<VqaResponse>>('/vqa', request, options),

    /** Pictures painted of words, or of words, pictures and visual tokens in order. */
    generate: (request: GenerateInput, options?: CallOptions) => post<ImagesResponse>('/generate', request, options),
    /** The one painted picture itself. */
    generatePicture: (request: GeneratePictureInput, options?: CallOptions) =>
      postForPicture('/generate', typeOf(request), request, options),
    generateStream: (request: GenerateStreamInput, options?: CallOptions) =>
      postForEvents<PictureEvent>('/generate', request, options),

    /** What a job would come to: its tokens, its cost and the time until its answer. Nothing is done. */
    estimate: async ({ job, request }: EstimateInput, options?: CallOptions): Promise<EstimateResponse> =>
      send(toPost('/estimate', json, { job, request: await wireOfRequest(request) }), read, options),

    models: (options?: CallOptions) => get<ModelList>('/models', options),
    model: async (name: string, options?: CallOptions) => get<ModelDetails>(modelPath(name), options),
    /** Answers when the model is ready. Needs a key with the scope `admin`, as `unloadModel` does. */
    loadModel: (name: string, options?: CallOptions) => act(name, 'load', options),
    unloadModel: (name: string, options?: CallOptions) => act(name, 'unload', options),

    /** Throws `LavitError` while the answer is no; `ready` says whether work is taken. */
    health: (probe: 'live' | 'ready' | 'startup' = 'ready', options?: CallOptions) =>
      get<Health>(`/health/${probe}`, { ...options, retries: options?.retries ?? 0 })
  }
}

/** The JSON of an answer. */
async function read (response: Response) {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw unexpected(response, text, cause)
  }
}

async function prepare (path: string, accept: string, request: Body): Promise<Request> {
  return toPost(path, accept, await wireOfRequest(request))
}

function toPost (path: string, accept: string, body: object): Request {
  return { method: 'POST', path, accept, body: orUnsendable(() => JSON.stringify(body)) }
}

/** Throws `request_unsendable` for what no path can hold: dots would lead elsewhere, none to the list of all. */
function modelPath (name: string): string {
  if (/^\.{0,2}$/.test(name)) throw unsendable(`${JSON.stringify(name)} is no name of a model`)
  return `/models/${orUnsendable(() => encodeURIComponent(name))}`
}

/** What is made, such as JSON of what it can hold: no `bigint`, and nothing within itself. */
function orUnsendable (make: () => string): string {
  try {
    return make()
  } catch (cause) {
    throw unsendable(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

async function wireOfRequest (request: Body) {
  const { image, prompt } = request
  return {
    ...request,
    ...(image !== undefined && { image: await wireOf(image) }),
    ...(typeof prompt === 'object' && { prompt: await Promise.all(prompt.map(wireOfPart)) })
  }
}

async function wireOfPart (part: PromptPart) {
  return part.type === 'image' ? { ...part, image: await wireOf(part.image) } : part
}

function typeOf ({ format = 'png' }: { format?: 'png' | 'webp' | 'jpeg' }) {
  return `image/${format}`
}
