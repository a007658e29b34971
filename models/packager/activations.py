"""Whole numbers on the way: products with 8-bit matrices of which the other side is rounded to 8 bits, too, and
convolutions of which everything is.

Processors multiply whole numbers two to four times faster than fractions. The ranges of what goes in are measured once,
on pictures of the training, and are constants of the graph: so a picture gets the same bits alone and in any batch.
"""
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from .precision import MOST

GRAPHS = ('vision', 'merger_codes', 'merger_embeddings', 'language_model')
LEVELS = 255
MOST_TURN = 2e-4  # of an output's rows by the rounding of one convolution: one minus the cosine
CHANNELS_FROM = 32  # of what a convolution takes; fewer carry the picture itself, of which rounding would take too much
WIDEST = 60  # of a range, in root mean squares


def products(model):
    """The MatMul nodes whose second side is an 8-bit matrix with a scale for each column, and its initializers."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        scaled = made_by.get(node.input[1]) if node.op_type == 'MatMul' else None
        if scaled is None or scaled.op_type != 'Mul' or scaled.input[1] not in tensors:
            continue
        cast, scale = made_by.get(scaled.input[0]), tensors[scaled.input[1]]
        whole = tensors.get(cast.input[0]) if cast is not None else None
        if whole is not None and whole.data_type == TensorProto.INT8 and list(scale.dims) == [1, whole.dims[1]]:
            yield node, whole, scale


def convolutions(model):
    """The Conv nodes with a constant kernel of more than one place, and its values."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == 'Conv' and node.input[1] in tensors:
            kernel = numpy_helper.to_array(tensors[node.input[1]])
            if kernel.dtype == np.float32 and kernel.shape[1] >= CHANNELS_FROM and max(kernel.shape[2:]) > 1:
                yield node, kernel


def observe(path, feeds):
    """Least and greatest value of what each product takes, and of what each convolution takes and gives, over all
    feeds: {name: [least, greatest]}. Those are left out, and their nodes stay as they are, where a few far values would
    take the levels of all others."""
    model = onnx.load(str(path))
    names = sorted({node.input[0] for node, _, _ in products(model)} |
                   {name for node, _ in convolutions(model) for name in (node.input[0], node.output[0])})
    known = {output.name for output in model.graph.output}
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
                              for name in names if name not in known)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    ranges = {name: [0., 0.] for name in names}  # 0 is always exact
    squares, counts = dict.fromkeys(names, 0.), dict.fromkeys(names, 0)
    for feed in feeds:
        for name, values in zip(names, session.run(names, feed)):
            low, high = ranges[name]
            ranges[name] = [min(low, float(values.min())), max(high, float(values.max()))]
            squares[name] += float(np.square(values, dtype=np.float64).sum())
            counts[name] += values.size
    usual = {name: (squares[name] / counts[name]) ** .5 for name in names}
    return {name: [low, high] for name, (low, high) in ranges.items() if high - low <= WIDEST * usual[name]}


def harmless(path, ranges, feeds):
    """Without the ranges of what those convolutions give whose rounding alone turns the graph's first output by more
    than MOST_TURN, over all feeds; so they stay as they are."""
    model, exact = onnx.load(str(path)), list(map(first_output(path), feeds))
    given = {node.output[0] for node, _ in convolutions(model)} & set(ranges)
    others = {name: span for name, span in ranges.items() if name not in given}
    kept = dict(others)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / 'trial.onnx'
        turns = {}
        for name in [None, *sorted(given)]:
            shutil.copyfile(path, trial)
            round_activations(trial, others | ({name: ranges[name]} if name else {}))
            turns[name] = np.mean([turn(a, b) for a, b in zip(exact, map(first_output(trial), feeds))])
            if name and turns[name] - turns[None] <= MOST_TURN:
                kept[name] = ranges[name]
    return kept


def first_output(path):
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return lambda feed: session.run(None, feed)[0]


def turn(a, b):
    """One minus the mean cosine of the last axis."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return 1 - ((a * b).sum(-1) / np.maximum(lengths, 1e-12)).mean()


def round_activations(path, ranges):
    """Rewrites the graph: each product rounds what it takes by its range, and takes its matrix as it is stored; each
    convolution rounds what it takes and gives, and its kernel."""
    model = onnx.load(str(path))
    graph, rounded = model.graph, {}
    round_convolutions(model, ranges, rounded)
    for node, whole, scale in list(products(model)):
        name = node.input[0]
        if name not in ranges:
            continue
        before = []
        if name not in rounded:
            rounded[name] = f'{name}.rounded'
            before += round_trip(graph, name, *ranges[name])
        matrix = node.input[1] + '.matrix'
        if not any(tensor.name == whole.name + '.column_scale' for tensor in graph.initializer):
            columns = numpy_helper.to_array(scale).reshape(-1)
            graph.initializer.append(numpy_helper.from_array(columns, whole.name + '.column_scale'))
            before.append(helper.make_node('DequantizeLinear', [whole.name, whole.name + '.column_scale'], [matrix],
                                           axis=1))
        place = list(graph.node).index(node)
        node.input[0], node.input[1] = rounded[name], matrix
        for new in reversed(before):
            graph.node.insert(place, new)
    drop_unused(graph)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def round_convolutions(model, ranges, rounded):
    graph = model.graph
    biases = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node, kernel in list(convolutions(model)):
        taken, given = node.input[0], node.output[0]
        if taken not in ranges or given not in ranges:
            continue
        before = []
        if taken not in rounded:
            rounded[taken] = f'{taken}.rounded'
            before += round_trip(graph, taken, *ranges[taken])
        scale = np.abs(kernel).max((1, 2, 3)) / MOST
        scale = np.where(scale == 0, 1, scale).astype(np.float32)
        whole = np.clip(np.round(kernel / scale[:, None, None, None]), -MOST, MOST).astype(np.int8)
        steps = step_of(*ranges[taken]) * scale
        bias = biases[node.input[2]] if len(node.input) > 2 else np.zeros(len(kernel), np.float32)
        parts = {'kernel': (whole, scale), 'bias': (np.round(bias / steps).astype(np.int32), steps)}
        for part, (values, each) in parts.items():
            name = f'{given}.{part}'
            graph.initializer.extend([numpy_helper.from_array(values, f'{name}.whole'),
                                      numpy_helper.from_array(each, f'{name}.scale')])
            before.append(helper.make_node('DequantizeLinear', [f'{name}.whole', f'{name}.scale'], [name], axis=0))
        place = list(graph.node).index(node)
        del node.input[:]
        node.input.extend([rounded[taken], *(f'{given}.{part}' for part in parts)])
        node.output[0] = f'{given}.exact'
        after = round_trip(graph, given, *ranges[given])
        after[0].input[0], after[1].output[0] = node.output[0], given
        for new in reversed(after):
            graph.node.insert(place + 1, new)
        for new in reversed(before):
            graph.node.insert(place, new)


def step_of(low, high): return np.float32((high - low) / LEVELS or 1)


def round_trip(graph, name, low, high):
    step = step_of(low, high)
    zero = np.uint8(np.clip(np.round(-low / step), 0, LEVELS))
    graph.initializer.extend([numpy_helper.from_array(np.array(step), name + '.step'),
                              numpy_helper.from_array(np.array(zero), name + '.zero')])
    places = [name + '.step', name + '.zero']
    return [helper.make_node('QuantizeLinear', [name, *places], [name + '.levels']),
            helper.make_node('DequantizeLinear', [name + '.levels', *places], [name + '.rounded'])]


def drop_unused(graph):
    """Nodes and initializers that nothing takes any more."""
    needed = {output.name for output in graph.output}
    for node in reversed(list(graph.node)):
        if needed.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            needed.update(node.input)
    for tensor in list(graph.initializer):
        if tensor.name not in needed:
            graph.initializer.remove(tensor)
