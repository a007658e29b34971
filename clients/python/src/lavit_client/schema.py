"""Written by `npm run openapi` from the schemas of the server; changes belong there."""
from __future__ import annotations

from typing import Any, Dict, List, Literal, Union

from typing_extensions import NotRequired, TypedDict


class ImageRef(TypedDict):
    """A picture that the server was sent before"""

    ref: str
    """A handle that an earlier answer returned"""


ImageInput = Union[str, 'ImageRef']


VisualTokens = List[int]


class Grid(TypedDict):
    """Patches of a picture"""

    rows: int
    """Patches down"""

    columns: int
    """Patches across"""


class Warning(TypedDict):
    """A reason not to trust an answer"""

    code: str
    """Stable name of this kind of warning; `outside_domain` where the picture is unlike all that the model knows"""

    detail: str
    """What to make of the answer"""


class FieldError(TypedDict):
    """What is wrong with one field"""

    pointer: str
    """JSON pointer to the wrong field"""

    message: str
    """What is wrong with it"""


class Problem(TypedDict):
    """A problem document (RFC 9457)"""

    type: str
    """A stable URI of this kind of problem"""

    title: str
    """The kind of problem in words"""

    status: int
    """The status of the answer"""

    detail: str
    """What went wrong this time"""

    code: str
    """Stable name of this kind of problem; more may come, and one that is unknown means what its status means:

    - `invalid_request`: The body is not JSON, the multipart form is broken, or the request cannot be parsed
    - `unauthorized`: The route needs a key, and the request has none or a wrong one
    - `forbidden`: The key may not do this, or the route is switched off: no key is configured for it, or no folder
    - `not_found`: No route has this path
    - `model_not_found`: No model has this name
    - `file_not_found`: The client has no file of this name
    - `batch_not_found`: The client has no batch of this name
    - `method_not_allowed`: The path exists, but not with this method; see `Allow`
    - `not_acceptable`: The route has no answer in a form that `Accept` names
    - `request_timeout`: The request did not arrive in time
    - `image_ref_expired`: The server no longer holds the picture behind this reference; send the picture again
    - `too_large`: The body, the picture, the prompt or the requested output is over a limit
    - `unsupported_media_type`: The content is not a picture of an allowed format, or the body is of a type that the route does not read
    - `expectation_failed`: `Expect` asks for something other than `100-continue`
    - `invalid_field`: A field is unknown, missing, of the wrong type or out of range
    - `image_unreadable`: The picture is truncated or corrupt
    - `image_unreachable`: The picture of a URL could not be fetched: no answer in time, another status than 200, too many redirects
    - `queue_full`: The model, or the key, has as much work waiting as it may have; see `Retry-After`
    - `rate_limited`: The key has asked as often as it may; see `Retry-After` and `RateLimit`
    - `headers_too_large`: The request line and headers are over the limit
    - `internal_error`: A fault of the server; the log holds the cause under the request id
    - `model_loading`: The model is being loaded; see `Retry-After`
    - `model_unavailable`: The model could not be loaded: its files, its device or the memory budget stand in the way
    - `draining`: The server is shutting down and takes no new work
    - `engine_restarting`: The process that runs the model ended and is started again; see `Retry-After`
    - `batches_unavailable`: Another server holds the folder of batches, as while one takes over from the other; see `Retry-After`
    - `deadline_exceeded`: `deadline_ms` passed before the work was done; the work was stopped
    - `storage_full`: The server, or the client, has as many bytes of files as it may have; delete some"""

    request_id: str
    """The id under which the log tells of the request"""

    trace_id: NotRequired[str]
    """The trace that the request is part of, where the server keeps traces"""

    errors: NotRequired[List[FieldError]]
    """Each wrong field"""


class Health(TypedDict):
    """All is well"""

    status: Literal['ok']
    """Nothing else is said with 200"""


class TokenizeOptions(TypedDict):
    """A picture, and which of its patches to keep"""

    selection: NotRequired[Literal['threshold', 'sample']]
    """`threshold` keeps the patches that are probable enough; `sample` draws each patch by its probability from `seed`, the random rule of the paper. The default is the model's, but `threshold` where `keep_threshold` is given"""

    keep_threshold: NotRequired[float]
    """With `threshold` a patch stays when its keep probability is at least this; 0.5 if not given"""

    min_visual_tokens: NotRequired[int]
    """Keep at least the best-scored N patches of a picture; with an equal `max_visual_tokens` exactly N"""

    max_visual_tokens: NotRequired[int]
    """Keep at most the best-scored N patches of a picture"""

    seed: NotRequired[int]
    """The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed that the answer tells of it"""

    model: NotRequired[str]
    """Name of a model; the default is the configured one"""

    priority: NotRequired[Literal['interactive', 'bulk']]
    """`bulk` work is done when no `interactive` work waits; `interactive` if not given"""

    deadline_ms: NotRequired[int]
    """Milliseconds after which the work is stopped and 504 answered"""


class TokenizeResponseUsage(TypedDict):
    """What the work came to"""

    visual_tokens: int
    """Of the picture"""

    patches: int
    """Of the grid"""


class TokenizeResponse(TypedDict):
    """The visual tokens of a picture"""

    model: str
    """The model that answered"""

    visual_tokens: List[int]
    """Codebook indices (0-based), in raster order of the kept patches; none where a draw kept no patch"""

    count: int
    """Number of visual tokens"""

    grid: Grid
    """"""

    keep_mask: List[bool]
    """Whether each patch of the grid stayed, row by row"""

    keep_probabilities: List[float]
    """The selector's score of each patch, row by row"""

    seed: NotRequired[int]
    """The seed of the draw, when `selection` is `sample`"""

    image_ref: NotRequired[str]
    """Stands for the picture in later requests (`"image": {"ref": …}`): nothing is uploaded, decoded or encoded again, and patches may be chosen anew. Kept while there is room; one that is gone is answered with 410"""

    familiarity: NotRequired[float]
    """How much the picture is like what the model knows; of a model of a closed domain"""

    warnings: NotRequired[List[Warning]]
    """Only where there are any: the familiarity of the picture is below the threshold of the model"""

    usage: TokenizeResponseUsage
    """What the work came to"""


class GeneratedText(TypedDict):
    """A text of the model"""

    text: str
    """The text"""

    log_probability: float
    """How probable the model itself holds the text: the sum of the natural logarithms over its tokens and its end, before `repetition_penalty`, `temperature`, `top_p` and `top_k`; the same with beams and without"""

    score: NotRequired[float]
    """With beams: what they are ranked by. The sum of the logarithms after `repetition_penalty`, divided by (tokens + 1) to the power of `length_penalty`"""

    seed: NotRequired[int]
    """Of a drawn text: a request for one text with this seed gives it again"""

    finish_reason: Literal['stop', 'length']
    """`stop` where the model ended it, `length` where `max_tokens` did"""


class CaptionOptions(TypedDict):
    """A picture in `image` or as `visual_tokens`, and how to write about it"""

    visual_tokens: NotRequired[VisualTokens]
    """"""

    selection: NotRequired[Literal['threshold', 'sample']]
    """`threshold` keeps the patches that are probable enough; `sample` draws each patch by its probability from `seed`, the random rule of the paper. The default is the model's, but `threshold` where `keep_threshold` is given"""

    keep_threshold: NotRequired[float]
    """With `threshold` a patch stays when its keep probability is at least this; 0.5 if not given"""

    min_visual_tokens: NotRequired[int]
    """Keep at least the best-scored N patches of a picture; with an equal `max_visual_tokens` exactly N"""

    max_visual_tokens: NotRequired[int]
    """Keep at most the best-scored N patches of a picture"""

    max_tokens: NotRequired[int]
    """Longest text, in tokens"""

    min_tokens: NotRequired[int]
    """Shortest text, in tokens"""

    num_beams: NotRequired[int]
    """Beams of the search; 1 draws token by token"""

    temperature: NotRequired[float]
    """0 always takes the likeliest token"""

    top_p: NotRequired[float]
    """Draws from the likeliest tokens that together have this probability; 1 is off"""

    top_k: NotRequired[int]
    """Draws from this many likeliest tokens; 0 is off"""

    repetition_penalty: NotRequired[float]
    """1 is off"""

    length_penalty: NotRequired[float]
    """Of the beam search: above 0 favours longer texts"""

    early_stopping: NotRequired[bool]
    """Ends the beam search as soon as it has `num_beams` texts, even if a better one could still come"""

    postprocess: NotRequired[Literal['none', 'first_sentence', 'short_answer', 'lemmatised_answer']]
    """What becomes of a text: `first_sentence` ends it before the first full stop, `short_answer` at the first new line, comma or full stop, `lemmatised_answer` also puts nouns and verbs into their base form, in lower case"""

    seed: NotRequired[int]
    """The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed that the answer tells of it"""

    n: NotRequired[int]
    """How many to make; 1 if not given"""

    model: NotRequired[str]
    """Name of a model; the default is the configured one"""

    priority: NotRequired[Literal['interactive', 'bulk']]
    """`bulk` work is done when no `interactive` work waits; `interactive` if not given"""

    deadline_ms: NotRequired[int]
    """Milliseconds after which the work is stopped and 504 answered"""

    prompt: NotRequired[str]
    """Text after the picture, which the caption goes on from; a blank one is none"""


class CaptionResponseUsage(TypedDict):
    """What the work came to"""

    visual_tokens: int
    """Of the picture"""

    prompt_tokens: int
    """Of the text that was sent"""

    completion_tokens: int
    """Of all texts of the answer"""


class CaptionResponse(TypedDict):
    """Captions of a picture"""

    model: str
    """The model that answered"""

    captions: List[GeneratedText]
    """Best first: by `score` with beams, else by `log_probability`"""

    approximate: NotRequired[Literal[True]]
    """Read from visual tokens, which hold less than the picture"""

    seed: int
    """The same request with this seed gives the same answer"""

    image_ref: NotRequired[str]
    """Stands for the picture in later requests (`"image": {"ref": …}`): nothing is uploaded, decoded or encoded again, and patches may be chosen anew. Kept while there is room; one that is gone is answered with 410"""

    familiarity: NotRequired[float]
    """How much the picture is like what the model knows; of a model of a closed domain"""

    warnings: NotRequired[List[Warning]]
    """Only where there are any: the familiarity of the picture is below the threshold of the model"""

    usage: CaptionResponseUsage
    """What the work came to"""


class VqaOptions(TypedDict):
    """A picture in `image` or as `visual_tokens`, and a question about it"""

    visual_tokens: NotRequired[VisualTokens]
    """"""

    selection: NotRequired[Literal['threshold', 'sample']]
    """`threshold` keeps the patches that are probable enough; `sample` draws each patch by its probability from `seed`, the random rule of the paper. The default is the model's, but `threshold` where `keep_threshold` is given"""

    keep_threshold: NotRequired[float]
    """With `threshold` a patch stays when its keep probability is at least this; 0.5 if not given"""

    min_visual_tokens: NotRequired[int]
    """Keep at least the best-scored N patches of a picture; with an equal `max_visual_tokens` exactly N"""

    max_visual_tokens: NotRequired[int]
    """Keep at most the best-scored N patches of a picture"""

    max_tokens: NotRequired[int]
    """Longest text, in tokens"""

    min_tokens: NotRequired[int]
    """Shortest text, in tokens"""

    num_beams: NotRequired[int]
    """Beams of the search; 1 draws token by token"""

    temperature: NotRequired[float]
    """0 always takes the likeliest token"""

    top_p: NotRequired[float]
    """Draws from the likeliest tokens that together have this probability; 1 is off"""

    top_k: NotRequired[int]
    """Draws from this many likeliest tokens; 0 is off"""

    repetition_penalty: NotRequired[float]
    """1 is off"""

    length_penalty: NotRequired[float]
    """Of the beam search: above 0 favours longer texts"""

    early_stopping: NotRequired[bool]
    """Ends the beam search as soon as it has `num_beams` texts, even if a better one could still come"""

    postprocess: NotRequired[Literal['none', 'first_sentence', 'short_answer', 'lemmatised_answer']]
    """What becomes of a text: `first_sentence` ends it before the first full stop, `short_answer` at the first new line, comma or full stop, `lemmatised_answer` also puts nouns and verbs into their base form, in lower case"""

    seed: NotRequired[int]
    """The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed that the answer tells of it"""

    n: NotRequired[int]
    """How many to make; 1 if not given"""

    model: NotRequired[str]
    """Name of a model; the default is the configured one"""

    priority: NotRequired[Literal['interactive', 'bulk']]
    """`bulk` work is done when no `interactive` work waits; `interactive` if not given"""

    deadline_ms: NotRequired[int]
    """Milliseconds after which the work is stopped and 504 answered"""


class VqaResponseUsage(TypedDict):
    """What the work came to"""

    visual_tokens: int
    """Of the picture"""

    prompt_tokens: int
    """Of the text that was sent"""

    completion_tokens: int
    """Of all texts of the answer"""


class VqaResponse(TypedDict):
    """Answers to a question"""

    model: str
    """The model that answered"""

    answers: List[GeneratedText]
    """Best first: by `score` with beams, else by `log_probability`"""

    approximate: NotRequired[Literal[True]]
    """Read from visual tokens, which hold less than the picture"""

    seed: int
    """The same request with this seed gives the same answer"""

    image_ref: NotRequired[str]
    """Stands for the picture in later requests (`"image": {"ref": …}`): nothing is uploaded, decoded or encoded again, and patches may be chosen anew. Kept while there is room; one that is gone is answered with 410"""

    familiarity: NotRequired[float]
    """How much the picture is like what the model knows; of a model of a closed domain"""

    warnings: NotRequired[List[Warning]]
    """Only where there are any: the familiarity of the picture is below the threshold of the model"""

    usage: VqaResponseUsage
    """What the work came to"""


class TextPart(TypedDict):
    """A text within a prompt"""

    type: Literal['text']
    """What the part is"""

    text: str
    """Words of the prompt"""


class ImagePart(TypedDict):
    """A picture within a prompt"""

    type: Literal['image']
    """What the part is"""

    image: ImageInput
    """"""


class VisualTokensPart(TypedDict):
    """A picture within a prompt, as the visual tokens of an earlier answer"""

    type: Literal['visual_tokens']
    """What the part is"""

    visual_tokens: VisualTokens
    """"""


PromptPart = Union['TextPart', 'ImagePart', 'VisualTokensPart']


class GenerateOptions(TypedDict):
    """A prompt, and how to draw and paint after it"""

    selection: NotRequired[Literal['threshold', 'sample']]
    """`threshold` keeps the patches that are probable enough; `sample` draws each patch by its probability from `seed`, the random rule of the paper. The default is the model's, but `threshold` where `keep_threshold` is given"""

    keep_threshold: NotRequired[float]
    """With `threshold` a patch stays when its keep probability is at least this; 0.5 if not given"""

    min_visual_tokens: NotRequired[int]
    """Keep at least the best-scored N patches of a picture; with an equal `max_visual_tokens` exactly N"""

    max_visual_tokens: NotRequired[int]
    """Keep at most the best-scored N patches of a picture"""

    n: NotRequired[int]
    """How many to make; 1 if not given"""

    size: NotRequired[str]
    """WIDTHxHEIGHT, one of the model's sizes"""

    seed: NotRequired[int]
    """The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed that the answer tells of it"""

    guidance_scale: NotRequired[float]
    """Of the language model; 1 is off. The default is the model's, which may have another for prompts with pictures or visual tokens"""

    decoder_guidance_scale: NotRequired[float]
    """Of the pixel decoder; 1 is off"""

    steps: NotRequired[int]
    """Paint steps; 0 paints with the painter alone, where the model has one"""

    temperature: NotRequired[float]
    """0 always takes the likeliest token"""

    top_p: NotRequired[float]
    """Draws from the likeliest tokens that together have this probability; 1 is off"""

    top_k: NotRequired[int]
    """Draws from this many likeliest tokens; 0 is off"""

    format: NotRequired[Literal['png', 'webp', 'jpeg']]
    """File format of the pictures; `png` if not given"""

    previews: NotRequired[int]
    """Of a streamed answer: how many pictures are painted of the first tokens of each; they are charged, and there are fewer where a picture has few tokens. 0 if not given"""

    model: NotRequired[str]
    """Name of a model; the default is the configured one"""

    priority: NotRequired[Literal['interactive', 'bulk']]
    """`bulk` work is done when no `interactive` work waits; `interactive` if not given"""

    deadline_ms: NotRequired[int]
    """Milliseconds after which the work is stopped and 504 answered"""


class DetokenizeOptions(TypedDict):
    """Visual tokens, and how to paint them"""

    seed: NotRequired[int]
    """The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed that the answer tells of it"""

    steps: NotRequired[int]
    """Paint steps; 0 paints with the painter alone, where the model has one"""

    guidance_scale: NotRequired[float]
    """Of the pixel decoder; 1 is off"""

    size: NotRequired[str]
    """WIDTHxHEIGHT, one of the model's sizes"""

    format: NotRequired[Literal['png', 'webp', 'jpeg']]
    """File format of the pictures; `png` if not given"""

    model: NotRequired[str]
    """Name of a model; the default is the configured one"""

    priority: NotRequired[Literal['interactive', 'bulk']]
    """`bulk` work is done when no `interactive` work waits; `interactive` if not given"""

    deadline_ms: NotRequired[int]
    """Milliseconds after which the work is stopped and 504 answered"""


class GeneratedImage(TypedDict):
    """A painted picture"""

    media_type: Literal['image/png', 'image/webp', 'image/jpeg']
    """Type of the file"""

    data: str
    """The file in base64"""

    width: int
    """Pixels across"""

    height: int
    """Pixels down"""

    seed: int
    """The same request with this seed paints this picture again"""

    visual_tokens: VisualTokens
    """"""


class ImagesResponseUsage(TypedDict):
    """What the work came to"""

    prompt_tokens: int
    """Of the texts and pictures that were sent"""

    visual_tokens: int
    """Of all pictures of the answer"""

    steps: int
    """Paint steps of each picture"""


class ImagesResponse(TypedDict):
    """Painted pictures"""

    model: str
    """The model that painted"""

    images: List[GeneratedImage]
    """The pictures"""

    usage: ImagesResponseUsage
    """What the work came to"""


class EstimateResponseUsage(TypedDict):
    """What the `usage` of the job's answer is expected to say: the numbers that this job tells, as pictures and texts came out lately"""

    visual_tokens: NotRequired[float]
    """Of the picture, or of all pictures that are painted"""

    patches: NotRequired[float]
    """Of the grid"""

    prompt_tokens: NotRequired[float]
    """Of the text that is sent; of `/generate` with those of its pictures"""

    completion_tokens: NotRequired[float]
    """Of all texts of the answer"""

    steps: NotRequired[float]
    """Paint steps of each picture"""


class EstimateResponse(TypedDict):
    """What a job is expected to come to"""

    model: str
    """The model that would answer"""

    job: Literal['tokenize', 'detokenize', 'caption', 'vqa', 'generate']
    """The job"""

    usage: EstimateResponseUsage
    """What the `usage` of the job's answer is expected to say: the numbers that this job tells, as pictures and texts came out lately"""

    exact: List[Literal['visual_tokens', 'patches', 'prompt_tokens', 'completion_tokens', 'steps']]
    """The numbers of `usage` that can be no other"""

    cost: int
    """What the job is charged while it waits and runs, at most: tokens and paint steps by picture area, the unit of the queue and of turns"""

    position: int
    """Requests that would be ahead of it and have not begun"""

    start_seconds: float
    """From its arrival until the engine begins with it"""

    seconds: float
    """Until its answer, if it was sent now"""


class QueuedEvent(TypedDict):
    """Event `queued`. The request is accepted and waits; told again when its place changes"""

    position: int
    """Requests ahead of this one that have not begun either; 0 is next"""


class TokenEvent(TypedDict):
    """Event `token` of a text. What can still change is held back: several texts, those of a beam search and those that `postprocess` cuts or changes come whole, at the end"""

    index: int
    """Which of the `n` texts or pictures"""

    delta: str
    """What the text goes on with; all of one index joined are the text of the answer"""


class VisualTokenEvent(TypedDict):
    """Event `token` of a picture"""

    index: int
    """Which of the `n` texts or pictures"""

    visual_token: int
    """Codebook index of the next visual token"""

    count: int
    """Visual tokens of the picture so far"""


class StepEvent(TypedDict):
    """Event `step` of the denoiser; there are none where `steps` is 0"""

    index: int
    """Which of the `n` texts or pictures"""

    step: int
    """Steps that are done"""

    of: int
    """Steps of the picture"""


class PreviewEvent(TypedDict):
    """Event `preview` of a picture, painted from its tokens so far"""

    index: int
    """Which of the `n` texts or pictures"""

    media_type: Literal['image/png', 'image/webp', 'image/jpeg']
    """Type of the file"""

    data: str
    """The file in base64"""

    visual_tokens: VisualTokens
    """"""


class ModelSummaryPlacement(TypedDict):
    """Which device has it, what it is taken to need there, and why it is there"""

    wanted: str
    """Devices that it may run on, in order, as `LAVIT_DEVICE` names them"""

    device: Union[str, None]
    """The one that it runs on"""

    host_bytes: int
    """Memory of the host that its engines are taken to need"""

    device_bytes: int
    """Memory of a device that has its own"""

    reason: Union[str, None]
    """Why it does not run on an earlier device of the list"""


class ModelSummary(TypedDict):
    """One model in short"""

    name: str
    """What requests call it in `model`"""

    family: str
    """The kind of model"""

    version: str
    """Of the model package"""

    state: Literal['unloaded', 'loading', 'ready', 'restarting', 'failed']
    """Whether it can answer; a model that is `unloaded` is loaded by the first request that names it"""

    device: str
    """Where it runs; while it is not loaded, where it may"""

    placement: ModelSummaryPlacement
    """Which device has it, what it is taken to need there, and why it is there"""


class ModelDetailsPlacement(TypedDict):
    """Which device has it, what it is taken to need there, and why it is there"""

    wanted: str
    """Devices that it may run on, in order, as `LAVIT_DEVICE` names them"""

    device: Union[str, None]
    """The one that it runs on"""

    host_bytes: int
    """Memory of the host that its engines are taken to need"""

    device_bytes: int
    """Memory of a device that has its own"""

    reason: Union[str, None]
    """Why it does not run on an earlier device of the list"""


class ModelDetailsLimits(TypedDict):
    """What a request can ask of it"""

    image_size: int
    """Side of the square that pictures are squashed to"""

    grid: Grid
    """"""

    min_visual_tokens: int
    """The best-scored patches of a picture that always stay"""

    codebook_size: int
    """Visual tokens are below this"""

    max_length: int
    """Tokens of prompt and answer together"""

    sizes: List[str]
    """Of painted pictures; none where the model cannot paint"""

    max_steps: int
    """Most paint steps"""


class ModelDetailsFamiliarity(TypedDict):
    """Of a model of a closed domain: how it judges pictures that it may not know"""

    threshold: float
    """Answers about a picture below it come with the warning `outside_domain`"""

    quality: Dict[str, Any]
    """How often known things are warned of, and how well other pictures are told apart, by source"""


class ModelDetails(TypedDict):
    """One model in full"""

    name: str
    """What requests call it in `model`"""

    family: str
    """The kind of model"""

    version: str
    """Of the model package"""

    state: Literal['unloaded', 'loading', 'ready', 'restarting', 'failed']
    """Whether it can answer; a model that is `unloaded` is loaded by the first request that names it"""

    device: str
    """Where it runs; while it is not loaded, where it may"""

    placement: ModelDetailsPlacement
    """Which device has it, what it is taken to need there, and why it is there"""

    detail: Union[str, None]
    """Why the model failed, if it did"""

    description: NotRequired[str]
    """What the model is"""

    limits: NotRequired[ModelDetailsLimits]
    """What a request can ask of it"""

    tasks: NotRequired[Dict[str, Dict[str, Any]]]
    """Defaults of each task"""

    digests: NotRequired[Dict[str, str]]
    """SHA-256 of each file"""

    quality: NotRequired[Dict[str, Any]]
    """Measured quality"""

    familiarity: NotRequired[ModelDetailsFamiliarity]
    """Of a model of a closed domain: how it judges pictures that it may not know"""

    concepts: NotRequired[List[str]]
    """What a model of a closed domain knows by name"""


class ModelList(TypedDict):
    """Which models there are"""

    default: str
    """The model that answers when a request names none"""

    models: List[ModelSummary]
    """Every model package that the server found"""


class DeviceState(TypedDict):
    """One device"""

    id: str
    """What `LAVIT_DEVICE` calls it"""

    kind: Literal['cpu', 'webgpu']
    """How the runtime reaches it; `cpu` is the host"""

    name: str
    """What it is"""

    driver: Union[str, None]
    """Its driver, where one is known"""

    is_software: bool
    """A processor that plays a GPU: right, and slow"""

    memory_bytes: Union[int, None]
    """All of its memory, where it is known"""

    largest_buffer_bytes: Union[int, None]
    """Largest piece of memory that a shader may read, where it is known"""

    f16: Union[bool, None]
    """Whether its shaders know half precision; null where nobody has tried"""

    fault: Union[str, None]
    """Why no engine can run on it"""

    budget_bytes: Union[int, None]
    """Memory that models may take there; null where nothing bounds it"""

    used_bytes: int
    """Memory that loaded models are taken to need there"""

    free_bytes: Union[int, None]
    """What the budget has left"""

    models: List[str]
    """Models whose engines run on it"""

    engines: int
    """How many engines run on it"""


class DeviceList(TypedDict):
    """Devices that engines may run on"""

    devices: List[DeviceState]
    """The host first, then GPUs by their number"""


ErrorCode = Literal['invalid_request', 'unauthorized', 'forbidden', 'not_found', 'model_not_found', 'file_not_found', 'batch_not_found', 'method_not_allowed', 'not_acceptable', 'request_timeout', 'image_ref_expired', 'too_large', 'unsupported_media_type', 'expectation_failed', 'invalid_field', 'image_unreadable', 'image_unreachable', 'queue_full', 'rate_limited', 'headers_too_large', 'internal_error', 'model_loading', 'model_unavailable', 'draining', 'engine_restarting', 'batches_unavailable', 'deadline_exceeded', 'storage_full']
