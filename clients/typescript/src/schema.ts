/** Written by `npm run openapi` from the schemas of the server; changes belong there. */
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A picture that the server was sent before */
        ImageRef: {
            /** @description A handle that an earlier answer returned */
            ref: string;
        };
        /** @description A picture: PNG, JPEG, WebP, GIF (first frame) or AVIF, told by its content */
        ImageInput: string | components["schemas"]["ImageRef"];
        /** @description Codebook indices (0-based), in raster order of the kept patches */
        VisualTokens: number[];
        /** @description Patches of a picture */
        Grid: {
            /** @description Patches down */
            rows: number;
            /** @description Patches across */
            columns: number;
        };
        /** @description A reason not to trust an answer */
        Warning: {
            /** @description Stable name of this kind of warning; `outside_domain` where the picture is unlike all that the model knows */
            code: string;
            /** @description What to make of the answer */
            detail: string;
        };
        /** @description What is wrong with one field */
        FieldError: {
            /** @description JSON pointer to the wrong field */
            pointer: string;
            /** @description What is wrong with it */
            message: string;
        };
        /** @description A problem document (RFC 9457) */
        Problem: {
            /** @description A stable URI of this kind of problem */
            type: string;
            /** @description The kind of problem in words */
            title: string;
            /** @description The status of the answer */
            status: number;
            /** @description What went wrong this time */
            detail: string;
            /**
             * @description Stable name of this kind of problem; more may come, and one that is unknown means what its status means:
             *
             *     - `invalid_request`: The body is not JSON, the multipart form is broken, or the request cannot be parsed
             *     - `unauthorized`: The route needs a key, and the request has none or a wrong one
             *     - `forbidden`: The key may not do this, or the route is switched off: no key is configured for it, or no folder
             *     - `not_found`: No route has this path
             *     - `model_not_found`: No model has this name
             *     - `file_not_found`: The client has no file of this name
             *     - `batch_not_found`: The client has no batch of this name
             *     - `method_not_allowed`: The path exists, but not with this method; see `Allow`
             *     - `not_acceptable`: The route has no answer in a form that `Accept` names
             *     - `request_timeout`: The request did not arrive in time
             *     - `image_ref_expired`: The server no longer holds the picture behind this reference; send the picture again
             *     - `too_large`: The body, the picture, the prompt or the requested output is over a limit
             *     - `unsupported_media_type`: The content is not a picture of an allowed format, or the body is of a type that the route does not read
             *     - `expectation_failed`: `Expect` asks for something other than `100-continue`
             *     - `invalid_field`: A field is unknown, missing, of the wrong type or out of range
             *     - `image_unreadable`: The picture is truncated or corrupt
             *     - `image_unreachable`: The picture of a URL could not be fetched: no answer in time, another status than 200, too many redirects
             *     - `queue_full`: The model, or the key, has as much work waiting as it may have; see `Retry-After`
             *     - `rate_limited`: The key has asked as often as it may; see `Retry-After` and `RateLimit`
             *     - `headers_too_large`: The request line and headers are over the limit
             *     - `internal_error`: A fault of the server; the log holds the cause under the request id
             *     - `model_loading`: The model is being loaded; see `Retry-After`
             *     - `model_unavailable`: The model could not be loaded: its files, its device or the memory budget stand in the way
             *     - `draining`: The server is shutting down and takes no new work
             *     - `engine_restarting`: The process that runs the model ended and is started again; see `Retry-After`
             *     - `batches_unavailable`: Another server holds the folder of batches, as while one takes over from the other; see `Retry-After`
             *     - `deadline_exceeded`: `deadline_ms` passed before the work was done; the work was stopped
             *     - `storage_full`: The server, or the client, has as many bytes of files as it may have; delete some
             */
            code: string;
            /** @description The id under which the log tells of the request */
            request_id: string;
            /** @description The trace that the request is part of, where the server keeps traces */
            trace_id?: string;
            /** @description Each wrong field */
            errors?: components["schemas"]["FieldError"][];
        };
        /** @description All is well */
        Health: {
            /**
             * @description Nothing else is said with 200
             * @enum {string}
             */
            status: "ok";
        };
        /** @description A picture, and which of its patches to keep */
        TokenizeRequest: {
            image: components["schemas"]["ImageInput"];
            /**
             * @description `threshold` keeps the patches that are probable enough; `sample` draws each patch by its probability from `seed`, the random rule of the paper. The default is the model's, but `threshold` where `keep_threshold` is given
             * @enum {string}
             */
            selection?: "threshold" | "sample";
            /** @description With `threshold` a patch stays when its keep probability is at least this; 0.5 if not given */
            keep_threshold?: number;
            /** @description Keep at least the best-scored N patches of a picture; with an equal `max_visual_tokens` exactly N */
            min_visual_tokens?: number;
            /** @description Keep at most the best-scored N patches of a picture */
            max_visual_tokens?: number;
            /**
             * Format: int64
             * @description The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed that the answer tells of it
             */
            seed?: number;
            /** @description Name of a model; the default is the configured one */
            model?: string;
            /**
             * @description `bulk` work is done when no `interactive` work waits; `interactive` if not given
             * @enum {string}
             */
            priority?: "interactive" | "bulk";
            /** @description Milliseconds after which the work is stopped and 504 answered */
            deadline_ms?: number;
        };
        /** @description The visual tokens of a picture */
        TokenizeResponse: {
            /** @description The model that answered */
            model: string;
            /** @description Codebook indices (0-based), in raster order of the kept patches; none where a draw kept no patch */
            visual_tokens: number[];
            /** @description Number of visual tokens */
            count: number;
            grid: components["schemas"]["Grid"];
            /** @description Whether each patch of the grid stayed, row by row */
            keep_mask: boolean[];
            /** @description The selector's score of each patch, row by row */
            keep_probabilities: number[];
            /**
             * Format: int64
             * @description The seed of the draw, when `selection` is `sample`
             */
            seed?: number;
            /** @description Stands for the picture in later requests (`"image": {"ref": …}`): nothing is uploaded, decoded or encoded again, and patches may be chosen anew. Kept while there is room; one that is gone is answered with 410 */
            image_ref?: string;
            /** @description How much the picture is like what the model knows; of a model of a closed domain */
            familiarity?: number;
            /** @description Only where there are any: the familiarity of the picture is below the threshold of the model */
            warnings?: components["schemas"]["Warning"][];
            /** @description What the work came to */
            usage: {
                /** @description Of the picture */
                visual_tokens: number;
                /** @description Of the grid */
                patches: number;
            };
        };
        /** @description A text of the model */
        GeneratedText: {
            /** @description The text */
            text: string;
            /** @description How probable the model itself holds the text: the sum of the natural logarithms over its tokens and its end, before `repetition_penalty`, `temperature`, `top_p` and `top_k`; the same with beams and without */
            log_probability: number;
            /** @description With beams: what they are ranked by. The sum of the logarithms after `repetition_penalty`, divided by (tokens + 1) to the power of `length_penalty` */
            score?: number;
            /**
             * Format: int64
             * @description Of a drawn text: a request for one text with this seed gives it again
             */
            seed?: number;
            /**
             * @description `stop` where the model ended it, `length` where `max_tokens` did
             * @enum {string}
             */
            finish_reason: "stop" | "length";
        };
        /** @description A picture in `image` or as `visual_tokens`, and how to write about it */
        CaptionRequest: {
            image?: components["schemas"]["ImageInput"];
            visual_tokens?: components["schemas"]["VisualTokens"];
            /**
             * @description `threshold` keeps the patches that are probable enough; `sample` draws each patch by its probability from `seed`, the random rule of the paper. The default is the model's, but `threshold` where `keep_threshold` is given
             * @enum {string}
             */
            selection?: "threshold" | "sample";
            /** @description With `threshold` a patch stays when its keep probability is at least this; 0.5 if not given */
            keep_threshold?: number;
            /** @description Keep at least the best-scored N patches of a picture; with an equal `max_visual_tokens` exactly N */
            min_visual_tokens?: number;
            /** @description Keep at most the best-scored N patches of a picture */
            max_visual_tokens?: number;
            /** @description Longest text, in tokens */
            max_tokens?: number;
            /** @description Shortest text, in tokens */
            min_tokens?: number;
            /** @description Beams of the search; 1 draws token by token */
            num_beams?: number;
            /** @description 0 always takes the likeliest token */
            temperature?: number;
            /** @description Draws from the likeliest tokens that together have this probability; 1 is off */
            top_p?: number;
            /** @description Draws from this many likeliest tokens; 0 is off */
            top_k?: number;
            /** @description 1 is off */
            repetition_penalty?: number;
            /** @description Of the beam search: above 0 favours longer texts */
            length_penalty?: number;
            /** @description Ends the beam search as soon as it has `num_beams` texts, even if a better one could still come */
            early_stopping?: boolean;
            /**
             * @description What becomes of a text: `first_sentence` ends it before the first full stop, `short_answer` at the first new line, comma or full stop, `lemmatised_answer` also puts nouns and verbs into their base form, in lower case
             * @enum {string}
             */
            postprocess?: "none" | "first_sentence" | "short_answer" | "lemmatised_answer";
            /**
             * Format: int64
             * @description The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed that the answer tells of it
             */
            seed?: number;
            /** @description How many to make; 1 if not given */
            n?: number;
            /** @description Answers server-sent events, whatever `Accept` says; `false` answers none. Not given, `Accept: text/event-stream` asks for them */
            stream?: boolean;
            /** @description Name of a model; the default is the configured one */
            model?: string;
            /**
             * @description `bulk` work is done when no `interactive` work waits; `interactive` if not given
             * @enum {string}
             */
            priority?: "interactive" | "bulk";
            /** @description Milliseconds after which the work is stopped and 504 answered */
            deadline_ms?: number;
            /** @description Text after the picture, which the caption goes on from; a blank one is none */
            prompt?: string;
        };
        /** @description Captions of a picture */
        CaptionResponse: {
            /** @description The model that answered */
            model: string;
            /** @description Best first: by `score` with beams, else by `log_probability` */
            captions: components["schemas"]["GeneratedText"][];
            /**
             * @description Read from visual tokens, which hold less than the picture
             * @enum {boolean}
             */
            approximate?: true;
            /**
             * Format: int64
             * @description The same request with this seed gives the same answer
             */
            seed: number;
            /** @description Stands for the picture in later requests (`"image": {"ref": …}`): nothing is uploaded, decoded or encoded again, and patches may be chosen anew. Kept while there is room; one that is gone is answered with 410 */
            image_ref?: string;
            /** @description How much the picture is like what the model knows; of a model of a closed domain */
            familiarity?: number;
            /** @description Only where there are any: the familiarity of the picture is below the threshold of the model */
            warnings?: components["schemas"]["Warning"][];
            /** @description What the work came to */
            usage: {
                /** @description Of the picture */
                visual_tokens: number;
                /** @description Of the text that was sent */
                prompt_tokens: number;
                /** @description Of all texts of the answer */
                completion_tokens: number;
            };
        };
        /** @description A picture in `image` or as `visual_tokens`, and a question about it */
        VqaRequest: {
            image?: components["schemas"]["ImageInput"];
            visual_tokens?: components["schemas"]["VisualTokens"];
            /**
             * @description `threshold` keeps the patches that are probable enough; `sample` draws each patch by its probability from `seed`, the random rule of the paper. The default is the model's, but `threshold` where `keep_threshold` is given
             * @enum {string}
             */
            selection?: "threshold" | "sample";
            /** @description With `threshold` a patch stays when its keep probability is at least this; 0.5 if not given */
            keep_threshold?: number;
            /** @description Keep at least the best-scored N patches of a picture; with an equal `max_visual_tokens` exactly N */
            min_visual_tokens?: number;
            /** @description Keep at most the best-scored N patches of a picture */
            max_visual_tokens?: number;
            /** @description Longest text, in tokens */
            max_tokens?: number;
            /** @description Shortest text, in tokens */
            min_tokens?: number;
            /** @description Beams of the search; 1 draws token by token */
            num_beams?: number;
            /** @description 0 always takes the likeliest token */
            temperature?: number;
            /** @description Draws from the likeliest tokens that together have this probability; 1 is off */
            top_p?: number;
            /** @description Draws from this many likeliest tokens; 0 is off */
            top_k?: number;
            /** @description 1 is off */
            repetition_penalty?: number;
            /** @description Of the beam search: above 0 favours longer texts */
            length_penalty?: number;
            /** @description Ends the beam search as soon as it has `num_beams` texts, even if a better one could still come */
            early_stopping?: boolean;
            /**
             * @description What becomes of a text: `first_sentence` ends it before the first full stop, `short_answer` at the first new line, comma or full stop, `lemmatised_answer` also puts nouns and verbs into their base form, in lower case
             * @enum {string}
             */
            postprocess?: "none" | "first_sentence" | "short_answer" | "lemmatised_answer";
            /**
             * Format: int64
             * @description The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed that the answer tells of it
             */
            seed?: number;
            /** @description How many to make; 1 if not given */
            n?: number;
            /** @description Answers server-sent events, whatever `Accept` says; `false` answers none. Not given, `Accept: text/event-stream` asks for them */
            stream?: boolean;
            /** @description Name of a model; the default is the configured one */
            model?: string;
            /**
             * @description `bulk` work is done when no `interactive` work waits; `interactive` if not given
             * @enum {string}
             */
            priority?: "interactive" | "bulk";
            /** @description Milliseconds after which the work is stopped and 504 answered */
            deadline_ms?: number;
            /** @description The question about the picture; spaces around it do not matter */
            question: string;
        };
        /** @description Answers to a question */
        VqaResponse: {
            /** @description The model that answered */
            model: string;
            /** @description Best first: by `score` with beams, else by `log_probability` */
            answers: components["schemas"]["GeneratedText"][];
            /**
             * @description Read from visual tokens, which hold less than the picture
             * @enum {boolean}
             */
            approximate?: true;
            /**
             * Format: int64
             * @description The same request with this seed gives the same answer
             */
            seed: number;
            /** @description Stands for the picture in later requests (`"image": {"ref": …}`): nothing is uploaded, decoded or encoded again, and patches may be chosen anew. Kept while there is room; one that is gone is answered with 410 */
            image_ref?: string;
            /** @description How much the picture is like what the model knows; of a model of a closed domain */
            familiarity?: number;
            /** @description Only where there are any: the familiarity of the picture is below the threshold of the model */
            warnings?: components["schemas"]["Warning"][];
            /** @description What the work came to */
            usage: {
                /** @description Of the picture */
                visual_tokens: number;
                /** @description Of the text that was sent */
                prompt_tokens: number;
                /** @description Of all texts of the answer */
                completion_tokens: number;
            };
        };
        /** @description A text within a prompt */
        TextPart: {
            /**
             * @description What the part is (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "text";
            /** @description Words of the prompt */
            text: string;
        };
        /** @description A picture within a prompt */
        ImagePart: {
            /**
             * @description What the part is (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "image";
            image: components["schemas"]["ImageInput"];
        };
        /** @description A picture within a prompt, as the visual tokens of an earlier answer */
        VisualTokensPart: {
            /**
             * @description What the part is (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            type: "visual_tokens";
            visual_tokens: components["schemas"]["VisualTokens"];
        };
        /** @description A text, a picture or visual tokens, told apart by `type` */
        PromptPart: components["schemas"]["TextPart"] | components["schemas"]["ImagePart"] | components["schemas"]["VisualTokensPart"];
        /** @description A prompt, and how to draw and paint after it */
        GenerateRequest: {
            /** @description A text, or texts, pictures and visual tokens in order. Space around a text does not matter; what says nothing at all is refused */
            prompt: string | components["schemas"]["PromptPart"][];
            /**
             * @description `threshold` keeps the patches that are probable enough; `sample` draws each patch by its probability from `seed`, the random rule of the paper. The default is the model's, but `threshold` where `keep_threshold` is given
             * @enum {string}
             */
            selection?: "threshold" | "sample";
            /** @description With `threshold` a patch stays when its keep probability is at least this; 0.5 if not given */
            keep_threshold?: number;
            /** @description Keep at least the best-scored N patches of a picture; with an equal `max_visual_tokens` exactly N */
            min_visual_tokens?: number;
            /** @description Keep at most the best-scored N patches of a picture */
            max_visual_tokens?: number;
            /** @description How many to make; 1 if not given */
            n?: number;
            /** @description WIDTHxHEIGHT, one of the model's sizes */
            size?: string;
            /**
             * Format: int64
             * @description The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed that the answer tells of it
             */
            seed?: number;
            /** @description Of the language model; 1 is off. The default is the model's, which may have another for prompts with pictures or visual tokens */
            guidance_scale?: number;
            /** @description Of the pixel decoder; 1 is off */
            decoder_guidance_scale?: number;
            /** @description Paint steps; 0 paints with the painter alone, where the model has one */
            steps?: number;
            /** @description 0 always takes the likeliest token */
            temperature?: number;
            /** @description Draws from the likeliest tokens that together have this probability; 1 is off */
            top_p?: number;
            /** @description Draws from this many likeliest tokens; 0 is off */
            top_k?: number;
            /**
             * @description File format of the pictures; `png` if not given
             * @enum {string}
             */
            format?: "png" | "webp" | "jpeg";
            /** @description Answers server-sent events, whatever `Accept` says; `false` answers none. Not given, `Accept: text/event-stream` asks for them */
            stream?: boolean;
            /** @description Of a streamed answer: how many pictures are painted of the first tokens of each; they are charged, and there are fewer where a picture has few tokens. 0 if not given */
            previews?: number;
            /** @description Name of a model; the default is the configured one */
            model?: string;
            /**
             * @description `bulk` work is done when no `interactive` work waits; `interactive` if not given
             * @enum {string}
             */
            priority?: "interactive" | "bulk";
            /** @description Milliseconds after which the work is stopped and 504 answered */
            deadline_ms?: number;
        };
        /** @description Visual tokens, and how to paint them */
        DetokenizeRequest: {
            visual_tokens: components["schemas"]["VisualTokens"];
            /**
             * Format: int64
             * @description The same request with the same seed gives the same bytes; without one the server draws one. Of `n` texts or pictures number i is drawn with seed + i, where 0 follows the largest, and comes again alone with the seed that the answer tells of it
             */
            seed?: number;
            /** @description Paint steps; 0 paints with the painter alone, where the model has one */
            steps?: number;
            /** @description Of the pixel decoder; 1 is off */
            guidance_scale?: number;
            /** @description WIDTHxHEIGHT, one of the model's sizes */
            size?: string;
            /**
             * @description File format of the pictures; `png` if not given
             * @enum {string}
             */
            format?: "png" | "webp" | "jpeg";
            /** @description Name of a model; the default is the configured one */
            model?: string;
            /**
             * @description `bulk` work is done when no `interactive` work waits; `interactive` if not given
             * @enum {string}
             */
            priority?: "interactive" | "bulk";
            /** @description Milliseconds after which the work is stopped and 504 answered */
            deadline_ms?: number;
        };
        /** @description A painted picture */
        GeneratedImage: {
            /**
             * @description Type of the file
             * @enum {string}
             */
            media_type: "image/png" | "image/webp" | "image/jpeg";
            /** @description The file in base64 */
            data: string;
            /** @description Pixels across */
            width: number;
            /** @description Pixels down */
            height: number;
            /**
             * Format: int64
             * @description The same request with this seed paints this picture again
             */
            seed: number;
            visual_tokens: components["schemas"]["VisualTokens"];
        };
        /** @description Painted pictures */
        ImagesResponse: {
            /** @description The model that painted */
            model: string;
            /** @description The pictures */
            images: components["schemas"]["GeneratedImage"][];
            /** @description What the work came to */
            usage: {
                /** @description Of the texts and pictures that were sent */
                prompt_tokens: number;
                /** @description Of all pictures of the answer */
                visual_tokens: number;
                /** @description Paint steps of each picture */
                steps: number;
            };
        };
        /** @description What `/tokenize` would be sent */
        TokenizeEstimate: {
            /**
             * @description The job, by the name of its route (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            job: "tokenize";
            request: components["schemas"]["TokenizeRequest"];
        };
        /** @description What `/detokenize` would be sent */
        DetokenizeEstimate: {
            /**
             * @description The job, by the name of its route (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            job: "detokenize";
            request: components["schemas"]["DetokenizeRequest"];
        };
        /** @description What `/caption` would be sent */
        CaptionEstimate: {
            /**
             * @description The job, by the name of its route (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            job: "caption";
            request: components["schemas"]["CaptionRequest"];
        };
        /** @description What `/vqa` would be sent */
        VqaEstimate: {
            /**
             * @description The job, by the name of its route (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            job: "vqa";
            request: components["schemas"]["VqaRequest"];
        };
        /** @description What `/generate` would be sent */
        GenerateEstimate: {
            /**
             * @description The job, by the name of its route (enum property replaced by openapi-typescript)
             * @enum {string}
             */
            job: "generate";
            request: components["schemas"]["GenerateRequest"];
        };
        /** @description The body of any job, told apart by `job` */
        EstimateRequest: components["schemas"]["TokenizeEstimate"] | components["schemas"]["DetokenizeEstimate"] | components["schemas"]["CaptionEstimate"] | components["schemas"]["VqaEstimate"] | components["schemas"]["GenerateEstimate"];
        /** @description What a job is expected to come to */
        EstimateResponse: {
            /** @description The model that would answer */
            model: string;
            /**
             * @description The job
             * @enum {string}
             */
            job: "tokenize" | "detokenize" | "caption" | "vqa" | "generate";
            /** @description What the `usage` of the job's answer is expected to say: the numbers that this job tells, as pictures and texts came out lately */
            usage: {
                /** @description Of the picture, or of all pictures that are painted */
                visual_tokens?: number;
                /** @description Of the grid */
                patches?: number;
                /** @description Of the text that is sent; of `/generate` with those of its pictures */
                prompt_tokens?: number;
                /** @description Of all texts of the answer */
                completion_tokens?: number;
                /** @description Paint steps of each picture */
                steps?: number;
            };
            /** @description The numbers of `usage` that can be no other */
            exact: ("visual_tokens" | "patches" | "prompt_tokens" | "completion_tokens" | "steps")[];
            /** @description What the job is charged while it waits and runs, at most: tokens and paint steps by picture area, the unit of the queue and of turns */
            cost: number;
            /** @description Requests that would be ahead of it and have not begun */
            position: number;
            /** @description From its arrival until the engine begins with it */
            start_seconds: number;
            /** @description Until its answer, if it was sent now */
            seconds: number;
        };
        /** @description Event `queued`. The request is accepted and waits; told again when its place changes */
        QueuedEvent: {
            /** @description Requests ahead of this one that have not begun either; 0 is next */
            position: number;
        };
        /** @description Event `token` of a text. What can still change is held back: several texts, those of a beam search and those that `postprocess` cuts or changes come whole, at the end */
        TokenEvent: {
            /** @description Which of the `n` texts or pictures */
            index: number;
            /** @description What the text goes on with; all of one index joined are the text of the answer */
            delta: string;
        };
        /** @description Event `token` of a picture */
        VisualTokenEvent: {
            /** @description Which of the `n` texts or pictures */
            index: number;
            /** @description Codebook index of the next visual token */
            visual_token: number;
            /** @description Visual tokens of the picture so far */
            count: number;
        };
        /** @description Event `step` of the denoiser; there are none where `steps` is 0 */
        StepEvent: {
            /** @description Which of the `n` texts or pictures */
            index: number;
            /** @description Steps that are done */
            step: number;
            /** @description Steps of the picture */
            of: number;
        };
        /** @description Event `preview` of a picture, painted from its tokens so far */
        PreviewEvent: {
            /** @description Which of the `n` texts or pictures */
            index: number;
            /**
             * @description Type of the file
             * @enum {string}
             */
            media_type: "image/png" | "image/webp" | "image/jpeg";
            /** @description The file in base64 */
            data: string;
            visual_tokens: components["schemas"]["VisualTokens"];
        };
        /** @description One model in short */
        ModelSummary: {
            /** @description What requests call it in `model` */
            name: string;
            /** @description The kind of model */
            family: string;
            /** @description Of the model package */
            version: string;
            /**
             * @description Whether it can answer; a model that is `unloaded` is loaded by the first request that names it
             * @enum {string}
             */
            state: "unloaded" | "loading" | "ready" | "restarting" | "failed";
            /** @description Where it runs; while it is not loaded, where it may */
            device: string;
            /** @description Which device has it, what it is taken to need there, and why it is there */
            placement: {
                /** @description Devices that it may run on, in order, as `LAVIT_DEVICE` names them */
                wanted: string;
                /** @description The one that it runs on */
                device: string | null;
                /** @description Memory of the host that its engines are taken to need */
                host_bytes: number;
                /** @description Memory of a device that has its own */
                device_bytes: number;
                /** @description Why it does not run on an earlier device of the list */
                reason: string | null;
            };
        };
        /** @description One model in full */
        ModelDetails: {
            /** @description What requests call it in `model` */
            name: string;
            /** @description The kind of model */
            family: string;
            /** @description Of the model package */
            version: string;
            /**
             * @description Whether it can answer; a model that is `unloaded` is loaded by the first request that names it
             * @enum {string}
             */
            state: "unloaded" | "loading" | "ready" | "restarting" | "failed";
            /** @description Where it runs; while it is not loaded, where it may */
            device: string;
            /** @description Which device has it, what it is taken to need there, and why it is there */
            placement: {
                /** @description Devices that it may run on, in order, as `LAVIT_DEVICE` names them */
                wanted: string;
                /** @description The one that it runs on */
                device: string | null;
                /** @description Memory of the host that its engines are taken to need */
                host_bytes: number;
                /** @description Memory of a device that has its own */
                device_bytes: number;
                /** @description Why it does not run on an earlier device of the list */
                reason: string | null;
            };
            /** @description Why the model failed, if it did */
            detail: string | null;
            /** @description What the model is */
            description?: string;
            /** @description What a request can ask of it */
            limits?: {
                /** @description Side of the square that pictures are squashed to */
                image_size: number;
                grid: components["schemas"]["Grid"];
                /** @description The best-scored patches of a picture that always stay */
                min_visual_tokens: number;
                /** @description Visual tokens are below this */
                codebook_size: number;
                /** @description Tokens of prompt and answer together */
                max_length: number;
                /** @description Of painted pictures; none where the model cannot paint */
                sizes: string[];
                /** @description Most paint steps */
                max_steps: number;
            };
            /** @description Defaults of each task */
            tasks?: {
                [key: string]: {
                    [key: string]: unknown;
                };
            };
            /** @description SHA-256 of each file */
            digests?: {
                [key: string]: string;
            };
            /** @description Measured quality */
            quality?: {
                [key: string]: unknown;
            };
            /** @description Of a model of a closed domain: how it judges pictures that it may not know */
            familiarity?: {
                /** @description Answers about a picture below it come with the warning `outside_domain` */
                threshold: number;
                /** @description How often known things are warned of, and how well other pictures are told apart, by source */
                quality: {
                    [key: string]: unknown;
                };
            };
            /** @description What a model of a closed domain knows by name */
            concepts?: string[];
        };
        /** @description Which models there are */
        ModelList: {
            /** @description The model that answers when a request names none */
            default: string;
            /** @description Every model package that the server found */
            models: components["schemas"]["ModelSummary"][];
        };
        /** @description One device */
        DeviceState: {
            /** @description What `LAVIT_DEVICE` calls it */
            id: string;
            /**
             * @description How the runtime reaches it; `cpu` is the host
             * @enum {string}
             */
            kind: "cpu" | "webgpu";
            /** @description What it is */
            name: string;
            /** @description Its driver, where one is known */
            driver: string | null;
            /** @description A processor that plays a GPU: right, and slow */
            is_software: boolean;
            /** @description All of its memory, where it is known */
            memory_bytes: number | null;
            /** @description Largest piece of memory that a shader may read, where it is known */
            largest_buffer_bytes: number | null;
            /** @description Whether its shaders know half precision; null where nobody has tried */
            f16: boolean | null;
            /** @description Why no engine can run on it */
            fault: string | null;
            /** @description Memory that models may take there; null where nothing bounds it */
            budget_bytes: number | null;
            /** @description Memory that loaded models are taken to need there */
            used_bytes: number;
            /** @description What the budget has left */
            free_bytes: number | null;
            /** @description Models whose engines run on it */
            models: string[];
            /** @description How many engines run on it */
            engines: number;
        };
        /** @description Devices that engines may run on */
        DeviceList: {
            /** @description The host first, then GPUs by their number */
            devices: components["schemas"]["DeviceState"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type ImageRef = components['schemas']['ImageRef'];
export type ImageInput = components['schemas']['ImageInput'];
export type VisualTokens = components['schemas']['VisualTokens'];
export type Grid = components['schemas']['Grid'];
export type Warning = components['schemas']['Warning'];
export type FieldError = components['schemas']['FieldError'];
export type Problem = components['schemas']['Problem'];
export type Health = components['schemas']['Health'];
export type TokenizeRequest = components['schemas']['TokenizeRequest'];
export type TokenizeResponse = components['schemas']['TokenizeResponse'];
export type GeneratedText = components['schemas']['GeneratedText'];
export type CaptionRequest = components['schemas']['CaptionRequest'];
export type CaptionResponse = components['schemas']['CaptionResponse'];
export type VqaRequest = components['schemas']['VqaRequest'];
export type VqaResponse = components['schemas']['VqaResponse'];
export type TextPart = components['schemas']['TextPart'];
export type ImagePart = components['schemas']['ImagePart'];
export type VisualTokensPart = components['schemas']['VisualTokensPart'];
export type PromptPart = components['schemas']['PromptPart'];
export type GenerateRequest = components['schemas']['GenerateRequest'];
export type DetokenizeRequest = components['schemas']['DetokenizeRequest'];
export type GeneratedImage = components['schemas']['GeneratedImage'];
export type ImagesResponse = components['schemas']['ImagesResponse'];
export type TokenizeEstimate = components['schemas']['TokenizeEstimate'];
export type DetokenizeEstimate = components['schemas']['DetokenizeEstimate'];
export type CaptionEstimate = components['schemas']['CaptionEstimate'];
export type VqaEstimate = components['schemas']['VqaEstimate'];
export type GenerateEstimate = components['schemas']['GenerateEstimate'];
export type EstimateRequest = components['schemas']['EstimateRequest'];
export type EstimateResponse = components['schemas']['EstimateResponse'];
export type QueuedEvent = components['schemas']['QueuedEvent'];
export type TokenEvent = components['schemas']['TokenEvent'];
export type VisualTokenEvent = components['schemas']['VisualTokenEvent'];
export type StepEvent = components['schemas']['StepEvent'];
export type PreviewEvent = components['schemas']['PreviewEvent'];
export type ModelSummary = components['schemas']['ModelSummary'];
export type ModelDetails = components['schemas']['ModelDetails'];
export type ModelList = components['schemas']['ModelList'];
export type DeviceState = components['schemas']['DeviceState'];
export type DeviceList = components['schemas']['DeviceList'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;

export type ErrorCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'model_not_found'
  | 'file_not_found'
  | 'batch_not_found'
  | 'method_not_allowed'
  | 'not_acceptable'
  | 'request_timeout'
  | 'image_ref_expired'
  | 'too_large'
  | 'unsupported_media_type'
  | 'expectation_failed'
  | 'invalid_field'
  | 'image_unreadable'
  | 'image_unreachable'
  | 'queue_full'
  | 'rate_limited'
  | 'headers_too_large'
  | 'internal_error'
  | 'model_loading'
  | 'model_unavailable'
  | 'draining'
  | 'engine_restarting'
  | 'batches_unavailable'
  | 'deadline_exceeded'
  | 'storage_full'
