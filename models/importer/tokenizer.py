"""A LLaMA sentencepiece model as `tokenizer.json`: the "legacy" way, without begin or end of sequence.

Text gets one leading space, spaces become U+2581, and what no piece spells falls back to bytes.
"""
from .errors import CheckpointError
from .impostors import refuse_impostor

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
BPE = 2
SPACE = '\u2581'


def convert(path):
    """Path of a `tokenizer.model` -> the content of `tokenizer.json`."""
    from sentencepiece import sentencepiece_model_pb2
    label = f'{path.parent.name}/{path.name}'
    if not path.is_file():
        raise CheckpointError(f'{label}: missing')
    refuse_impostor(path, label)
    model = sentencepiece_model_pb2.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except Exception as error:
        raise CheckpointError(f'{label}: not a sentencepiece model, perhaps truncated') from error
    pieces, normal = list(model.pieces), model.normalizer_spec
    for holds, otherwise in [
            (model.trainer_spec.model_type == BPE, 'is not a BPE model'),
            (model.trainer_spec.byte_fallback, 'has no byte fallback'),
            (normal.name == 'identity', 'changes text before it splits it'),
            (normal.add_dummy_prefix and not normal.remove_extra_whitespaces,
             'treats spaces in another way than LLaMA'),
            ({p.type for p in pieces} <= {NORMAL, UNKNOWN, CONTROL, BYTE}, 'has pieces of a kind that LLaMA has not'),
            ([p.type for p in pieces[:3]] == [UNKNOWN, CONTROL, CONTROL], 'does not begin with <unk>, <s>, </s>')]:
        if not holds:
            raise CheckpointError(f'{label}: {otherwise}')
    return definition(pieces)


def definition(pieces):
    vocabulary = {p.piece: i for i, p in enumerate(pieces)}
    return {
        'version': '1.0', 'truncation': None, 'padding': None,
        'added_tokens': [{'id': i, 'content': p.piece, 'single_word': False, 'lstrip': False, 'rstrip': False,
                          'normalized': False, 'special': True} for i, p in enumerate(pieces[:3])],
        'normalizer': {'type': 'Sequence', 'normalizers': [
            {'type': 'Prepend', 'prepend': SPACE}, {'type': 'Replace', 'pattern': {'String': ' '}, 'content': SPACE}]},
        'pre_tokenizer': None, 'post_processor': None,
        'decoder': {'type': 'Sequence', 'decoders': [
            {'type': 'Replace', 'pattern': {'String': SPACE}, 'content': ' '}, {'type': 'ByteFallback'},
            {'type': 'Fuse'}, {'type': 'Strip', 'content': ' ', 'start': 1, 'stop': 0}]},
        'model': {'type': 'BPE', 'dropout': None, 'unk_token': pieces[0].piece, 'continuing_subword_prefix': None,
                  'end_of_word_suffix': None, 'fuse_unk': True, 'byte_fallback': True, 'ignore_merges': False,
                  'vocab': vocabulary, 'merges': merges(pieces, vocabulary)},
    }


def merges(pieces, vocabulary):
    """Every way to put two pieces together into a third, the best-scored first, as sentencepiece does."""
    found = []
    for piece in (p for p in pieces if p.type == NORMAL):
        splits = [(piece.piece[:i], piece.piece[i:]) for i in range(1, len(piece.piece))]
        whole = [pair for pair in splits if pair[0] in vocabulary and pair[1] in vocabulary]
        found += [(piece.score, pair)
                  for pair in sorted(whole, key=lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]]))]
    return [list(pair) for _, pair in sorted(found, key=lambda entry: -entry[0])]
