/** The files that a package is made of, as its manifest names them. */
import { Type, type Static } from 'typebox'
import { Count, strict } from './terms.ts'

const FileName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', maxLength: 100 })

/** A file of the package, by name inside its folder. */
export const PackageFile = Type.Object(
  {
    file: FileName,
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    bytes: Count
  },
  strict
)

const Graph = Type.Object(
  {
    ...PackageFile.properties,
    data: Type.Optional(Type.Array(PackageFile, { description: 'External weight files of the graph' })),
    device: Type.Optional(
      Type.Union([
        Type.Object(PackageFile.properties, {
          ...strict,
          description: 'The same on the same weights, in operators that a GPU has; opened there in place of the other'
        }),
        Type.Literal('cpu', { description: 'Run by the processor wherever the model is: no GPU has its operators' })
      ])
    ),
    half_nodes: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: 'Nodes in half precision, which the processor runs where a GPU has none in its shaders'
      })
    )
  },
  strict
)

/** All of them; which must be there stands here, which go together in package.ts. */
export const Graphs = Type.Object(
  {
    vision: Graph,
    token_predictor: Graph,
    merger_codes: Graph,
    merger_embeddings: Graph,
    language_model: Graph,
    text_head: Graph,
    visual_head: Graph,
    tokenizer_decoder: Type.Optional(Graph),
    painter: Type.Optional(Graph),
    denoiser: Type.Optional(Graph),
    autoencoder_decoder: Type.Optional(Graph),
    familiarity: Type.Optional(Graph)
  },
  strict
)

export type PackageFile = Static<typeof PackageFile>
export type GraphName = keyof Static<typeof Graphs>
