"""The graphs of vision and mergers in fewer nodes, which compute the same.

Products in 8 bits take their bias along, and attention over all patches becomes one node with the product before it, as
ONNX Runtime has kernels for both (com.microsoft). The sum before a norm stays a node of its own: the runtime's kernel
for the two is several times slower than that for a norm.
"""
import numpy as np
import onnx
from onnx import helper

from .fusion import DOMAIN, Graph

HEADS = ('Reshape', 'Transpose')


def fuse_vision(path):
    """Rewrites a graph of which products are rounded, see `round_activations`."""
    model = onnx.load(str(path))
    graph = Graph(model)
    join_biases(graph)
    join_attention(graph)
    keep_sums(graph)
    graph.order()
    model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    path.write_bytes(model.SerializeToString())


def join_biases(graph):
    """Levels @ 8-bit matrix + bias: one node."""
    for product in graph.of('MatMul'):
        rows, matrix = (graph.maker(name) for name in product.input)
        chain = graph.chain(product, ('MatMul', 'Add'))
        if chain is None or not all(made is not None and made.op_type == 'DequantizeLinear' for made in (rows, matrix)):
            continue
        bias = next((floats(graph, name) for name in chain[1].input if name != product.output[0]), None)
        if bias is None:
            continue
        levels, step, zero = rows.input
        whole, scales = matrix.input
        inputs = [levels, whole, step, scales, zero, '', bias]
        graph.replace(chain, [helper.make_node('MatMulIntegerToFloat', inputs, chain[1].output, domain=DOMAIN)])


def floats(graph, name):
    """A constant in single precision, as a kernel takes it: some are stored in half, with a Cast beside them. None
    where it is made on the way."""
    if name in graph.tensors:
        return name
    half = graph.tensors.get(graph.maker(name).input[0])
    if half is None:
        return None
    return graph.constant(f'{name}.single', half.astype(np.float32))


def join_attention(graph):
    """softmax(q k^T / sqrt(d)) v of q, k, v from one product of the same rows: one node."""
    for split in graph.of('Split'):
        product = graph.maker(split.input[0])
        if product is None or product.op_type != 'MatMulIntegerToFloat' or len(split.output) != 3:
            continue
        chains = [graph.chain(graph.takers(part)[0], HEADS) for part in split.output]
        last = graph.chain(chains[2][1], ('Transpose', 'MatMul', 'Transpose', 'Reshape')) if all(chains) else None
        if last is None or graph.maker(last[1].input[0]).op_type != 'Softmax':
            continue
        levels, whole, step, scales, zero, _, bias = product.input
        heads = int(graph.tensors[chains[0][0].input[1]][-2])
        node = helper.make_node('QAttention', [levels, whole, bias, step, scales, '', zero], last[-1].output,
                                domain=DOMAIN, num_heads=heads, unidirectional=0)
        graph.replace([product, split, *last[1:]], [node])


def keep_sums(graph):
    """A sum before a norm, which the runtime would take into a slower node, under another name."""
    for norm in graph.of('LayerNormalization'):
        before = graph.maker(norm.input[0])
        if before is not None and before.op_type == 'Add':
            graph.replace([before], [helper.make_node('Sum', before.input, before.output)])
