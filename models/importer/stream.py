"""Exports a graph whose weights stay on disk, and writes them one at a time into data files beside it.

fp16 weights stand beside a Cast to fp32, which the runtime folds when it opens the graph: it computes in single
precision whatever it holds, and holds that in memory, too. For a GPU weights stay as they are stored instead: products
take them in half precision or in blocks, and all else, attention and norms among it, stays in single precision.
"""
import hashlib
import logging
import warnings
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, replace

import onnx
import onnx_ir as ir
import onnxscript
import torch
from onnx import TensorProto, helper

from packager.graphs import input_names
from packager.half_nodes import half_nodes
from packager.write import HALF_FROM, digest, forget_origin

from .products import is_looked_up, look_up_quantised, multiplied_by, multiply_in_half, replace_by_quantised
from .quantise import BLOCK

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
    stays: bool = False   # as stored, where a product takes it: for a GPU


PRECISIONS = {'fp32': Precision(half=False), 'fp16': Precision(half=True),
              'int8': Precision(half=True, bits=8), 'int4': Precision(half=True, bits=4)}


def precision_of(name, device):
    """`name` as in PRECISIONS, `device` cpu or webgpu."""
    return replace(PRECISIONS[name], stays=device == 'webgpu')


def is_streamed(tensor): return tensor.ndim > 1 and tensor.numel() >= HALF_FROM


def bits_of(graph, name, precision):
    """Linear layers of the language model are quantised, its head to 8 bits at least: rounding there goes straight
    into the logits. The embedding table and all visual parts stay in half precision; where nothing is to be widened
    they have 8 bits, but for what decides codes."""
    is_layer = graph in LANGUAGE and 'embed_tokens' not in name
    if not precision.bits or not is_layer and (not precision.stays or is_exact(graph, name)):
        return 0
    return precision.bits if is_layer and 'lm_head' not in name else 8


def is_exact(graph, name):
    """Names of a graph's weights begin within its module."""
    return any(part in f'{graph}.{name}' for part in EXACT)


def bytes_needed(graph, name, parameter, precision):
    """What a parameter takes on disk."""
    if not is_streamed(parameter):
        return 4 * parameter.numel()
    if parameter.ndim == 2 and (bits := bits_of(graph, name, precision)):
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
            place(graph, users, initializer.name, source.read(), files, precision,
                  bits_of(name, initializer.name, precision))
            wrote(source.size * source.dtype.itemsize)
    if precision.bits:
        model.opset_import.append(helper.make_opsetid('com.microsoft', 1))
    path = folder / f'{name}.onnx'
    path.write_bytes(model.SerializeToString())
    return {**digest(path), 'data': files.entries, **half_nodes(graph)}


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


def place(graph, users, name, tensor, files, precision, bits):
    """Puts a weight back, in the way its users take it."""
    product, transpose = multiplied_by(users, name)
    half = precision.half
    if bits and product is not None:
        replace_by_quantised(product, name, tensor, files, graph, bits, 0 if precision.stays else ACCURACY_LEVEL)
    elif bits and tensor.ndim == 2 and is_looked_up(users, name):
        look_up_quantised(users, name, tensor, files, graph, bits)
    elif half and precision.stays and product is not None and not is_exact(files.graph, name) and fits(tensor):
        multiply_in_half(product, name, tensor.half(), files, graph)
    elif transpose is not None:
        product.input[1] = name
        add(graph, users, name, tensor.t(), files, half)
    else:
        add(graph, users, name, tensor, files, half)
    if transpose is not None:
        graph.node.remove(transpose)


def fits(tensor): return bool(tensor.half().isfinite().all())


def add(graph, users, name, tensor, files, half):
    rounded = tensor.half()
    exact = not half or torch.equal(rounded.to(tensor.dtype), tensor)
    if not half or not fits(tensor) or not exact and is_exact(files.graph, name):
        graph.initializer.append(files.add(name, tensor.float()))
        return
    graph.initializer.append(files.add(f'{name}.half', rounded))
    if is_looked_up(users, name):
        for node in users[name]:   # only the rows that are looked up are widened
            wide, node.input[0], node.output[0] = node.output[0], f'{name}.half', f'{node.output[0]}.half'
            index = list(graph.node).index(node)
            graph.node.insert(index + 1, helper.make_node('Cast', [node.output[0]], [wide], f'{wide}.cast',
                                                          to=TensorProto.FLOAT))
    else:
        graph.node.insert(0, helper.make_node('Cast', [f'{name}.half'], [name], to=TensorProto.FLOAT))
