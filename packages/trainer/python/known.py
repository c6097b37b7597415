"""Gives a network the outputs `known` and `probabilities`: known.py features IN OUT, known.py write IN OUT FITTED

`features` adds the output `known/features` [batch, d], the input of the last linear layer, and prints {"features": d}; d is
null, and OUT is not written, where a network does not end in a linear layer.

`write` adds `probabilities` [batch, classes], the softmax of logits / temperature, and, where a rejector was fitted, `known`
[batch] in (0, 1): how surely a picture shows one of the classes. FITTED is a safetensors file with the metadata `form` and
these tensors:

- all: `temperature` [1];
- `trained` and `nearest`: `shift` [1], `logit_weight` [1];
- `trained`: `weights` [d]. known = sigmoid(roots . weights + logit_weight x log-odds of the best class + shift), where the
  roots are the square roots of the sizes of the features with their signs;
- `nearest`: `directions` [d, c], `prototypes` [classes, k, c], `cosine_weight` [1], `neighbour` [1]. The features along
  the directions, divided by the length of all of the features, are held against the prototypes of the best class; the
  cosine to the one that is `neighbour`th nearest stands in place of roots . weights (deep nearest neighbours, Sun et
  al. 2022, arXiv:2204.06507).

What an earlier fit added is removed first. All that is added has names that begin with `known/`, but for the outputs, so that
who quantises the network can leave it in float: it is a difference of values that 8 bits do not tell apart.
"""

import argparse
import json
import struct

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

PREFIX = "known/"
LOGITS = "logits"
OUTPUTS = ("known", "probabilities", f"{PREFIX}features")
# Where a prototype cannot be: below every cosine.
NO_COSINE = -2.0
SMALLEST_LENGTH = 1e-12


def without_known(model):
    """Removes in place what an earlier run of this program added."""
    graph = model.graph
    for field in (graph.node, graph.initializer, graph.output, graph.value_info):
        kept = [each for each in field if not each.name.startswith(PREFIX) and each.name not in OUTPUTS]
        del field[:]
        field.extend(kept)


def last_layer(graph):
    """(name of the features, their number) of the linear layer that makes the logits, or None."""
    producers = {name: node for node in graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    node = producers.get(LOGITS)
    # A bias of its own; a logit adjustment.
    while node is not None and node.op_type in ("Add", "Sub", "Identity"):
        node = next((producers[name] for name in node.input if name in producers), None)
    if node is None or node.op_type not in ("Gemm", "MatMul") or node.input[1] not in constants:
        return None
    named = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    shape = constants[node.input[1]].dims
    if len(shape) != 2 or named.get("transA", 0):
        return None
    return node.input[0], shape[1 if named.get("transB", 0) else 0]


class Addition:
    """Nodes that are added to the end of a graph, with names of their own."""

    def __init__(self, model):
        self.graph = model.graph
        logits = next(output for output in self.graph.output if output.name == LOGITS)
        self.batch, self.classes = logits.type.tensor_type.shape.dim

    def constant(self, name, values, kind=numpy.float32):
        tensor = numpy_helper.from_array(numpy.ascontiguousarray(values, kind), PREFIX + name)
        self.graph.initializer.append(tensor)
        return tensor.name

    def node(self, operator, inputs, name, output=None, **attributes):
        target = output or PREFIX + name
        self.graph.node.append(helper.make_node(operator, inputs, [target], name=PREFIX + name, **attributes))
        return target

    def nodes(self, operator, inputs, names, **attributes):
        targets = [PREFIX + name for name in names]
        self.graph.node.append(helper.make_node(operator, inputs, targets, name=targets[0], **attributes))
        return targets

    def output(self, name, dimensions):
        value = helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * len(dimensions))
        for place, dimension in enumerate(dimensions):
            if isinstance(dimension, int):
                value.type.tensor_type.shape.dim[place].dim_value = dimension
            else:
                value.type.tensor_type.shape.dim[place].CopyFrom(dimension)
        self.graph.output.append(value)


def add_features(model):
    """Adds the output in place; the number of features, or None where there are none."""
    found = last_layer(model.graph)
    if found is None:
        return None
    name, width = found
    addition = Addition(model)
    addition.node("Identity", [name], "features")
    addition.output(f"{PREFIX}features", [addition.batch, width])
    return width


def linear(addition, features, fitted):
    sizes = addition.node("Abs", [features], "sizes")
    roots = addition.node("Sqrt", [sizes], "roots")
    signs = addition.node("Sign", [features], "signs")
    signed = addition.node("Mul", [roots, signs], "signed_roots")
    weights = addition.constant("weights", fitted["weights"][:, None])
    return addition.node("MatMul", [signed, weights], "evidence")


def nearest(addition, features, fitted):
    prototypes = fitted["prototypes"]
    classes, per_class, width = prototypes.shape
    directions = addition.constant("directions", fitted["directions"])
    along = addition.node("MatMul", [features, directions], "along")
    last = addition.constant("last_axis", [-1], numpy.int64)
    length = addition.node("ReduceL2", [features, last], "length", keepdims=1)
    positive = addition.node("Max", [length, addition.constant("smallest_length", SMALLEST_LENGTH)], "positive_length")
    unit = addition.node("Div", [along, positive], "unit")
    flat = addition.constant("prototypes", prototypes.reshape(classes * per_class, width).T)
    cosines = addition.node("MatMul", [unit, flat], "cosines")
    shape = addition.constant("by_class_shape", [-1, classes, per_class], numpy.int64)
    by_class = addition.node("Reshape", [cosines, shape], "by_class")
    count = addition.constant("neighbour", [int(fitted["neighbour"].item())], numpy.int64)
    best, _ = addition.nodes("TopK", [by_class, count], ["nearest", "nearest_places"], axis=-1, largest=1, sorted=1)
    furthest = addition.node("ReduceMin", [best, last], "nth_nearest", keepdims=0)
    largest = addition.node("ReduceMax", [LOGITS, last], "largest_logit", keepdims=1)
    is_best = addition.node("Equal", [LOGITS, largest], "is_best")
    of_best = addition.node("Where", [is_best, furthest, addition.constant("no_cosine", NO_COSINE)], "of_best")
    cosine = addition.node("ReduceMax", [of_best, last], "cosine", keepdims=1)
    return addition.node("Mul", [cosine, addition.constant("cosine_weight", fitted["cosine_weight"])], "evidence")


# What the features say of a picture, [batch, 1], by form of the rejector.
EVIDENCE = {"trained": linear, "nearest": nearest}


def add_probabilities(addition, temperature):
    """Returns the name of logits / temperature."""
    scaled = addition.node("Div", [LOGITS, addition.constant("temperature", temperature)], "scaled")
    addition.node("Softmax", [scaled], "softmax", output="probabilities", axis=-1)
    addition.output("probabilities", [addition.batch, addition.classes])
    return scaled


def add_log_odds(addition, scaled):
    """[batch, 1]: the logarithm of p / (1 - p) of the best class, which a p next to 1 would round away."""
    classes = addition.classes.dim_value
    every = addition.constant("classes", [classes], numpy.int64)
    sorted_logits, _ = addition.nodes("TopK", [scaled, every], ["sorted", "order"], axis=-1, largest=1, sorted=1)
    parts = addition.constant("parts", [1, classes - 1], numpy.int64)
    best, rest = addition.nodes("Split", [sorted_logits, parts], ["best", "rest"], axis=-1)
    last = addition.constant("classes_axis", [-1], numpy.int64)
    others = addition.node("ReduceLogSumExp", [rest, last], "others", keepdims=1)
    return addition.node("Sub", [best, others], "log_odds")


def add_known(addition, scaled, form, fitted):
    found = last_layer(addition.graph)
    if found is None:
        raise SystemExit("the network does not end in a linear layer")
    evidence = EVIDENCE[form](addition, found[0], fitted)
    log_odds = add_log_odds(addition, scaled)
    weighted = addition.node("Mul", [log_odds, addition.constant("logit_weight", fitted["logit_weight"])], "weighted")
    both = addition.node("Add", [evidence, weighted], "both")
    score = addition.node("Add", [both, addition.constant("shift", fitted["shift"])], "score")
    share = addition.node("Sigmoid", [score], "share")
    axis = addition.constant("column", [1], numpy.int64)
    addition.node("Squeeze", [share, axis], "squeeze", output="known")
    addition.output("known", [addition.batch])


def read_safetensors(path):
    """(metadata, tensors) of a file with float32 tensors alone."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise SystemExit(f"{name} is {entry['dtype']}, not F32")
        begin, end = entry["data_offsets"]
        tensors[name] = numpy.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return metadata, tensors


def check(model):
    onnx.checker.check_model(model)
    onnx.shape_inference.infer_shapes(model, strict_mode=True)


def features(arguments):
    model = onnx.load(arguments.source)
    without_known(model)
    width = add_features(model)
    if width is not None:
        check(model)
        onnx.save(model, arguments.target)
    print(json.dumps({"features": width}))


def write(arguments):
    model = onnx.load(arguments.source)
    without_known(model)
    metadata, fitted = read_safetensors(arguments.fitted)
    addition = Addition(model)
    scaled = add_probabilities(addition, fitted["temperature"])
    form = metadata.get("form")
    if form is not None:
        add_known(addition, scaled, form, fitted)
    check(model)
    onnx.save(model, arguments.target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for command, borders in ((features, ("source", "target")), (write, ("source", "target", "fitted"))):
        subparser = commands.add_parser(command.__name__)
        for border in borders:
            subparser.add_argument(border)
        subparser.set_defaults(run=command)
    chosen = parser.parse_args()
    chosen.run(chosen)
