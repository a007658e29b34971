"""What every stage shares: the loop with its time budget, checkpoints one can resume from, a log."""
import json
import math
import time
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.data import DataLoader

from networks.model import borrow, fill

from .data.batches import Batches
from .lifetime import die_with_parent

TOLD_EVERY, CHECKPOINT = 30, 240  # seconds between lines of progress, and between checkpoints
LONGEST = 60  # seconds that a step counts at most: what took longer was stopped in the meantime


def run(args, name, modules, make, loss_of, evaluate, lr, weight_decay=.05, slow=(), seed=0, every=300):
    """Trains `modules` (name -> module) for `args.minutes` of work, counted over all resumed runs.

    `make(sprites, rng)` draws a batch in a worker, `loss_of(batch, progress)` gives (loss, figures), `evaluate()` the
    held-out figures. Checkpoint `{name}.pt` and log `{name}.jsonl` stand in `args.runs`. Several processes average
    their gradients; the first one keeps time, measures, tells and saves, and its buffers hold for all.
    """
    lr, every, runs = args.lr or lr, args.every or every, Path(args.runs)
    runs.mkdir(parents=True, exist_ok=True)
    optimiser = optimiser_of(modules, lr, weight_decay, slow)
    trained = [p for g in optimiser.param_groups for p in g['params']]
    step, spent, path = 0, 0., runs / f'{name}.pt'
    if goes_on(args, name):
        saved = torch.load(path, weights_only=True)
        for key, module in modules.items():
            module.load_state_dict(saved['modules'][key])
        optimiser.load_state_dict(saved['optimiser'])
        step, spent = saved['step'], saved['spent']
    elif args.warm:
        for key, module in modules.items():
            left = borrow(module, Path(args.weights) / f'{key}.safetensors')
            if left:
                print(f'{key}: nothing in {args.weights} for {", ".join(left)}')
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    torch.manual_seed(seed * 1000 + step * world + rank)
    log = open(runs / f'{name}.jsonl', 'a' if step else 'w') if rank == 0 else None
    batches = iter(DataLoader(Batches(make, args.sprites, args.concepts, seed, step * world + rank, world),
                              batch_size=None, num_workers=1, prefetch_factor=4, worker_init_fn=die_with_parent))
    batch = next(batches)  # the worker needs some seconds to start
    budget, clock, means = args.minutes * 60, time.time(), {}
    last = told = saved_at = clock
    warmup = 30 if args.warm else 100

    def tell(**more):
        figures = ', '.join(f'{k} {v:.4g}' for k, v in {**means, **more}.items())
        print(f'{name}: {spent / 60:.1f} of {args.minutes:g} minutes, step {step}, {figures}', flush=True)

    def report():
        figures = {'step': step, 'minutes': round(spent / 60, 1), **{k: round(v, 4) for k, v in means.items()}}
        for module in modules.values():
            module.eval()
        with torch.no_grad():
            held_out = evaluate()
        tell(**held_out)
        print(json.dumps({**figures, **held_out}), file=log, flush=True)

    while spent < budget:
        for module in modules.values():
            module.train()
        progress = spent / budget
        set_rate(optimiser, lr, step, progress, warmup)
        with quick(args.bfloat16):
            loss, figures = loss_of(batch, progress)
            optimiser.zero_grad()
            loss.backward()
        if world > 1:
            average_gradients(trained, world)
        torch.nn.utils.clip_grad_norm_(trained, 1.)
        optimiser.step()
        batch = next(batches)
        step += 1
        for key, value in figures.items():
            means[key] = means.get(key, float(value.detach())) * .98 + float(value.detach()) * .02
        now = time.time()
        spent, clock = spent + min(now - clock, LONGEST), now
        if world > 1:
            spent = follow_first(spent, modules)
        if rank == 0 and now - saved_at > CHECKPOINT:
            save(path, modules, optimiser, step, spent)
            saved_at = now
        if rank == 0 and now - last > every:
            report()
            last = told = clock = time.time()
        elif rank == 0 and now - told > TOLD_EVERY:
            tell()
            told = now
    if rank == 0:
        save(path, modules, optimiser, step, spent)
        report()


def goes_on(args, name):
    """Whether a stage was interrupted and is to go on from its checkpoint."""
    return (Path(args.runs) / f'{name}.pt').exists() and not args.restart


@contextmanager
def quick(bfloat16):
    """Attention by plain products, whose gradient is quicker for such short sequences, and all products in 16 bits if
    asked for. For one step: 16-bit copies of weights are kept until the end."""
    with sdpa_kernel(SDPBackend.MATH), torch.autocast('cpu', torch.bfloat16, enabled=bfloat16):
        yield


def optimiser_of(modules, lr, weight_decay=.05, slow=()):
    """AdamW for the modules (name -> module); those in `slow` follow at .4 of the rate."""
    trained = [p for m in modules.values() for p in m.parameters() if p.requires_grad]
    slow_ids = {id(p) for m in slow for p in m.parameters()}
    groups = [{'params': [p for p in trained if id(p) not in slow_ids and p.ndim > 1], 'weight_decay': weight_decay},
              {'params': [p for p in trained if id(p) not in slow_ids and p.ndim <= 1], 'weight_decay': 0.},
              {'params': [p for p in trained if id(p) in slow_ids], 'weight_decay': weight_decay, 'factor': .4}]
    return torch.optim.AdamW([g for g in groups if g['params']], lr, betas=(.9, .98), fused=True)


def set_rate(optimiser, lr, step, progress, warmup=100):
    """The rate rises over the first steps and falls along a cosine over the whole run, to a fiftieth."""
    for group in optimiser.param_groups:
        group['lr'] = lr * group.get('factor', 1) * min(1, (step + 1) / warmup) * (
            .02 + .98 * .5 * (1 + math.cos(math.pi * progress)))


def average_gradients(parameters, world):
    parameters = [p for p in parameters if p.grad is not None]
    flat = torch.cat([p.grad.flatten() for p in parameters])
    dist.all_reduce(flat)
    for p, grad in zip(parameters, flat.split([p.numel() for p in parameters])):
        p.grad.copy_((grad / world).view_as(p))


def follow_first(spent, modules):
    """The first process's clock, and its learnt codebook where there is one."""
    clock = torch.tensor([spent], dtype=torch.float64)
    dist.broadcast(clock, 0)
    if 'learner' in modules:
        for tensor in [*modules['learner'].buffers(), modules['tokenizer'].quantize.embedding.contents]:
            dist.broadcast(tensor, 0)
    return clock.item()


def save(path, modules, optimiser, step, spent):
    part = path.with_suffix('.part')
    torch.save({'modules': {k: m.state_dict() for k, m in modules.items()}, 'optimiser': optimiser.state_dict(),
                'step': step, 'spent': spent}, part)
    part.rename(path)


def load(args, *stages, **modules):
    """Fills modules, strictly: from the checkpoint of the first of these stages that has one, or where none has from
    the folder of weights."""
    path = next((p for stage in stages if (p := Path(args.runs) / f'{stage}.pt').exists()), None)
    saved = torch.load(path, weights_only=True)['modules'] if path else None
    if not saved:
        print(f'{" or ".join(stages)}: no checkpoint, taken from {args.weights}')
    for key, module in modules.items():
        if saved:
            module.load_state_dict(saved[key])
        else:
            weights = Path(args.weights) / f'{key}.safetensors'
            if not weights.is_file():
                raise SystemExit(f'{weights}: no such file, and {args.runs} has no {" or ".join(stages)}.pt: '
                                 'train that stage first')
            fill(module, weights)
        module.requires_grad_(False).eval()
