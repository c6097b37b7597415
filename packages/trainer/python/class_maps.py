"""Adds the output class_maps to a network that ends in global pooling and a linear head: class_maps.py IN OUT

class_maps, [batch, classes, height, width], tells how much each place of the last feature map speaks for each class:
class activation mapping (Zhou et al. 2016, arXiv:1512.04150). Pooling and a linear layer commute, so the mean of a map
over its places is the logit of its class, less what no place has a share in. Two things may come between that are linear
once the image is given: a layer normalisation, with weights gamma / deviation less their mean over the channels, and a
hidden layer, whose GELU lets x pass with the factor of x's own probability (its gate, held fixed as by Ali et al. 2022,
arXiv:2202.07304).

The maps are made of nodes that the network has anyway and a product with the last weights, of which only a layer
normalisation and a hidden layer need a copy of their own: for one who fetches the logits alone they cost next to nothing,
where a second file would hold the whole network again.
"""

import argparse

import numpy
import onnx
from onnx import helper, numpy_helper

OUTPUT = "class_maps"
LOGITS = "logits"
PASSED = ("Flatten", "Reshape", "Squeeze", "Identity")


class Graph:
    """A graph to walk from its end."""

    def __init__(self, model):
        self.graph = model.graph
        self.producers = {name: node for node in model.graph.node for name in node.output}
        self.constants = {tensor.name: tensor for tensor in model.graph.initializer}

    def producer(self, name):
        """The node that makes a value, not one that only gives it another shape."""
        node = self.producers.get(name)
        while node is not None and node.op_type in PASSED:
            node = self.producers.get(node.input[0])
        return node

    def constant(self, name):
        tensor = self.constants.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)


def attribute(node, name, fallback):
    return next((helper.get_attribute_value(each) for each in node.attribute if each.name == name), fallback)


def linear_weights(graph, node):
    """[channels, classes] of a linear layer with constant weights, with or without a bias, or None."""
    plain = node is not None and node.op_type in ("Gemm", "MatMul") and not attribute(node, "transA", 0)
    weights = graph.constant(node.input[1]) if plain else None
    if weights is None:
        return None
    return attribute(node, "alpha", 1.0) * (weights.T if attribute(node, "transB", 0) else weights)


def same_weights(model, last):
    """Nodes that turn the last weights into a 1 x 1 convolution's; a runtime does so once, when it loads the file."""
    name, nodes = last.input[1], []
    if not attribute(last, "transB", 0):
        nodes.append(helper.make_node("Transpose", [name], [f"{OUTPUT}_transposed"], perm=[1, 0]))
        name = f"{OUTPUT}_transposed"
    shape = f"{OUTPUT}_kernel_shape"
    # 0 keeps a dimension.
    model.graph.initializer.append(numpy_helper.from_array(numpy.array([0, 0, 1, 1]), shape))
    return [*nodes, helper.make_node("Reshape", [name, shape], [f"{OUTPUT}_weights"])]


def pooled_map(graph, node):
    """(name, layout) of the feature map that a node averages over all its places, or None."""
    if node is None:
        return None
    if node.op_type == "GlobalAveragePool":
        return node.input[0], "NCHW"
    axes = graph.constant(node.input[1]) if node.op_type == "ReduceMean" and len(node.input) > 1 else None
    layout = None if axes is None else {(1, 2): "NHWC", (2, 3): "NCHW"}.get(tuple(sorted(axes.tolist())))
    if layout != "NHWC":
        return layout and (node.input[0], layout)
    before = graph.producers.get(node.input[0])
    turned = before is not None and before.op_type == "Transpose" and list(attribute(before, "perm", [])) == [0, 2, 3, 1]
    return (before.input[0], "NCHW") if turned else (node.input[0], "NHWC")


class Ending:
    """What comes after the last feature map, from its end: linear, maybe GELU and linear, maybe layer normalisation, pooling."""

    def __init__(self, graph):
        self.last = graph.producer(LOGITS)
        self.weights = linear_weights(graph, self.last)
        before = None if self.weights is None else graph.producer(self.last.input[0])
        self.gelu = before if before is not None and before.op_type == "Gelu" else None
        self.hidden_weights = None
        if self.gelu is not None:
            hidden = graph.producer(self.gelu.input[0])
            self.hidden_weights = linear_weights(graph, hidden)
            before = None if self.hidden_weights is None else graph.producer(hidden.input[0])
        self.normalization = before if before is not None and before.op_type == "LayerNormalization" else None
        self.gamma = None
        if self.normalization is not None:
            self.gamma = graph.constant(self.normalization.input[1])
            before = None if self.gamma is None else graph.producer(self.normalization.input[0])
        self.features = pooled_map(graph, before)

    def from_channels(self, weights):
        """[channels, any] of the layer after pooling, with the part of a normalisation that is the same for every image."""
        if self.gamma is None:
            return weights
        scaled = self.gamma[:, None] * weights
        return scaled - scaled.mean(axis=0)


def constant_node(model, name, values):
    model.graph.initializer.append(numpy_helper.from_array(numpy.ascontiguousarray(values), f"{OUTPUT}_{name}"))
    return f"{OUTPUT}_{name}"


def convolution(model, ending, features, target):
    """The maps as a 1 x 1 convolution of the features with the last weights."""
    nodes = []
    if ending.normalization is None and attribute(ending.last, "alpha", 1.0) == 1.0:
        nodes.extend(same_weights(model, ending.last))
    else:
        kernel = ending.from_channels(ending.weights).T[:, :, None, None]
        constant_node(model, "weights", kernel.astype(numpy.float32))
    return [*nodes, helper.make_node("Conv", [features, f"{OUTPUT}_weights"], [target], name=OUTPUT)]


def gated_product(model, ending, features, target):
    """The maps as a product of the features with weights that the gates of the hidden layer make for each image."""
    name = {each: f"{OUTPUT}_{each}" for each in ("scaled", "erf", "raised", "gate", "gates", "gated", "both", "flat", "rows")}
    number = {
        each: constant_node(model, each, numpy.float32(value)) for each, value in (("root", 0.5**0.5), ("one", 1), ("half", 0.5))
    }
    last = constant_node(model, "last", ending.weights.T[None].astype(numpy.float32))
    hidden = constant_node(model, "hidden", ending.from_channels(ending.hidden_weights).T.astype(numpy.float32))
    middle = constant_node(model, "middle", numpy.array([1]))
    flat = constant_node(model, "flat_shape", numpy.array([0, 0, -1]))
    node = helper.make_node
    return [
        node("Mul", [ending.gelu.input[0], number["root"]], [name["scaled"]]),
        node("Erf", [name["scaled"]], [name["erf"]]),
        node("Add", [name["erf"], number["one"]], [name["raised"]]),
        node("Mul", [name["raised"], number["half"]], [name["gate"]]),
        node("Unsqueeze", [name["gate"], middle], [name["gates"]]),
        # [batch, classes, hidden], then [batch, classes, channels].
        node("Mul", [name["gates"], last], [name["gated"]]),
        node("MatMul", [name["gated"], hidden], [name["both"]]),
        node("Reshape", [features, flat], [name["flat"]]),
        node("MatMul", [name["both"], name["flat"]], [name["rows"]]),
        # A shape may not be known before it runs: it is that of the features, but for the channels.
        node("Shape", [features], [f"{OUTPUT}_places"], start=2),
        node("Concat", [constant_node(model, "kept", numpy.array([0, 0])), f"{OUTPUT}_places"], [f"{OUTPUT}_map_shape"], axis=0),
        node("Reshape", [name["rows"], f"{OUTPUT}_map_shape"], [target], name=OUTPUT),
    ]


def add_class_maps(model):
    """Adds the output in place; False, and nothing is changed, where the network ends in another way."""
    ending = Ending(Graph(model))
    if ending.features is None:
        return False
    features, layout = ending.features
    nodes = []
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [features], [f"{OUTPUT}_features"], perm=[0, 3, 1, 2]))
        features = f"{OUTPUT}_features"
    sums = OUTPUT if ending.normalization is None else f"{OUTPUT}_sums"
    product = convolution if ending.gelu is None else gated_product
    nodes.extend(product(model, ending, features, sums))
    if ending.normalization is not None:
        inverse = f"{OUTPUT}_inverse_deviation"
        # Its other outputs are the mean and the inverse of the deviation.
        ending.normalization.output.extend(["", inverse][len(ending.normalization.output) - 1 :])
        shape = constant_node(model, "shape", numpy.array([-1, 1, 1, 1]))
        nodes.append(helper.make_node("Reshape", [inverse, shape], [f"{inverse}_4d"]))
        nodes.append(helper.make_node("Mul", [sums, f"{inverse}_4d"], [OUTPUT]))
    model.graph.node.extend(nodes)
    model.graph.output.append(helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, None))
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    model.graph.output[-1].CopyFrom(inferred.graph.output[-1])
    batch = model.graph.output[0].type.tensor_type.shape.dim[0]
    model.graph.output[-1].type.tensor_type.shape.dim[0].CopyFrom(batch)
    return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("target")
    arguments = parser.parse_args()
    network = onnx.load(arguments.source)
    if not add_class_maps(network):
        raise SystemExit("the network does not end in global pooling and a linear head")
    onnx.checker.check_model(network, full_check=True)
    onnx.save(network, arguments.target)
