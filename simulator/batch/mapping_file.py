"""The file of a mapping: how passes of layers are cut into tiles and lie on the array, in place of the search."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dataflows.dataflow import Spatial, flat
from dataflows.plans.given import Given
from simulator.machine.spec import Accelerator
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.strict_yaml import read_yaml
from workloads.foundation.validation import SparseModel, StrictModel, VersionOne, validate
from workloads.trace import Trace

Size = Annotated[int, Field(ge=1, le=1 << 50)]
Loop = Literal[
    "groups", "images", "rows", "positions", "channels", "kernel_rows", "kernel_columns", "filters",
    "vectors", "reduction", "columns",
]  # fmt: skip


class TileSizes(SparseModel):
    """Sizes of a tile; the search chooses those that are left out."""

    groups: Size | None = None
    """Groups."""
    images: Size | None = None
    """Images of the ofmap."""
    rows: Size | None = None
    """Rows of the ofmap in an image."""
    positions: Size | None = None
    """Positions of the ofmap in a row; else all."""
    channels: Size | None = None
    """Channels of the ifmap, of a group."""
    kernel_rows: Size | None = None
    """Rows of the kernel; else all."""
    kernel_columns: Size | None = None
    """Columns of the kernel; else all."""
    filters: Size | None = None
    """Filters, of a group: the product's columns."""


class PassMapping(SparseModel):
    """How one product of a pass is mapped."""

    tile: TileSizes = TileSizes()
    """Sizes of a tile."""
    loop_order: Annotated[tuple[Loop, ...], Field(min_length=1)] | None = None
    """Loops over tiles from the outermost, or axes: `vectors`, `reduction` and `columns`."""
    reload_operands: bool = False
    """Whether both operands are loaded anew for every tile; else only one that is not that of the tile before."""
    spatial: dict[str, dict[str, Size] | Size | str] = {}
    """What lies on the array, as `adagp-sim explain` prints it, and `fold_vectors`."""

    def given(self, at_most: bool) -> Given:
        """Return what is given; `at_most` says whether sizes may be above a loop's extent."""
        sizes = tuple(self.tile.model_dump().items())
        return Given(sizes, self.loop_order, flat(self.spatial), self.reload_operands, at_most)


def _of_any_array(spatial: Spatial) -> Spatial:
    return tuple((key, value) for key, value in spatial if key == "fold_vectors")


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, Mapping) else value


_Several = Annotated[tuple[PassMapping, ...], Field(min_length=1)]
Mappings = Annotated[_Several, BeforeValidator(_listed, json_schema_input_type=PassMapping | _Several)]


class LayerMapping(SparseModel):
    """By pass: one mapping for all its products, or a list with one for each."""

    forward: Mappings | None = None
    """The forward pass."""
    dgrad: Mappings | None = None
    """The gradient of the layer's input."""
    wgrad: Mappings | None = None
    """The gradient of the layer's weights."""
    predictor_forward: Mappings | None = None
    """The predictor's forward pass: its convolution and its linear layer."""
    predictor_backward: Mappings | None = None
    """The predictor's training: gradients of the linear layer's weights, of the features, of the convolution's."""


class MappedArray(StrictModel):
    """The array that a mapping was made for."""

    kind: str
    """Its kind."""
    rows: int
    """Rows of PEs."""
    columns: int
    """Columns of PEs."""


class MappingFile(SparseModel):
    """A mapping. What it says of network, batch, dataflow and array must be so where it is used."""

    version: VersionOne
    """Version of the format."""
    network: str | None = None
    """The network that it is for."""
    batch_size: int | None = None
    """The batch size that it is for."""
    dataflow: str | None = None
    """The dataflow that it is for."""
    array: MappedArray | None = None
    """The first array of the machine that it is for."""
    default: LayerMapping = LayerMapping()
    """For the passes of layers that `layers` does not name. Sizes above a layer's extents mean all of it."""
    layers: dict[str, LayerMapping] = {}
    """By layer."""


@dataclass(frozen=True)
class GivenMappings:
    """What a file says for a trace on a machine; nothing where there is no file."""

    file: MappingFile | None
    path: str
    any_array: bool = False

    def of(self, layer: str, pass_: str) -> tuple[Given, ...]:
        """Return what is given for the products of a pass: nothing, one for all, or one for each."""
        if self.file is None:
            return ()
        own = getattr(self.file.layers.get(layer), pass_, None)
        found = own or getattr(self.file.default, pass_, None) or ()
        given = tuple(one.given(at_most=own is None) for one in found)
        return tuple(replace(one, spatial=_of_any_array(one.spatial)) for one in given) if self.any_array else given

    def on_any_array(self) -> "GivenMappings":
        """Return the same tiles and loops for arrays of other sizes, on which other things lie."""
        return replace(self, any_array=True)

    def place(self, layer: str, pass_: str, index: int, key: str) -> str:
        """Return the key of something that is wrong in the file."""
        assert self.file is not None
        own = getattr(self.file.layers.get(layer), pass_, None)
        found = own or getattr(self.file.default, pass_)
        inner = f"{pass_}[{index}]" if len(found) > 1 else pass_
        return f"layers.{layer}.{inner}.{key}" if own else f"default.{inner}.{key} (layer {layer})"


def read_mapping(path: str | Path) -> MappingFile:
    """Read a mapping's file.

    Raises
    ------
    InputError
        If it is missing or says something wrong.
    """
    return validate(MappingFile, read_yaml(Path(path)), str(path))


def mappings_for(trace: Trace, spec: Accelerator) -> GivenMappings:
    """Return the mapping that a machine names, for a trace.

    Raises
    ------
    InputError
        If the file is wrong, is for something else, or names a layer that the trace does not have.
    """
    if spec.mapping is None:
        return GivenMappings(None, "")
    file = read_mapping(spec.mapping)
    array = {name: getattr(spec.array, name) for name in MappedArray.model_fields}
    for key, asked, here in (
        ("network", file.network, trace.network), ("batch_size", file.batch_size, trace.batch_size),
        ("dataflow", file.dataflow, spec.dataflow),
        *((f"array.{name}", getattr(file.array, name, None), value) for name, value in array.items()),
    ):  # fmt: skip
        if asked is not None and asked != here:
            problem = f"is {asked}, and what is simulated has {here}"
            raise InputError(spec.mapping, key, problem, "give the mapping of this one, or drop the key")
    names = [layer.id for layer in trace.mac_layers]
    for name in file.layers:
        if name not in names:
            problem = f"{trace.network} has no layer of this name with multiply-accumulates"
            raise InputError(spec.mapping, f"layers.{name}", problem, nearest(name, names))
    return GivenMappings(file, spec.mapping)
