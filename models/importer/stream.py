"""Exports a graph whose weights stay on disk, and writes them one at a time into data files beside it.

fp16 weights stand beside a Cast to fp32: the graph computes in single precision whatever it holds.
"""
import hashlib
import logging
import warnings
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass

import onnx
import onnx_ir as ir
import onnxscript
import torch
from onnx import TensorProto, helper

from packager.graphs import input_names
from packager.write import HALF_FROM, digest, forget_origin

from .quantise import BLOCK, quantise

LARGEST_FILE = 2_000_000_000
ACCURACY_LEVEL = 4  # the kernel may round each row's activations to 8 bits, block by block: far faster on a CPU
LANGUAGE = ('language_model', 'text_head', 'visual_head')
EXACT = ('token_predictor.', 'encode_task_layer.', 'quantize.', 'codebook.')  # rounding these would change codes
logging.getLogger('torch.onnx').setLevel(logging.ERROR)  # it misses torchvision, which nothing here needs
DTYPES = {torch.float32: TensorProto.FLOAT, torch.float16: TensorProto.FLOAT16, torch.uint8: TensorProto.UINT8}


@dataclass(frozen=True)
class Precision:
    half: bool
    bits: int = 0   # of the language model's linear layers, its head excepted; 0: as all the others


PRECISIONS = {'fp32': Precision(half=False), 'fp16': Precision(half=True),
              'int8': Precision(half=True, bits=8), 'int4': Precision(half=True, bits=4)}


def is_streamed(tensor): return tensor.ndim > 1 and tensor.numel() >= HALF_FROM


def bits_of(graph, name, precision):
    """Linear layers of the language model are quantised, its head to 8 bits at least: rounding there goes straight
    into the logits. The embedding table and all visual parts stay in half precision."""
    if not precision.bits or graph not in LANGUAGE or 'embed_tokens' in name:
        return 0
    return 8 if 'lm_head' in name else precision.bits


def bytes_needed(graph, name, parameter, precision):
    """What a parameter takes on disk."""
    if not is_streamed(parameter):
        return 4 * parameter.numel()
    if bits := bits_of(graph, name, precision):
        rows, blocks = parameter.shape[0], -(-parameter.shape[1] // BLOCK)
        return rows * (blocks * (BLOCK * bits // 8 + 4) + -(-blocks * bits // 8))
    return parameter.numel() * (2 if precision.half else 4)


class DataFiles:
    """The data files of one graph, each with its digest."""

    def __init__(self, folder, graph, largest=LARGEST_FILE):
        self.folder, self.graph, self.largest = folder, graph, largest
        self.entries, self.file = [], None

    def add(self, name, tensor):
        """Writes a tensor and returns the initializer that points at it."""
        values = tensor.contiguous().numpy()
        align = 4096 if values.nbytes >= 1 << 20 else 64   # large ones are mapped into memory
        start = 0 if self.file is None else -(-self.file.tell() // align) * align
        if self.file is None or start + values.nbytes > self.largest:
            self.close()
            self.path, start = self.folder / f'{self.graph}.{len(self.entries)}.data', 0
            self.file, self.hash = open(self.path, 'wb'), hashlib.sha256()
        for part in (bytes(start - self.file.tell()), memoryview(values).cast('B')):
            self.file.write(part)
            self.hash.update(part)
        location = {'location': self.path.name, 'offset': start, 'length': values.nbytes}
        return TensorProto(name=name, data_type=DTYPES[tensor.dtype], dims=tensor.shape,
                           data_location=TensorProto.EXTERNAL,
                           external_data=[onnx.StringStringEntryProto(key=k, value=str(v))
                                          for k, v in location.items()])

    def close(self):
        """Ends the file that is being written; `entries` is complete then."""
        if self.file is not None:
            self.entries.append({'file': self.path.name, 'sha256': self.hash.hexdigest(), 'bytes': self.file.tell()})
            self.file.close()
            self.file = None


def write_graph(name, definition, stored, precision, folder, layers=0, wrote=lambda size: None):
    """Writes `name.onnx` and its data files; returns its entry in the manifest. `definition` as in
    `graphs.definitions`, `stored`: parameter -> Stored; `wrote` hears the size of each source tensor that is done."""
    module = definition[0]
    held = {key: stored[p] for key, p in module.named_parameters() if p in stored and is_streamed(p)}
    model = trace(definition, held, layers)
    graph, files = model.graph, DataFiles(folder, name)
    users = defaultdict(list)
    for node in graph.node:
        for value in set(node.input):
            users[value].append(node)
    with closing(files):
        for initializer in [i for i in graph.initializer if i.name in held]:
            source = held[initializer.name]
            graph.initializer.remove(initializer)
            place(graph, users, initializer.name, source.read(), files, precision.half,
                  bits_of(name, initializer.name, precision))
            wrote(source.size * source.dtype.itemsize)
    if precision.bits:
        model.opset_import.append(helper.make_opsetid('com.microsoft', 1))
    path = folder / f'{name}.onnx'
    path.write_bytes(model.SerializeToString())
    return {**digest(path), 'data': files.entries}


def trace(definition, held, layers):
    """The graph with initializers that point nowhere in place of the held weights. Nothing that a weight goes through
    is computed beforehand, so that each keeps its name and shape."""
    module, example, outputs, dynamic = definition
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        program = torch.onnx.export(module.eval(), kwargs=example, dynamic_shapes=dynamic, dynamo=True, optimize=False,
                                    input_names=input_names(example, layers), output_names=list(outputs),
                                    opset_version=20, verbose=False)
    onnxscript.optimizer.optimize_ir(program.model, should_fold=lambda node: False if any(
        value is not None and value.name in held for value in node.inputs) else None)
    for key, value in program.model.graph.initializers.items():
        if key in held:
            value.const_value = ir.ExternalTensor('nowhere', 0, 0, ir.DataType.FLOAT, shape=value.shape, name=key)
    model = ir.to_proto(program.model)
    forget_origin(model)
    del model.graph.value_info[:]
    return model


def place(graph, users, name, tensor, files, half, bits):
    """Puts a weight back, in the way its users take it."""
    product, transpose = multiplied_by(users, name)
    if bits and product is not None:
        replace_by_quantised(product, name, tensor, files, graph, bits)
    elif transpose is not None:
        product.input[1] = name
        add(graph, users, name, tensor.t(), files, half)
    else:
        add(graph, users, name, tensor, files, half)
    if transpose is not None:
        graph.node.remove(transpose)


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


def add(graph, users, name, tensor, files, half):
    rounded = tensor.half()
    exact = not half or torch.equal(rounded.to(tensor.dtype), tensor)
    if not half or not rounded.isfinite().all() or not exact and any(part in name for part in EXACT):
        graph.initializer.append(files.add(name, tensor.float()))
        return
    graph.initializer.append(files.add(f'{name}.half', rounded))
    if users[name] and all(node.op_type == 'Gather' and node.input[0] == name for node in users[name]):
        for node in users[name]:   # only the rows that are looked up are widened
            wide, node.input[0], node.output[0] = node.output[0], f'{name}.half', f'{node.output[0]}.half'
            index = list(graph.node).index(node)
            graph.node.insert(index + 1, helper.make_node('Cast', [node.output[0]], [wide], to=TensorProto.FLOAT))
    else:
        graph.node.insert(0, helper.make_node('Cast', [f'{name}.half'], [name], to=TensorProto.FLOAT))


def replace_by_quantised(product, name, tensor, files, graph, bits):
    out, inputs = tensor.shape
    parts = zip(('quantised', 'scales', 'zeros'), quantise(tensor, bits))
    initializers = [files.add(f'{name}.{part}', values) for part, values in parts]
    graph.initializer.extend(initializers)
    product.CopyFrom(helper.make_node('MatMulNBits', [product.input[0], *(i.name for i in initializers)],
                                      list(product.output), domain='com.microsoft', K=inputs, N=out, bits=bits,
                                      block_size=BLOCK, accuracy_level=ACCURACY_LEVEL))
