"""Which nodes of a graph compute in half precision, for GPUs that have none in their shaders."""
from onnx import TensorProto

LOOKS_UP = {'Gather', 'Cast'}


def half_nodes(graph):
    """What the manifest says of them: names of those that look rows up in half precision and widen them, which the
    processor can do for a GPU. Nothing where products are in half precision, too: they would all be the processor's.

    A cast of a stored weight is none of them, since the runtime folds it when it opens the graph.
    """
    stored = {tensor.name for tensor in graph.initializer}
    half = {tensor.name for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT16}
    found = []
    for node in graph.node:
        is_cast = node.op_type == 'Cast'
        narrows = is_cast and node.attribute[0].i == TensorProto.FLOAT16
        if not (narrows or half & set(node.input)) or is_cast and node.input[0] in stored:
            continue
        found.append(node)
        if narrows or not is_cast:
            half.update(node.output)
    is_simple = all(node.op_type in LOOKS_UP and node.name for node in found)
    return {'half_nodes': [node.name for node in found]} if found and is_simple else {}
