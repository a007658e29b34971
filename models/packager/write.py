"""Graphs as files: exported, shrunk without loss, checked against PyTorch, and listed with their digests."""
import hashlib

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from .graphs import input_names
from .precision import exact_bytes

TOLERANCE = 1e-4
HALF_FROM = 256  # smaller tensors (norms, biases, constants) stay in single precision


def export_graph(module, example, outputs, dynamic, layers, path):
    module.eval()
    program = torch.onnx.export(module, kwargs=example, dynamic_shapes=dynamic, dynamo=True, optimize=True,
                                input_names=input_names(example, layers), output_names=outputs,
                                opset_version=20, verbose=False)
    graph = program.model_proto
    shrink(graph)
    forget_origin(graph)
    onnx.checker.check_model(graph)
    path.write_bytes(graph.SerializeToString())


def forget_origin(model):
    """Drops the exporter's notes: where in which file on this machine each node and value came from."""
    graph = model.graph
    for thing in (model, graph, *model.functions, *graph.node, *graph.input, *graph.output, *graph.value_info,
                  *graph.initializer, *(node for function in model.functions for node in function.node)):
        del thing.metadata_props[:]
        thing.ClearField('doc_string')


def shrink(model):
    """Initializers that lose nothing by it become int8 with a scale, or fp16; the Cast and Mul beside them are folded
    by the runtime when it opens the graph."""
    graph = model.graph
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < HALF_FROM:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor)
        whole = exact_bytes(values)
        if whole is not None:
            small = {'bytes': whole[0], 'scale': whole[1]}
            nodes = [helper.make_node('Cast', [name + '.bytes'], [name + '.whole'], to=TensorProto.FLOAT),
                     helper.make_node('Mul', [name + '.whole', name + '.scale'], [name])]
        elif np.array_equal(values.astype(np.float16).astype(np.float32), values):
            small = {'half': values.astype(np.float16)}
            nodes = [helper.make_node('Cast', [name + '.half'], [name], to=TensorProto.FLOAT)]
        else:
            continue
        graph.initializer.remove(tensor)
        graph.initializer.extend(numpy_helper.from_array(part, f'{name}.{kind}') for kind, part in small.items())
        for node in reversed(nodes):
            graph.node.insert(0, node)


def check(name, module, examples, path, layers, tolerance=TOLERANCE):
    """Largest gap between PyTorch and the exported graph, on each example and on its first row alone, which is to be
    below `tolerance`. Codes must be equal; where more than TOLERANCE is allowed a twentieth may be others, and scores
    of all ids are compared in place of candidates, whose order is another then."""
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return max(gap_of(name, module, rows, session, layers, tolerance)
               for example in examples for rows in (example, first_row(example)))


def first_row(example):
    return {k: [t[:1] for t in v] if isinstance(v, list) else v[:1] for k, v in example.items()}


def gap_of(name, module, example, session, layers, tolerance):
    expected = module(**example)
    expected = expected if isinstance(expected, tuple) else (expected,)
    flat = [v for value in example.values() for v in (value if isinstance(value, list) else [value])]
    got = session.run(None, {k: v.numpy() for k, v in zip(input_names(example, layers), flat)})
    tied = is_tied(expected[1].numpy()) if name == 'visual_head' else None
    gap = 0.
    all_outputs = list(zip(expected, got, strict=True))
    for e, g in all_outputs[-1:] if name == 'visual_head' and tolerance > TOLERANCE else all_outputs:
        # candidates may have changed places, with their ids and log-probabilities; their scores are in order
        follows = tied is not None and e.shape == tied.shape and e is not expected[1]
        alike = tied if follows else np.zeros(e.shape, bool)
        if e.dtype == torch.int64:
            share = np.mean((e.numpy() == g) | alike)
            assert share >= (1 if tolerance == TOLERANCE else .95), f'{name}: only {share:.3f} of codes are equal'
        else:
            apart = np.where(alike, 0, np.abs(e.numpy() - g)).max()
            gap = max(gap, float(apart / max(1., np.abs(e.numpy()).max())))
    assert gap < tolerance, f'{name}: {gap}'
    return gap


def is_tied(scores):
    """Of scores (B, K) in falling order, which are as good as equal to a neighbour: their order is nobody's promise.
    The last may be tied with what is no candidate any more."""
    near = np.abs(np.diff(scores)) < TOLERANCE * max(1., np.abs(scores).max())
    last = np.ones((len(scores), 1), bool)
    return np.concatenate([near, last], 1) | np.concatenate([np.zeros_like(last), near], 1)


def digest(path):
    return {'file': path.name, 'sha256': hashlib.sha256(path.read_bytes()).hexdigest(), 'bytes': path.stat().st_size}
