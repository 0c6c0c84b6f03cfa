"""Networks as a list of fully connected layers: a line each, with a name, inputs and outputs, such as `fc1 784 100`."""

from pathlib import Path

from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text
from workloads.importers import NO_OPTIONS, Imported, Importer, InputOptions
from workloads.layers import Linear


def read(path: Path, options: InputOptions = NO_OPTIONS) -> Imported:
    """Return the network of a list, each layer behind the one before."""
    layers: list[Linear] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = line.split()
        if len(words) != 3 or not (words[1] + words[2]).isdecimal() or 0 in map(int, words[1:]):
            raise InputError(str(path), f"line {number}", f"is {line[:40]!r}", "write a name, inputs and outputs")
        before = layers[-1].id if layers else "input"
        layers.append(Linear(id=words[0], kind="linear", inputs=(before,), C=int(words[1]), K=int(words[2])))
    if not layers:
        raise InputError(str(path), "", "has no layer", "write a line for each")
    return Imported({"input": (layers[0].C,)}, tuple(layers), ("made of a list of layers",))


IMPORTER = Importer("layerlist", (".layers",), "lists of fully connected layers", read)
