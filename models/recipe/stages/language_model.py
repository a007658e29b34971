"""Stage 4: one language model learns to speak about pictures and to write their codes.

Next-token cross-entropy on both kinds of token. Picture first: continuous rows of the understanding merger, which
learns along, then branches that see the picture and not each other: a caption and several questions. Text first:
the words, then the codes of a picture in the house style; a tenth of the prompts are empty, for guidance. Two helps
beside it, for what is learnt late: words and the picture rows that show them are drawn together (`meaning_loss`), and
halfway through the model a question's token that names a thing must know where the picture has it and in which colour
(`Sentences.fact`), and the picture's rows the colours of what they show. With `--teacher` it also learns what a
language model of before would say (Hinton et al. 2015, "Distilling the knowledge in a neural network"), which sees no
strange things.
"""
import re
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from networks.config import MINI
from networks.decoding import END, draw_codes, write_captions
from networks.memory import Memory
from networks.model import language_model, teacher_of
from networks.pixel_decoder import Painter
from networks.visual_tokenizer import (
    DynamicTokenizer,
    TokenizerDecoder,
    UnderstandingMerger,
    VisionEncoder,
    choose,
    rank_order,
)

from ..data.batches import heldout, measured, to_planes
from ..data.cider import cider
from ..data.frames import pick, scattered
from ..data.scenes import GROUND_NAMES, LAYOUTS, NO_OBJECT, Sprites, draw
from ..data.wording import FACTUAL, HARD, PLAIN, QUESTIONS, TELLING, Words, a_ground, caption, order, questions
from ..loop import load, run
from .judge import Judge
from .tokenizer import PAINTING, C, calibrate, decode

SPEAK, PAINT, ASKED = 12, 6, 9
WEIGHTS = {'speak': 1., 'paint': 1., 'meaning': .2, 'fact': .5, 'speak taught': .5, 'paint taught': 1.}
STRANGE, PAIRS, MILD, STRONG = .35, 4, .6, 1.6  # share of things that `strange` draws, and how far it takes them
LR, DISCRETE = 2e-3, .15  # DISCRETE: share of batches whose pictures are read by their codes
REFERENCES = 5  # captions of each held-out scene, for CIDEr
QUESTION = 'Question: {question} Answer:'
IGNORE = -100
ALL_KINDS = {**QUESTIONS, **TELLING}
PLACES = sorted({place for layout in LAYOUTS.values() for _, place in layout})
FACTS, FACTS_FROM = len(PLACES) + 4, 3  # kinds of fact; the layer after which they must be known


# ---------------------------------------------------------------- batches

class Sentences:
    def __init__(self, tokenizer_file, concepts):
        self.tokenizer, self.words = Tokenizer.from_file(tokenizer_file), Words(concepts)
        names = [torch.tensor(self.ids(label)) for label in self.words.labels]
        # rows (concepts, L), and which of them count (.., L, 1)
        self.names = (pad_sequence(names, batch_first=True),
                      pad_sequence([torch.ones(len(ids), 1) for ids in names], batch_first=True))
        w = self.words
        self.concepts = {name: c for c in range(concepts) for name in (w.labels[c], w.many[c], *w.synonyms[c])}
        longest_first = sorted(map(re.escape, self.concepts), key=len, reverse=True)
        self.mention = re.compile('\\b(' + '|'.join(longest_first) + ')\\b')

    def ids(self, text): return self.tokenizer.encode(text).ids

    def order(self, scene, rng): return self.ids(scattered(order(scene, self.words, rng), self.mention, rng))

    def fact(self, scene, question):
        """Where a question has named its thing (the place of that token), what the picture holds of it (nothing, one
        and its place, or several), and the colour of the one."""
        named = self.mention.search(question)
        concept = self.concepts[named[0]]
        count = scene.concepts.count(concept)
        what = (0 if count == 0 else len(PLACES) + count - 1 if count > 1 else
                1 + PLACES.index(scene.places[scene.concepts.index(concept)]))
        return len(self.ids(QUESTION.split('{')[0] + question[:named.end()])) - 1, what, shade(scene, concept)

    def branches(self, scene, rng):
        """What is said after a picture: [(given ids, learnt ids, what is known of the thing that a question names)]."""
        said = [([], self.ids(caption(scene, self.words, rng)) + [END], None)]
        for kind, question, answer in questions(scene, self.words, rng, ASKED, HARD, 'crossed', ALL_KINDS):
            question = scattered(question, self.mention, rng)
            said.append((self.ids(QUESTION.format(question=question)), self.ids(answer) + [END],
                         self.fact(scene, question) if kind in FACTUAL else None))
        return said


def lay_out(all_branches):
    """Branches of each picture side by side, right-padded (B, L): ids, branch number (0 pads), place after the picture,
    targets: the id that each place must say next; facts (B, L, 2): what each place must know by then; `first` (B): what
    the end of the picture must say."""
    length = max(sum(len(g) + len(a) - 1 for g, a, _ in branches) for branches in all_branches)
    ids, branch, place, target = (np.zeros((len(all_branches), length), np.int64) for _ in range(4))
    target[:], facts = IGNORE, np.full((*target.shape, 2), IGNORE)
    first = np.full(len(all_branches), IGNORE)
    for row, branches in enumerate(all_branches):
        at = 0
        for number, (given, learnt, fact) in enumerate(branches, 1):
            whole = given + learnt
            n = len(whole) - 1
            ids[row, at:at + n], branch[row, at:at + n], place[row, at:at + n] = whole[:-1], number, np.arange(n)
            wanted = [IGNORE] * (len(given) - 1) + learnt if given else learnt[1:]
            target[row, at:at + n] = wanted
            if not given:
                first[row] = learnt[0]
            if fact:
                facts[row, at + fact[0]] = fact[1:]
            at += n
    return [torch.from_numpy(x) for x in (ids, branch, place, target, facts, first)]


def painting_order(sprites, sentences, rng):
    """Prompt ids, the pictures that the prompt begins with, and the picture it asks for: of words, now and then for
    several of one kind, of a picture and words that change its ground, or of two pictures whose things come together.
    """
    house, kind = {'styles': [sprites.house], 'plain': True}, rng.random()
    painted = {**house, 'composed': True}
    if kind > .43:
        picture, scene = draw(sprites, rng, counts=(.45, .4, .08, .07), **painted)
        return (sentences.order(scene, rng) if rng.random() > .1 else []), [], picture
    if kind > .23:
        several = [int(rng.integers(len(sprites.names)))] * int(rng.choice([2, 3, 4], p=(.45, .45, .1)))
        picture, scene = draw(sprites, rng, concepts=several, **painted)
        return sentences.order(scene, rng), [], picture
    if kind > .1:
        shown, scene = draw(sprites, rng, count=1, **any_style(sprites, house, rng))
        picture, scene = draw(sprites, rng, concepts=scene.concepts, **painted)
        text = pick(['on {a} background', 'with {a} background', 'on {g}', 'the same on {a} background'], rng)
        return sentences.ids(text.format(a=a_ground(scene.ground), g=scene.ground)), [shown], picture
    picture, scene = draw(sprites, rng, count=2, **painted)
    shown = [draw(sprites, rng, concepts=[c], ground_name=scene.ground, **any_style(sprites, house, rng))[0]
             for c in scene.concepts]
    return [], shown, picture


def any_style(sprites, house, rng): return house if rng.random() < .6 else {**house, 'styles': None}


def make(sentences, sprites, rng, speak=SPEAK, paint=PAINT):
    seen, scenes = zip(*(draw(sprites, rng, augment=rng.random() < .75, counts=(.25, .33, .21, .21))
                         for _ in range(speak)))
    said = lay_out([sentences.branches(scene, rng) for scene in scenes])
    prompts, shown, wanted = zip(*(painting_order(sprites, sentences, rng) for _ in range(paint)))
    labels = torch.stack([torch.from_numpy(what_shows(scene)) for scene in scenes])
    every = [picture for pictures in shown for picture in pictures]
    return (to_planes(seen), labels, said, prompts, to_planes([*wanted, *every]), [len(pictures) for pictures in shown])


def shade(scene, concept):
    """The number of the colour that the only thing of its kind has, or IGNORE."""
    at = scene.concepts.index(concept) if scene.concepts.count(concept) == 1 else len(scene.colours)
    return GROUND_NAMES.index(scene.colours[at]) if at < len(scene.colours) and scene.colours[at] else IGNORE


def what_shows(scene):
    """Of each patch (N, 2): the concept that covers it and its colour."""
    concepts = scene.labels.flatten()
    shades = {concept: shade(scene, concept) for concept in scene.concepts}
    return np.stack([concepts, [shades.get(concept, IGNORE) for concept in concepts.tolist()]], -1)


# ---------------------------------------------------------------- the model at work

class Eyes:
    """The frozen visual tokenizer, its decoder and the painter, and the memory of what things look like, if any."""

    def __init__(self, encoder, tokenizer, decoder, painter, memory=None):
        self.encoder, self.tokenizer, self.decoder, self.painter = encoder, tokenizer, decoder, painter
        self.memory = memory or nn.Identity()
        for module in (encoder, tokenizer, decoder, painter, self.memory):
            module.requires_grad_(False).eval()

    @classmethod
    def of_runs(cls, args, sprites):
        """From the checkpoints of the stages before, the selector calibrated."""
        eyes = cls(VisionEncoder(MINI.encoder), DynamicTokenizer(MINI.encoder, C), TokenizerDecoder(MINI.encoder, C),
                   Painter(MINI.encoder, MINI.pixel_decoder, args.concepts), Memory(MINI.encoder.width, args.concepts))
        load(args, 'encoder', encoder=eyes.encoder)
        load(args, 'memory', memory=eyes.memory)
        load(args, 'tokenizer', tokenizer=eyes.tokenizer)
        load(args, *PAINTING, decoder=eyes.decoder, painter=eyes.painter)
        calibrate(eyes.encoder, eyes.tokenizer, sprites, measured(args, 300))
        return eyes

    @torch.no_grad()
    def score(self, pixels):
        """Features (B, N, D) and the keep probability of each patch (B, N)."""
        features = self.encoder(self.encoder.normalise(pixels))
        return features, self.tokenizer.token_predictor(features)[..., 0].exp()

    def select(self, scores, threshold): return choose(scores, threshold, C.min_visual_tokens)

    def see(self, pixels, threshold=.5):
        features, scores = self.score(pixels)
        return features, self.select(scores, threshold)

    @torch.no_grad()
    def codes(self, pixels):
        """A list of code lists."""
        features, keep = self.see(pixels)
        kept = keep.bool()
        codes = self.tokenizer.quantize.codes(self.tokenizer.project(features, keep)[kept])
        return [row.tolist() for row in codes.split(kept.sum(1).tolist())]

    @torch.no_grad()
    def paint(self, codes):
        """Code lists -> pictures (B, 3, S, S)."""
        keep = torch.zeros(len(codes), MINI.encoder.patches)
        padded = torch.zeros(len(codes), MINI.encoder.patches, dtype=torch.long)
        for row, (k, p) in zip(codes, zip(keep, padded)):
            k[:len(row)], p[:len(row)] = 1, torch.tensor(row)
        return self.painter(decode(self.tokenizer, self.decoder, keep, padded)).clamp(-1, 1)


def strange(features, labels):
    """Features (B, N, D) as if an unknown hand had drawn some of the things, by patch labels (B, N): all patches of
    such a thing move along one sum of random differences between patches of things. At these strengths the encoder
    takes as many of them for something else as in art that it never saw, and mostly for something alike."""
    shown = labels != NO_OBJECT
    _, thing = (labels + 1000 * torch.arange(len(labels))[:, None]).unique(return_inverse=True)
    things, patches = int(thing.max()) + 1, features[shown]
    one, other = torch.randint(len(patches), (2, PAIRS, things))
    strength = torch.empty(things, 1).uniform_(MILD, STRONG) * (torch.rand(things, 1) < STRANGE)
    moved = strength * (patches[one] - patches[other]).sum(0) / PAIRS ** .5
    return torch.where(shown[..., None], features + moved[thing], features)


def picture_prefix(lm, rows, mask):
    """Rows (B, K, H) right-padded with mask (B, K) -> embeddings (B, K + 2, H) between image start and end, positions
    and reality (B, K + 2)."""
    b, k = mask.shape
    marks = lm.embed(torch.tensor([MINI.image_start, MINI.image_end]))
    start, end = (m.expand(b, 1, -1) for m in marks)
    count = mask.sum(1, keepdim=True).long()
    one = torch.ones(b, 1)
    positions = torch.cat([torch.arange(k + 1).expand(b, -1), count + 1], 1)
    return torch.cat([start, rows, end], 1), positions, torch.cat([one, mask, one], 1)


def speak_states(lm, prefix, positions, real, ids, branch, place):
    """States (B, P + L, H) of a picture's prefix and its branches, and those halfway through the model."""
    p = prefix.shape[1]
    x = torch.cat([prefix, lm.embed(ids)], 1)
    positions = torch.cat([positions, positions[:, -1:] + 1 + place], 1)
    group = torch.cat([torch.zeros_like(positions[:, :p]), branch], 1)
    present = torch.cat([real.bool(), branch > 0], 1)
    same = (group[:, :, None] == group[:, None, :]) | (group[:, None, :] == 0)
    t = x.shape[1]
    visible = same & present[:, None, :] & torch.ones(t, t, dtype=torch.bool).tril() | torch.eye(t, dtype=torch.bool)
    return lm(x, positions, visible[:, None], tap=FACTS_FROM)


def understand(eyes, merger, lm, pixels, threshold=.5):
    """Pixels -> picture prefix by continuous rows, and the places of its patches (B, K)."""
    features, keep = eyes.see(pixels, threshold)
    return kept_prefix(lm, merger(eyes.memory(features), keep), keep)


def understand_codes(eyes, lm, features, keep):
    """Features (B, N, D) and keep (B, N) -> picture prefix by codes, and the places of its patches (B, K)."""
    with torch.no_grad():
        codes = eyes.tokenizer(features, keep)
    return kept_prefix(lm, lm.embed(codes + MINI.visual_offset), keep)


def kept_prefix(lm, rows, keep):
    """Rows of all patches (B, N, H) and keep (B, N) -> picture prefix of the kept ones, and their places (B, K)."""
    places, mask = rank_order(keep)
    return *picture_prefix(lm, rows.gather(1, places[..., None].expand(-1, -1, rows.shape[-1])), mask), places


def meaning_loss(lm, names, rows, labels):
    """How far rows (B, K, H) that show an object (labels (B, K)) lie from its name among all names: where a word and
    its picture point the same way, attention finds the one by the other."""
    ids, counted = names
    meanings = (lm.embed(ids) * counted).sum(1) / counted.sum(1)
    shows = labels != NO_OBJECT
    likeness = F.normalize(rows[shows], dim=-1) @ F.normalize(meanings, dim=-1).T
    return F.cross_entropy(16 * likeness, labels[shows])


def helping_losses(lm, reader, names, picture, labels, said, halfway):
    """Distance of a picture's rows from the names of what they show (labels (B, N, 2)), and cross-entropy of the facts
    that `reader` finds halfway."""
    prefix, _, real, places = picture
    *_, facts, _ = said
    labels = labels.gather(1, places[..., None].expand(-1, -1, 2)).where(real[:, 1:-1, None].bool(), NO_OBJECT)
    meaning = meaning_loss(lm, names, prefix[:, 1:-1], labels[..., 0])
    of_rows = torch.full_like(labels, IGNORE)
    of_rows[..., 1] = labels[..., 1]
    return meaning, fact_loss(reader, halfway, torch.cat([no_fact(facts), of_rows, no_fact(facts), facts], 1))


def speaking_states(lm, picture, said):
    """States (M, H) after which something must be said, what it is (M), and the states halfway (B, T, H)."""
    prefix, positions, real, _ = picture
    ids, branch, place, target, _, first = said
    states, halfway = speak_states(lm, prefix, positions, real, ids, branch, place)
    p, learnt = prefix.shape[1], target != IGNORE
    return torch.cat([states[:, p - 1], states[:, p:][learnt]]), torch.cat([first, target[learnt]]), halfway


def no_fact(facts): return torch.full_like(facts[:, :1], IGNORE)


def fact_loss(reader, halfway, facts):
    """Of states halfway (B, T, H) that must know facts (B, T, 2): places and counts by tokens, colours by tokens and by
    rows."""
    loss = 0.
    for scores, fact in zip(reader(halfway).split([FACTS, len(GROUND_NAMES)], -1), facts.unbind(-1)):
        known = fact != IGNORE
        loss = loss + F.cross_entropy(scores[known], fact[known], reduction='sum') / known.sum().clamp(min=1)
    return loss


def show(prompts, shown, pictures):
    """Prompts that begin with their pictures: `shown` of the code lists each, in order."""
    given = iter(pictures)
    return [[c + MINI.visual_offset for _ in range(n) for c in next(given)] + ids for n, ids in zip(shown, prompts)]


def lay_out_paintings(prompts, codes):
    """Prompts, each with its picture, right-padded (B, T): ids, and targets."""
    rows = [p + [MINI.image_start] + [c + MINI.visual_offset for c in drawn] + [MINI.image_end]
            for p, drawn in zip(prompts, codes)]
    length = max(map(len, rows))
    ids, target = torch.zeros(len(rows), length, dtype=torch.long), torch.full((len(rows), length), IGNORE)
    for i, (row, prompt) in enumerate(zip(rows, prompts)):
        ids[i, :len(row)] = torch.tensor(row)
        target[i, len(prompt):len(row) - 1] = torch.tensor(row[len(prompt) + 1:])
    return ids, target


def causal_states(lm, x):
    """Embeddings (B, T, H) -> states (B, T, H)."""
    b, t = x.shape[:2]
    visible = torch.ones(t, t, dtype=torch.bool).tril()[None, None].expand(b, 1, -1, -1)
    return lm(x, torch.arange(t).expand(b, -1), visible)


def painting_states(lm, prompts, codes):
    """States (M, H) after which a part of a picture must be drawn, and its id (M)."""
    ids, target = lay_out_paintings(prompts, codes)
    learnt = target != IGNORE
    return causal_states(lm, lm.embed(ids))[learnt], target[learnt]


# ---------------------------------------------------------------- training

def fact_reader():
    hidden = MINI.language_model.hidden
    return nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, FACTS + len(GROUND_NAMES)))


def taught_loss(lm, states, target, teacher, taught):
    """How far from the teacher's is what the model expects after states (M, H), where the teacher's states are `taught`
    (M, H): the mean KL divergence among words and places, and among the contents at the place of `target` (M)."""
    def gap(ours, theirs):
        return F.kl_div(ours.log_softmax(-1), theirs.log_softmax(-1), reduction='sum', log_target=True) / len(target)

    with torch.no_grad():
        wanted = teacher.word_scores(taught)
    loss, code = gap(lm.word_scores(states), wanted), target - lm.words
    codes = code >= 0
    if codes.any():
        place = code[codes] // len(lm.content)
        with torch.no_grad():
            wanted = teacher.content_scores(taught[codes], teacher.at_place[place])
        loss = loss + gap(lm.content_scores(states[codes], lm.at_place[place]), wanted)
    return loss


def main(args):
    sprites, sentences = Sprites(args.sprites, args.concepts), Sentences(args.tokenizer, args.concepts)
    eyes = Eyes.of_runs(args, sprites)
    merger = UnderstandingMerger(MINI.encoder, C, MINI.language_model.hidden)
    merger.causal_encoder.load_state_dict(eyes.tokenizer.causal_encoder.state_dict())
    lm = language_model()
    reader = fact_reader()
    judge = Judge(args.concepts)
    load(args, 'judge', judge=judge)
    teacher = teacher_of(args.teacher) if args.teacher else None
    trained_art = heldout(sprites, measured(args, 120), seed=11)
    unseen_art = heldout(sprites, measured(args, 80), seed=12, styles=sprites.heldout_styles)
    chance = np.random.default_rng(5)

    def loss_of(batch, progress):
        seen, labels, said, prompts, pictures, shown = batch
        threshold = .5 if chance.random() < .7 else chance.uniform(.2, .8)
        features, keep = eyes.see(seen, threshold)
        moved, discrete = strange(features, labels[..., 0]), chance.random() < DISCRETE

        def picture_of(lm, read, features):
            return (understand_codes(eyes, lm, features, keep) if discrete else
                    kept_prefix(lm, read(eyes.memory(features), keep), keep))

        picture = picture_of(lm, merger, moved)
        codes = eyes.codes(pictures)
        orders = show(prompts, shown, codes[PAINT:]), codes[:PAINT]
        *spoken, halfway = speaking_states(lm, picture, said)
        painted = painting_states(lm, *orders)
        meaning, fact = helping_losses(lm, reader, sentences.names, picture, labels, said, halfway)
        told = {'speak': lm.cross_entropy(*spoken, label_smoothing=.02), 'paint': lm.cross_entropy(*painted),
                'meaning': meaning, 'fact': fact}
        if teacher:
            with torch.no_grad():
                as_spoken = speaking_states(teacher.language_model, picture_of(
                    teacher.language_model, teacher.understanding, features), said)[0]
                as_painted = painting_states(teacher.language_model, *orders)[0]
            told['speak taught'] = taught_loss(lm, *spoken, teacher.language_model, as_spoken)
            told['paint taught'] = taught_loss(lm, *painted, teacher.language_model, as_painted)
        return sum(WEIGHTS[name] * part for name, part in told.items()), told

    def evaluate():
        result = {}
        for name, (pixels, scenes) in (('trained', trained_art), ('unseen', unseen_art)):
            result |= {f'{name}_{k}': round(v, 4) for k, v in
                       speaking_figures(eyes, merger, lm, sentences, pixels, scenes).items()}
        painted = painting_figures(eyes, lm, sentences, judge, measured(args, 64))
        return result | {k: round(v, 4) for k, v in painted.items()}

    run(args, 'language_model', {'language_model': lm, 'understanding': merger, 'reader': reader},
        partial(make, sentences), loss_of,
        evaluate, lr=LR, slow=[merger.causal_encoder], seed=4, every=420)


MANNERS = {'vqa': ('plain', PLAIN), 'trained_wording': ('trained', QUESTIONS),
           'heldout_wording': ('heldout', QUESTIONS)}


def speaking_figures(eyes, merger, lm, sentences, pixels, scenes, seed=0, threshold=.5, manners=MANNERS):
    """Recall and precision of the things that captions name, CIDEr-D, and exact answers by kind of question: to plain
    wording, and to all kinds in wordings that training saw and that it did not."""
    rngs = {name: np.random.default_rng((seed, number)) for number, name in enumerate(('caption', *MANNERS))}
    named = right_names = present = 0
    texts, references, answers = [], [], {}
    for i in range(0, len(pixels), 25):
        picture = understand(eyes, merger, lm, pixels[i:i + 25], threshold=threshold)[:3]
        group = scenes[i:i + 25]
        for scene, ids in zip(group, write_captions(lm, *picture)):
            texts.append(sentences.tokenizer.decode(ids))
            references.append([caption(scene, sentences.words, rngs['caption']) for _ in range(REFERENCES)])
            said = concepts_named(texts[-1], sentences.words)
            named, present = named + len(said), present + len(set(scene.concepts))
            right_names += len(said & set(scene.concepts))
        for name, (manner, kinds) in manners.items():
            asked = [questions(scene, sentences.words, rngs[name], len(kinds), manner=manner, kinds=kinds)
                     for scene in group]
            for kind, right in answered(lm, sentences, picture, asked):
                answers.setdefault(name, {}).setdefault(kind, []).append(right)
    every = {name: [right for kind in kinds.values() for right in kind] for name, kinds in answers.items()}
    return {'recall': right_names / present, 'precision': right_names / max(named, 1),
            'cider': cider(texts, references), **{name: float(np.mean(right)) for name, right in every.items()},
            **{f'{name}_{kind}': float(np.mean(right)) for name, kinds in answers.items()
               for kind, right in sorted(kinds.items())}}


def answered(lm, sentences, picture, asked):
    """For each question of each picture: its kind, and whether every token of its answer is the likeliest one."""
    ids, branch, place, target, *_ = lay_out([
        [(sentences.ids(QUESTION.format(question=q)), sentences.ids(a) + [END], None) for _, q, a in row]
        for row in asked])
    states, _ = speak_states(lm, *picture, ids, branch, place)
    guess = lm.word_scores(states[:, picture[0].shape[1]:]).argmax(-1)
    for r, row in enumerate(asked):
        for number, (kind, _, _) in enumerate(row, 1):
            here = (branch[r] == number) & (target[r] != IGNORE)
            yield kind, bool((guess[r][here] == target[r][here]).all())


def concepts_named(text, words):
    """The concepts that a text names, by label or plural; longer names first, each word used once."""
    text, found = f' {text} ', set()
    names = sorted(((name, c) for c in range(len(words.labels)) for name in (words.labels[c], words.many[c])),
                   key=lambda pair: -len(pair[0]))
    for name, concept in names:
        for end in (' ', ',', '.'):
            if f' {name}{end}' in text:
                text = text.replace(f' {name}{end}', f' _{end}')
                found.add(concept)
    return found


def single_orders(words, count, seed):
    """Single objects on named grounds: prompts, and what they ask for: [(concept, ground)]."""
    rng = np.random.default_rng(seed)
    wanted = [(int(rng.integers(len(words.labels))), int(rng.integers(len(GROUND_NAMES)))) for _ in range(count)]
    return [f'{words.one[c]} on {a_ground(GROUND_NAMES[g])} background' for c, g in wanted], wanted


def painting_figures(eyes, lm, sentences, judge, count, seed=0, **sampling):
    """Single objects on named grounds, painted from words and judged apart."""
    prompts, wanted = single_orders(sentences.words, count, seed)
    codes = draw_codes(lm, [sentences.ids(prompt) for prompt in prompts], seed=seed, **sampling)
    return {**judged(judge, eyes.paint(codes), wanted), 'painted_tokens': float(np.mean([len(row) for row in codes]))}


def judged(judge, pictures, wanted):
    """How often pictures (B, 3, S, S) show what they should: [(concept, ground)]."""
    concept, ground = judge(pictures)
    c, g = (torch.tensor(column) for column in zip(*wanted))
    return {'painted_object': (concept.argmax(-1) == c).float().mean().item(),
            'painted_ground': (ground.argmax(-1) == g).float().mean().item()}
