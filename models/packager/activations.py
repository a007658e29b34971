"""Whole numbers on the way: products with 8-bit matrices of which the other side is rounded to 8 bits, too.

Processors multiply whole numbers two to four times faster than fractions. The ranges of what goes in are measured once,
on pictures of the training, and are constants of the graph: so a picture gets the same bits alone and in any batch.
"""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

GRAPHS = ('vision', 'merger_codes', 'merger_embeddings', 'language_model')
LEVELS = 255
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


def observe(path, feeds):
    """Least and greatest value of what each product takes, over all feeds: {name: [least, greatest]}. Those are left
    out, and their products stay as they are, where a few far values would take the levels of all others."""
    model = onnx.load(str(path))
    names = sorted({node.input[0] for node, _, _ in products(model)})
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


def round_products(path, ranges):
    """Rewrites the graph: each product rounds what it takes by its range, and takes its matrix as it is stored."""
    model = onnx.load(str(path))
    graph, rounded = model.graph, {}
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


def round_trip(graph, name, low, high):
    step = np.float32((high - low) / LEVELS or 1)
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
