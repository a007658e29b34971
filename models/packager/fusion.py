"""The language model's graph in fewer nodes, which compute the same.

A node costs a microsecond or two before it computes anything, and a decode step is hundreds of them. What ONNX Runtime
has one kernel for becomes one node of its domain (com.microsoft): norms, alone and with the sum before them, and
rotations. Products that take the same become one. A scale of queries goes into their matrix: the runtime would take it
into the product with the keys, for which it then has no quick way for single rows.
"""
import numpy as np
import onnx
from onnx import helper, numpy_helper

DOMAIN = 'com.microsoft'
NORM = ('Pow', 'ReduceMean', 'Add', 'Sqrt', 'Reciprocal', 'Mul', 'Mul')


def fuse(path, max_length):
    """Rewrites a graph of `LanguageStep` whose positions are below `max_length`, or of tokens that nothing sees."""
    model = onnx.load(str(path))
    graph = Graph(model)
    fuse_norms(graph)
    fuse_rotations(graph, max_length)
    fold_scales(graph)
    join_products(graph)
    join_biases(graph)
    join_slices(graph)
    graph.order()
    model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    path.write_bytes(model.SerializeToString())


class Graph:
    """A graph whose nodes are found by what they make and take, and replaced by others."""

    def __init__(self, model):
        self.graph = model.graph
        self.tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}

    def of(self, kind): return [node for node in self.graph.node if node.op_type == kind]

    def maker(self, name): return next((node for node in self.graph.node if name in node.output), None)

    def takers(self, name): return [node for node in self.graph.node if name in node.input]

    def chain(self, node, kinds):
        """The nodes from this one on, each the only one to take what the last one makes; None where they are others."""
        found = [node]
        for kind in kinds[1:]:
            takers = self.takers(found[-1].output[0])
            if not takers or takers[0].op_type != kind or len(takers) > 1:
                return None
            found.append(takers[0])
        return found

    def constant(self, name, values):
        if name not in self.tensors:
            self.tensors[name] = values
            self.graph.initializer.append(numpy_helper.from_array(values, name))
        return name

    def value(self, node):
        """The constant among what a node takes."""
        return next(self.tensors[name] for name in node.input if name in self.tensors)

    def replace(self, old, new):
        """Puts nodes where the first of the old ones is; `order` does the rest."""
        place = min(list(self.graph.node).index(node) for node in old)
        for node in old:
            self.graph.node.remove(node)
        for node in reversed(new):
            self.graph.node.insert(place, node)

    def order(self):
        """Each node behind what it takes; what nothing takes is dropped."""
        makers = {name: node for node in self.graph.node for name in node.output}
        ordered, seen = [], set()

        def visit(name):
            if name in seen or name not in makers:
                return
            seen.update(makers[name].output)
            for taken in makers[name].input:
                visit(taken)
            ordered.append(makers[name])

        for output in self.graph.output:
            visit(output.name)
        used = {name for node in ordered for name in node.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in used]
        for field, values in ((self.graph.node, ordered), (self.graph.initializer, kept)):
            values = [type(value).FromString(value.SerializeToString()) for value in values]
            del field[:]
            field.extend(values)


def fuse_norms(graph):
    """x / sqrt(mean(x^2) + eps) * weight, and a sum that makes x."""
    for first in graph.of('Pow'):
        x = first.input[0]
        chain = graph.chain(first, NORM)
        if chain is None:
            continue
        [weight] = [name for name in chain[-1].input if name in graph.tensors]
        epsilon, made, before = float(graph.value(chain[2])), chain[-1].output[0], graph.maker(x)
        if before is not None and before.op_type == 'Add':
            node = helper.make_node('SkipSimplifiedLayerNormalization', [*before.input, weight], [made, '', '', x],
                                    domain=DOMAIN, epsilon=epsilon)
            graph.replace([before, *chain], [node])
        else:
            node = helper.make_node('SimplifiedLayerNormalization', [x, weight], [made], axis=-1, epsilon=epsilon)
            graph.replace(chain, [node])


def fuse_rotations(graph, max_length):
    """x * cos + concat(-second half, first half) * sin, of x (B, heads, T, d). What nothing sees is turned anyhow."""
    angles = graph.maker(graph.of('Cos')[0].input[0])
    rates = graph.value(graph.maker(angles.input[0])).reshape(-1)
    turns = np.arange(max_length, dtype=np.float32)[:, None] * rates
    tables = [graph.constant(f'rotary.{name}', of(turns)) for name, of in (('cos', np.cos), ('sin', np.sin))]
    last = graph.constant('rotary.last', np.array(max_length - 1))
    graph.graph.node.insert(0, helper.make_node('Clip', ['positions', '', last], ['rotary.positions']))
    for half in graph.of('Neg'):
        x = graph.maker(half.input[0]).input[0]
        turned = graph.chain(half, ('Neg', 'Concat', 'Mul', 'Add'))
        [straight] = [node for node in graph.takers(x) if node.op_type == 'Mul']
        node = helper.make_node('RotaryEmbedding', [x, 'rotary.positions', *tables], [turned[-1].output[0]],
                                domain=DOMAIN)
        graph.replace([straight, *turned], [node])


def fold_scales(graph):
    """A number that turned queries are multiplied with goes into the scales of the matrix that makes them."""
    for turn in graph.of('RotaryEmbedding'):
        [taker, *others] = graph.takers(turn.output[0])
        if others or taker.op_type != 'Mul':
            continue
        number, node = graph.value(taker), turn
        while node.op_type != 'MatMul':
            node = graph.maker(node.input[0])
        matrix = graph.maker(node.input[1])
        scales = graph.constant(f'{node.output[0]}.scale', (graph.tensors[matrix.input[1]] * number).astype(np.float32))
        scaled = helper.make_node('DequantizeLinear', [matrix.input[0], scales], matrix.output, axis=1)
        turn.output[0] = taker.output[0]
        graph.replace([taker, matrix], [scaled])


def join_products(graph):
    """Products of the same rows with several 8-bit matrices: one product with all of their columns."""
    for rows in dict.fromkeys(node.input[0] for node in graph.of('MatMul')):
        products = [node for node in graph.takers(rows) if node.op_type == 'MatMul']
        matrices = [graph.maker(node.input[1]) for node in products]
        if len(products) < 2 or not all(made and made.op_type == 'DequantizeLinear' for made in matrices):
            continue
        name, parts = f'{products[0].output[0]}.all', [[graph.tensors[i] for i in made.input] for made in matrices]
        whole, scales = (np.concatenate(part, -1) for part in zip(*parts))
        stored = [graph.constant(f'{name}.bytes', whole), graph.constant(f'{name}.scale', scales)]
        nodes = [helper.make_node('DequantizeLinear', stored, [f'{name}.matrix'], axis=1),
                 helper.make_node('MatMul', [rows, f'{name}.matrix'], [name])]
        heads = [graph.chain(node, ('MatMul', 'Reshape', 'Transpose')) for node in products]
        if all(heads):  # (B, T, H) -> (B, heads, T, d): of all at once
            made = [chain[-1].output[0] for chain in heads]
            shapes = [[int(graph.tensors[part][0]) for part in graph.maker(chain[1].input[1]).input[-2:]]
                      for chain in heads]
            counts = graph.constant(f'{name}.counts', np.array([count for count, _ in shapes]))
            split = graph.constant(f'{name}.shape', np.array([0, 0, sum(count for count, _ in shapes), shapes[0][1]]))
            nodes += [helper.make_node('Reshape', [name, split], [f'{name}.heads']),
                      helper.make_node('Transpose', [f'{name}.heads'], [f'{name}.rows'], perm=[0, 2, 1, 3]),
                      helper.make_node('Split', [f'{name}.rows', counts], made, axis=1)]
            graph.replace([node for chain in heads for node in chain], nodes)
        else:
            widths = graph.constant(f'{name}.widths', np.array([part.shape[-1] for part, _ in parts]))
            nodes.append(helper.make_node('Split', [name, widths], [node.output[0] for node in products], axis=-1))
            graph.replace(products, nodes)


def join_biases(graph):
    """concat(scores of the cache + its bias, scores of the new + their mask): both are added after, at once."""
    bias = 'attention.bias'
    for softmax in graph.of('Softmax'):
        concat = graph.maker(softmax.input[0])
        parts = [graph.maker(name) for name in concat.input]
        scores, added = zip(*((part.input[0], part.input[1]) for part in parts))
        if not graph.takers(bias):
            ones = graph.constant('attention.one', np.array([1]))
            nodes = [helper.make_node('Shape', ['positions'], ['attention.new'], start=1),
                     helper.make_node('Shape', [added[1]], ['attention.rows'], start=2, end=3),
                     helper.make_node('Concat', [ones, ones, 'attention.rows', ones], ['attention.shape'], axis=0),
                     helper.make_node('Expand', [added[0], 'attention.shape'], ['attention.past']),
                     helper.make_node('Concat', ['attention.past', added[1]], [bias], axis=-1)]
            graph.graph.node.extend(nodes)
        graph.replace([*parts, concat], [
            helper.make_node('Concat', scores, [f'{concat.output[0]}.scores'], axis=-1),
            helper.make_node('Add', [f'{concat.output[0]}.scores', bias], concat.output)])


def join_slices(graph):
    """The weights of the cache and of the new tokens: two slices become one split."""
    for softmax in graph.of('Softmax'):
        past, new = sorted(graph.takers(softmax.output[0]), key=lambda node: node.input[1] not in graph.tensors)
        widths = 'attention.widths'
        nodes = []
        if not graph.takers(widths):
            nodes = [helper.make_node('Shape', ['cache_bias'], ['attention.places'], start=1),
                     helper.make_node('Concat', ['attention.places', 'attention.new'], [widths], axis=0)]
        split = helper.make_node('Split', [softmax.output[0], widths], [past.output[0], new.output[0]], axis=-1)
        graph.replace([past, new], [*nodes, split])
