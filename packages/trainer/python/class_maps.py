"""Adds the output class_maps to a network that ends in global pooling and one linear layer: class_maps.py IN OUT

class_maps, [batch, classes, height, width], tells how much each place of the last feature map speaks for each class:
class activation mapping (Zhou et al. 2016, arXiv:1512.04150). Pooling and a linear layer commute, so the mean of a map
over its places is the logit of its class, less a constant of the class. Between the two there may be a layer
normalisation: given the image it is linear as well, with weights gamma / deviation less their mean over the channels.

The maps are made of nodes that the network has anyway and a 1 x 1 convolution with the last weights, of which only a layer
normalisation needs a copy of its own: for one who fetches the logits alone they cost next to nothing, where a second file
would hold the whole network again.
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


def add_class_maps(model):
    """Adds the output in place; False, and nothing is changed, where the network ends in another way."""
    graph = Graph(model)
    last = graph.producer(LOGITS)
    weights = linear_weights(graph, last)
    if weights is None:
        return False
    pool = graph.producer(last.input[0])
    normalization = pool if pool is not None and pool.op_type == "LayerNormalization" else None
    if normalization is not None:
        gamma = graph.constant(normalization.input[1])
        if gamma is None:
            return False
        weights = gamma[:, None] * weights
        weights = weights - weights.mean(axis=0)
        pool = graph.producer(normalization.input[0])
    found = pooled_map(graph, pool)
    if found is None:
        return False
    features, layout = found
    nodes = []
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [features], [f"{OUTPUT}_features"], perm=[0, 3, 1, 2]))
        features = f"{OUTPUT}_features"
    if normalization is None and attribute(last, "alpha", 1.0) == 1.0:
        nodes.extend(same_weights(model, last))
    else:
        kernel = numpy.ascontiguousarray(weights.T[:, :, None, None], dtype=numpy.float32)
        model.graph.initializer.append(numpy_helper.from_array(kernel, f"{OUTPUT}_weights"))
    sums = OUTPUT if normalization is None else f"{OUTPUT}_sums"
    nodes.append(helper.make_node("Conv", [features, f"{OUTPUT}_weights"], [sums], name=OUTPUT))
    if normalization is not None:
        inverse, shape = f"{OUTPUT}_inverse_deviation", f"{OUTPUT}_shape"
        # Its other outputs are the mean and the inverse of the deviation.
        normalization.output.extend(["", inverse][len(normalization.output) - 1 :])
        model.graph.initializer.append(numpy_helper.from_array(numpy.array([-1, 1, 1, 1]), shape))
        nodes.append(helper.make_node("Reshape", [inverse, shape], [f"{inverse}_4d"]))
        nodes.append(helper.make_node("Mul", [sums, f"{inverse}_4d"], [OUTPUT]))
    model.graph.node.extend(nodes)
    model.graph.output.append(helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, None))
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
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
        raise SystemExit("the network does not end in global pooling and one linear layer")
    onnx.checker.check_model(network, full_check=True)
    onnx.save(network, arguments.target)
