"""Makes of tf2onnx's output the graph that is served: fuse_onnx.py IN OUT

- constants folded and dead nodes removed (onnxslim);
- the small operations of a layer normalisation become one LayerNormalization, those of a GELU one Gelu: runtimes have
  one kernel for each instead of nine passes over memory;
- the batch, a constant in the traced graph, becomes free: every Reshape that spelled it out infers it;
- the input and output have the names that Hugging Face's readers expect;
- where the network's end allows it, there is a second output (class_maps.py).

Prints one JSON object: {"operators": {operator: count}, "opset": n, "classMaps": bool}. The operators are those on the
way to the logits. Fails when a pattern was not recognised.
"""

import argparse
import collections
import json

import numpy
import onnx
import onnxslim
from class_maps import add_class_maps
from onnxscript import ir
from onnxscript.rewriter import pattern, rewrite

INPUT = "pixel_values"
OUTPUT = "logits"
BATCH = "batch"
# The standard Gelu came with opset 20 (ONNX 1.15, IR 9); nothing else in the graph changed meaning since 18. onnxruntime
# runs it as fast as its own com.microsoft Gelu (ConvNeXt-Base, 576 px: CPU time equal within 1 %).
OPSET = 20
IR_VERSION = 9


def constant(value):
    return None if value is None or value.const_value is None else value.const_value.numpy()


def scalar(value):
    array = constant(value)
    return float(array.item()) if array is not None and array.size == 1 else None


def is_near(value, expected):
    actual = scalar(value)
    return actual is not None and abs(actual - expected) <= 1e-6 * max(1.0, abs(expected))


def is_vector(value):
    array = constant(value)
    return array is not None and array.ndim == 1


def is_last_axis(axes, x):
    array = constant(axes)
    if array is None or array.size != 1:
        return False
    axis = int(array.item())
    return axis == -1 or (x.shape is not None and axis == len(x.shape) - 1)


class LayerNormalization(pattern.RewriteRuleClassBase):
    """(x - mean) / sqrt(mean((x - mean)^2) + epsilon) * gamma + beta over the last axis, in the forms that optimisers
    leave: gamma times the normalised value, or times the inverse of the deviation; without a gamma that is next to 1 or
    a beta that is 0, as in weights that have hardly been trained."""

    def __init__(self, scaled, shifted):
        super().__init__()
        self.scaled = scaled
        self.shifted = shifted

    def pattern(self, op, x, axes, variance_axes, epsilon, gamma, beta):
        centred = op.Sub(x, op.ReduceMean(x, axes, _allow_other_attributes=True))
        variance = op.ReduceMean(op.Mul(centred, centred), variance_axes, _allow_other_attributes=True)
        inverse = op.Reciprocal(op.Sqrt(op.Add(variance, epsilon)))
        scaled = {
            "inverse": lambda: op.Mul(centred, op.Mul(inverse, gamma)),
            "value": lambda: op.Mul(op.Mul(centred, inverse), gamma),
            "no": lambda: op.Mul(centred, inverse),
        }[self.scaled]()
        return op.Add(scaled, beta) if self.shifted else scaled

    def check(self, context, x, axes, variance_axes, epsilon, gamma=None, beta=None, **_):
        result = pattern.MatchResult()
        if not (is_last_axis(axes, x) and is_last_axis(variance_axes, x)):
            return result.fail("not over the last axis")
        parameters = [gamma] * (self.scaled != "no") + [beta] * self.shifted
        if scalar(epsilon) is None or not all(map(is_vector, parameters)):
            return result.fail("epsilon, gamma or beta is not a constant")
        return result

    def rewrite(self, op, x, epsilon, gamma=None, beta=None, **_):
        if self.scaled == "no":
            gamma = op.Constant(value=ir.tensor(numpy.ones(x.shape[-1], numpy.float32)))
        parameters = [gamma] + [beta] * self.shifted
        return op.LayerNormalization(x, *parameters, axis=-1, epsilon=scalar(epsilon))


class Gelu(pattern.RewriteRuleClassBase):
    """x * ((erf(x / sqrt 2) + 1) / 2)"""

    def pattern(self, op, x, root, one, half):
        return op.Mul(x, op.Mul(op.Add(op.Erf(op.Mul(x, root)), one), half))

    def check(self, context, root, one, half, **_):
        result = pattern.MatchResult()
        if not (is_near(root, 0.5**0.5) and is_near(one, 1.0) and is_near(half, 0.5)):
            return result.fail("other constants than a GELU's")
        return result

    def rewrite(self, op, x, **_):
        return op.Gelu(x)


def free_the_batch(model):
    """Lets Reshape infer its first dimension, which holds the number of traced images, and renames the borders."""
    graph = model.graph
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type != "Reshape":
            continue
        shape = onnx.numpy_helper.to_array(initializers[node.input[1]]).copy()
        if -1 in shape[1:]:
            continue
        shape[0] = -1
        name = "shape_" + "_".join(map(str, ["any", *shape[1:]]))
        if name not in initializers:
            initializers[name] = onnx.numpy_helper.from_array(shape, name)
            graph.initializer.append(initializers[name])
        node.input[1] = name
    # Shapes inside the graph were inferred for the traced batch.
    del graph.value_info[:]
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    for value, name in ((graph.input[0], INPUT), (graph.output[0], OUTPUT)):
        for node in graph.node:
            node.input[:] = [name if old == value.name else old for old in node.input]
            node.output[:] = [name if old == value.name else old for old in node.output]
        value.name = name
        value.type.tensor_type.shape.dim[0].dim_param = BATCH


def count(model):
    return collections.Counter(node.op_type for node in model.graph.node)


def require_fused(before, after):
    """A GELU has one Erf and a layer normalisation one Sqrt: each must have become one node, and none may be left."""
    wanted = {"Gelu": before["Erf"], "LayerNormalization": before["Sqrt"]}
    found = {name: after[name] for name in wanted}
    left = {name: after[name] for name in ("Erf", "Sqrt", "Reciprocal", "Sub", "Pow") if after[name]}
    if found != wanted or left:
        raise SystemExit(f"the graph did not fuse: {found} instead of {wanted}, and left are {left}")


def fuse(source, target):
    model = onnx.load(source)
    if len(model.graph.input) != 1 or len(model.graph.output) != 1:
        raise SystemExit("the graph must have one input and one output")
    before = count(model)
    model = ir.serde.deserialize_model(onnxslim.slim(model))
    # One pass after the other, whole forms first: a part of one is a form as well.
    for forms in (("inverse", True), ("value", True), ("no", True)), (("inverse", False), ("value", False)), (("no", False),):
        rules = [*(LayerNormalization.rule(*form) for form in forms), Gelu.rule()]
        model = rewrite(model, pattern_rewrite_rules=pattern.RewriteRuleSet(rules, commute=True))
    model = ir.serde.serialize_model(model)
    require_fused(before, count(model))
    free_the_batch(model)
    model.ir_version = IR_VERSION
    model.producer_name = "flowers"
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    operators = count(model)
    class_maps = add_class_maps(model)
    onnx.checker.check_model(model)
    onnx.shape_inference.infer_shapes(model, strict_mode=True)
    onnx.save(model, target)
    print(json.dumps({"operators": operators, "opset": OPSET, "classMaps": class_maps}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("target")
    arguments = parser.parse_args()
    fuse(arguments.source, arguments.target)
