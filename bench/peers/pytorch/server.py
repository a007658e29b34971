"""Greedy captions by PyTorch behind uvicorn: `server.py BATCH WAIT_MS` collects up to BATCH pictures for WAIT_MS, and
runs them padded, in one thread beside the event loop. Reads the networks and weights of models/."""
import asyncio
import io
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

MODELS = Path(__file__).resolve().parents[3] / 'models'
sys.path.insert(0, str(MODELS))

import numpy as np  # noqa: E402
import torch  # noqa: E402
import uvicorn  # noqa: E402
from fastapi import FastAPI, Request  # noqa: E402
from networks.config import MINI  # noqa: E402
from networks.decoding import write_captions  # noqa: E402
from networks.model import build, load_weights  # noqa: E402
from networks.visual_tokenizer import choose, rank_order  # noqa: E402
from packager.precision import round_weights  # noqa: E402
from PIL import Image  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

batch, wait = int(sys.argv[1]), float(sys.argv[2]) / 1000
# the numbers that the package holds
model = round_weights(load_weights(build(MINI), MODELS / 'recipe' / 'weights'))
words = Tokenizer.from_file(str(MODELS / 'lavit-mini' / 'tokenizer.json'))
worker = ThreadPoolExecutor(1)
waiting = asyncio.Queue()


def read(file):
    size = MINI.encoder.image_size
    return np.asarray(Image.open(io.BytesIO(file)).convert('RGB').resize((size, size)))


@torch.inference_mode()
def captions(files):
    pixels = torch.from_numpy(np.stack([read(f) for f in files])).permute(0, 3, 1, 2).contiguous()
    features = model.encoder(model.encoder.normalise(pixels))
    keep = choose(model.tokenizer.token_predictor(features)[..., 0].exp(), least=MINI.tokenizer.min_visual_tokens)
    places, mask = rank_order(keep)
    rows = model.understanding(features, keep).gather(1, places[..., None].expand(-1, -1, MINI.language_model.hidden))
    start, end = (model.language_model.embed(torch.full((len(files), 1), token))
                  for token in (MINI.image_start, MINI.image_end))
    prefix, one = torch.cat([start, rows, end], 1), torch.ones(len(files), 1)
    real = torch.cat([one, mask, one], 1)
    ids = write_captions(model.language_model, prefix, (real.cumsum(1) - 1).long(), real)
    return [words.decode(each) for each in ids]


async def work():
    loop = asyncio.get_running_loop()
    while True:
        entries = [await waiting.get()]
        until = loop.time() + wait
        while len(entries) < batch:
            try:
                entries.append(await asyncio.wait_for(waiting.get(), max(0, until - loop.time())))
            except TimeoutError:
                break
        texts = await loop.run_in_executor(worker, captions, [file for file, _ in entries])
        for (_, answer), text in zip(entries, texts):
            answer.set_result(text)


@asynccontextmanager
async def working(_):
    task = asyncio.create_task(work())
    yield
    task.cancel()


app = FastAPI(lifespan=working)


@app.get('/health/ready')
async def ready():
    return {'status': 'ok'}


@app.post('/caption')
async def caption(request: Request):
    answer = asyncio.get_running_loop().create_future()
    await waiting.put((await request.body(), answer))
    return {'captions': [{'text': await answer}]}


uvicorn.run(app, host='127.0.0.1', port=int(os.environ['PORT']), log_level='warning')
