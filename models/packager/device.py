"""Graphs for devices beside those for processors: `python -m packager.device FOLDER` adds them to a package.

They compute the same from the same weights, which stay in the file of the other graph, and have no operator that the
runtime's WebGPU provider leaves to the processor: whole numbers on the way are rounded fractions, ids and positions are
counted in fractions, which are exact below 2 ** 24, and LogSoftmax is written out. Matrices of 8 bits are widened once,
when the graph is opened. The package stays as it is until all of them are written.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from importer.staging import renewed

from .activations import LEVELS, drop_unused
from .write import digest

GRAPHS = ('language_model', 'text_head', 'visual_head')
WHOLE = {'MatMulInteger', 'MatMulIntegerToFloat', 'QAttention'}
APART_FROM = 1024  # bytes of a tensor that stays in the other file
GROUP = 256  # scores of which the best is looked at first
COUNTED = ('Less', 'Greater', 'Clip', 'Sub', 'Add', 'Mul', 'Mod', 'Div', 'Unsqueeze')


class Rewriting:
    """Nodes that take the place of others, and the constants that they bring."""

    def __init__(self, graph):
        self.graph = graph
        self.tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
                        if tensor.data_location != TensorProto.EXTERNAL}
        self.nodes = []

    def constant(self, name, values):
        if name not in self.tensors:
            self.tensors[name] = values
            self.graph.initializer.append(numpy_helper.from_array(values, name))
        return name

    def add(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def fraction(self, name, value):
        return self.constant(f'{name}.fraction', np.array(value, np.float32))

    def log_softmax(self, node):
        [x], [y] = node.input, node.output
        last = self.constant('last_axis', np.array([-1]))
        lower = self.add('Sub', [x, self.add('ReduceMax', [x, last], f'{y}.most')], f'{y}.lower')
        self.add('Sub', [lower, self.add('ReduceLogSumExp', [lower, last], f'{y}.sum')], y)

    def rounding(self, node, back):
        x, y, step, zero = node.input[0], back.output[0], *(self.tensors[name] for name in node.input[1:])
        levels = self.add('Mul', [x, self.fraction(f'{y}.rate', 1 / step)], f'{y}.exact')
        levels = self.add('Add', [levels, self.fraction('half', .5)], f'{y}.more')
        levels = self.add('Floor', [levels], f'{y}.whole')
        bounds = (self.fraction(f'{y}.{name}', level - float(zero)) for name, level in (('low', 0), ('high', LEVELS)))
        self.add('Mul', [self.add('Clip', [levels, *bounds], f'{y}.level'), self.fraction(f'{y}.step', step)], y)

    def best(self, node, width):
        """TopK of (B, width), exactly but of few: of the groups that hold the best, then of what is in these groups.
        Places are counted in fractions and given in 32 bits."""
        [x, wanted], [scores, places] = node.input, node.output
        groups = -(-width // GROUP)
        few = min(int(self.tensors[wanted].item()), groups)
        within, flat = self.constant('within', np.array([2])), self.constant('flat', np.array([-1, few * GROUP]))
        table = self.add('Add', [self.fraction('group_first', np.arange(groups)[:, None] * GROUP),
                                 self.fraction('in_group', np.arange(GROUP)[None])], f'{places}.table')
        padded = x
        if groups * GROUP > width:
            pads = self.constant('pads', np.array([0, 0, 0, groups * GROUP - width]))
            padded = self.add('Pad', [x, pads, self.fraction('lowest', np.finfo(np.float32).min)], f'{x}.padded')
        grouped = self.constant('in_groups', np.array([-1, groups, GROUP]))
        grouped = self.add('Reshape', [padded, grouped], f'{x}.groups')
        most = self.add('ReduceMax', [grouped, within], f'{x}.most', keepdims=0)
        best = self.top(most, self.constant('few', np.array([few])), f'{x}.group_scores', f'{x}.group')
        at = self.add('Unsqueeze', [best, within], f'{x}.group_at')
        chosen = self.add('GatherND', [grouped, at], f'{x}.chosen_groups', batch_dims=1)
        chosen = self.add('Reshape', [chosen, flat], f'{x}.chosen')
        known = self.add('Gather', [table, best], f'{places}.chosen_groups')
        known = self.add('Reshape', [known, flat], f'{places}.chosen')
        found = self.top(chosen, wanted, scores, f'{places}.at')
        found = self.add('GatherElements', [known, found], f'{places}.fraction', axis=1)
        self.add('Cast', [found], places, to=TensorProto.INT32)

    def top(self, x, count, scores, places):
        self.nodes.append(helper.make_node('TopK', [x, count], [scores, places]))
        return places

    def look_up(self, node, places):
        """Ids by their places, all of 32 bits."""
        ids = self.add('Cast', [node.input[0]], f'{node.input[0]}.short', to=TensorProto.INT32)
        self.add('Gather', [ids, places], node.output[0])

    def matrix(self, node):
        [name], whole = node.output, f'{node.output[0]}.whole'
        self.add('Mul', [self.add('Cast', [node.input[0]], whole, to=TensorProto.FLOAT), node.input[1]], name)


def rewrite(model):
    """The model with no operator of the language model and its heads that WebGPU lacks."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.input, *graph.output)}
    new = Rewriting(model.graph)
    kinds |= {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    widths = {value.name: value.type.tensor_type.shape.dim[-1].dim_value for value in graph.value_info
              if value.type.tensor_type.shape.dim}
    shapes, fractions, back, few, short = set(), {}, {}, {}, set()
    inputs = {value.name for value in model.graph.input}

    def counted(name):
        """The fraction of a whole number; positions and ids are counted once."""
        if name in new.tensors:
            return new.fraction(name, new.tensors[name])
        if name not in fractions:
            fractions[name] = new.add('Cast', [name], f'{name}.fraction', to=TensorProto.FLOAT)
        return fractions[name]

    def whole(name, kind):
        if name in fractions and name not in inputs:
            return new.add('Cast', [fractions[name]], f'{name}.{kind}', to=kind)
        return name

    for node in model.graph.node:
        [output] = [*node.output][:1]
        if node.op_type == 'Shape' or (shapes & set(node.input) and kinds.get(output) == TensorProto.INT64):
            shapes.update(node.output)
        if node.op_type == 'LogSoftmax':
            new.log_softmax(node)
        elif node.op_type == 'QuantizeLinear':
            back[output] = node
        elif node.op_type == 'DequantizeLinear' and node.input[0] in back:
            new.rounding(back[node.input[0]], node)
        elif node.op_type == 'DequantizeLinear':
            new.matrix(node)
        elif node.op_type == 'TopK' and widths.get(node.input[0], 0) > GROUP ** 2 // 4:
            new.best(node, widths[node.input[0]])
            few[node.output[1]] = node.output[1]
        elif node.op_type == 'Unsqueeze' and node.input[0] in few:
            few[output] = few[node.input[0]]
        elif node.op_type == 'GatherND' and node.input[1] in few:
            new.look_up(node, few[node.input[1]])
            short.add(output)
        elif (node.op_type in COUNTED and 'token_ids' in inputs and output not in shapes
              and kinds.get(node.input[0]) == TensorProto.INT64):
            count(new, node, counted, fractions, kinds)
        elif node.op_type == 'Equal' and kinds.get(node.input[0]) == TensorProto.BOOL and node.input[1] in new.tensors:
            new.add('Identity' if new.tensors[node.input[1]] else 'Not', [node.input[0]], output)
        else:
            kept = onnx.NodeProto.FromString(node.SerializeToString())
            for i, name in enumerate(node.input):
                if node.op_type == 'Cast':
                    kept.input[i] = fractions.get(name, name)
                elif name in fractions:
                    kept.input[i] = whole(name, TensorProto.INT32 if node.op_type == 'Gather' else TensorProto.INT64)
            new.nodes.append(kept)
    del model.graph.node[:]
    model.graph.node.extend(unique(new.nodes))
    for value in model.graph.output:
        if value.name in short:
            value.type.tensor_type.elem_type = TensorProto.INT32
    del model.graph.value_info[:]
    drop_unused(model.graph)
    return model


def count(new, node, counted, fractions, kinds):
    """Arithmetic of whole numbers that are not negative, in fractions."""
    output = node.output[0]
    is_whole = kinds.get(output) == TensorProto.INT64
    result = f'{output}.fraction' if is_whole else output
    first, *others = node.input
    if node.op_type == 'Unsqueeze':
        new.add('Unsqueeze', [counted(first), *others], result)
    elif node.op_type in ('Mod', 'Div'):
        x, by = counted(first), counted(others[0])
        middle = new.add('Add', [x, new.fraction('half', .5)], f'{output}.middle')
        quotient = new.add('Div', [middle, by], f'{output}.quotient')
        times = new.add('Floor', [quotient], result if node.op_type == 'Div' else f'{output}.times')
        if node.op_type == 'Mod':
            new.add('Sub', [x, new.add('Mul', [times, by], f'{output}.whole')], result)
    else:
        new.add(node.op_type, [name and counted(name) for name in node.input], result)
    if is_whole:
        fractions[output] = result


def unique(nodes):
    """Each once: the same cast is asked for by all who take it."""
    return list({node.output[0]: node for node in nodes}.values())


def share(model, path):
    """Lets large tensors lie in the file of the other graph; those that lie apart stay where they are."""
    content = path.read_bytes()
    for tensor in model.graph.initializer:
        start = content.find(tensor.raw_data) if len(tensor.raw_data) >= APART_FROM else -1
        if start < 0:
            continue
        length = len(tensor.raw_data)
        tensor.ClearField('raw_data')
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (('location', path.name), ('offset', start), ('length', length)):
            tensor.external_data.add(key=key, value=str(value))


def add_device_graph(path, folder):
    """Writes the graph for devices that goes with one for processors into `folder`, and gives its path."""
    model = rewrite(onnx.load(str(path), load_external_data=False))
    share(model, path)
    made = folder / f'{path.stem}.device.onnx'
    made.write_bytes(model.SerializeToString())
    return made


def described(name, path, folder=None):
    """What a manifest says of a graph, after one for devices was written beside it, or into `folder`. One without, that
    multiplies in whole numbers, is for processors alone: a device would hand nearly all of it back, node by node."""
    if name in GRAPHS:
        return {**digest(path), 'device': digest(add_device_graph(path, folder or path.parent))}
    nodes = onnx.load(str(path), load_external_data=False).graph.node
    return {**digest(path), **({'device': 'cpu'} if WHOLE & {node.op_type for node in nodes} else {})}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path)
    folder = parser.parse_args(arguments).folder
    path = folder / 'manifest.json'
    if not path.is_file():
        parser.error(f'{folder}: no package, manifest.json is missing')
    manifest = json.loads(path.read_text())
    with renewed(folder) as new:
        for name, graph in manifest['graphs'].items():
            graph |= described(name, folder / graph['file'], new)
        (new / path.name).write_text(json.dumps(manifest, indent=2) + '\n')


if __name__ == '__main__':
    main()
