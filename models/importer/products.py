"""Nodes that take a weight as it is stored: products in half precision and in blocks, rows of tables in blocks."""
from onnx import TensorProto, helper

from .quantise import BLOCK, quantise


def multiplied_by(users, name):
    """The node that multiplies by a weight (out, in), and the transpose before it; None where there is none."""
    if len(users[name]) != 1:
        return None, None
    node = users[name][0]
    if node.op_type == 'Gemm' and attributes(node) == {'transB': 1} and list(node.input)[1:] == [name]:
        return node, None
    if node.op_type == 'Transpose' and attributes(node) == {'perm': [1, 0]}:
        after = users[node.output[0]]
        if len(after) == 1 and after[0].op_type == 'MatMul' and after[0].input[1] == node.output[0]:
            return after[0], node
    return None, None


def attributes(node):
    """Without those that say what is the default."""
    found = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return {k: v for k, v in found.items() if (k, v) not in (('alpha', 1.), ('beta', 1.), ('transA', 0), ('transB', 0))}


def is_looked_up(users, name):
    return bool(users[name]) and all(node.op_type == 'Gather' and node.input[0] == name for node in users[name])


def multiply_in_half(product, name, tensor, files, graph):
    """Rounds what is multiplied and what comes out to half precision, between which nothing but the product is."""
    graph.initializer.append(files.add(f'{name}.half', tensor.t()))
    taken, given = product.input[0], product.output[0]
    place = list(graph.node).index(product)
    product.CopyFrom(helper.make_node('MatMul', [f'{given}.taken', f'{name}.half'], [f'{given}.half'], product.name))
    casts = [([taken], f'{given}.taken', TensorProto.FLOAT16), ([f'{given}.half'], given, TensorProto.FLOAT)]
    for at, (inputs, output, kind) in zip((place, place + 2), casts):
        graph.node.insert(at, helper.make_node('Cast', inputs, [output], f'{output}.cast', to=kind))


def look_up_quantised(users, name, tensor, files, graph, bits):
    """Only the rows that are looked up are widened."""
    whole, scales, zeros = quantise(tensor, bits)
    whole = whole.flatten(1)[:, :tensor.shape[1] * bits // 8]
    parts = zip(('quantised', 'scales', 'zeros'), (whole, scales, zeros))
    held, *others = [files.add(f'{name}.{part}', values) for part, values in parts]
    graph.initializer.extend([held, *others])
    for node in users[name]:
        node.CopyFrom(helper.make_node('GatherBlockQuantized', [held.name, node.input[1], *(i.name for i in others)],
                                       list(node.output), node.name, domain='com.microsoft', gather_axis=0,
                                       quantize_axis=1, block_size=BLOCK, bits=bits))


def replace_by_quantised(product, name, tensor, files, graph, bits, accuracy_level):
    out, inputs = tensor.shape
    parts = zip(('quantised', 'scales', 'zeros'), quantise(tensor, bits))
    initializers = [files.add(f'{name}.{part}', values) for part, values in parts]
    graph.initializer.extend(initializers)
    product.CopyFrom(helper.make_node('MatMulNBits', [product.input[0], *(i.name for i in initializers)],
                                      list(product.output), domain='com.microsoft', K=inputs, N=out, bits=bits,
                                      block_size=BLOCK, accuracy_level=accuracy_level))
