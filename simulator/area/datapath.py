"""The part of a machine that can be synthesised, the datapath of an array, and the figures that yosys gives."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from dataflows.array import PEArray
from dataflows.arrays.rtl import Rtl
from dataflows.dataflow import JobDataflow, find_dataflow
from simulator.machine.spec import Accelerator
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.shipped_csv import read_csv


@dataclass(frozen=True, slots=True)
class Datapath:
    """An array's registers and arithmetic, `rtl/MODULE_datapath.sv`, with its parameters; ports in words a cycle."""

    module: str
    rows: int
    columns: int
    stationary_port: int
    moving_port: int
    output_port: int
    word_bits: int
    sum_bits: int

    def __str__(self) -> str:
        return f"{self.module} of {self.rows} x {self.columns} PEs"


@dataclass(frozen=True, slots=True)
class Figures:
    """What yosys makes of a datapath.

    Attributes
    ----------
    luts, flip_flops, dsps, carry4s : int
        On a Virtex-7, without the registers inside DSP48E1.
    register_bits : int
        Flip-flops of generic cells: every register of docs/microarchitecture.md, and staging registers of ports.
    transistors : int
        Of generic CMOS cells, flip-flops included; a NAND2 has four.
    """

    luts: int
    flip_flops: int
    dsps: int
    carry4s: int
    register_bits: int
    transistors: int

    @property
    def gates(self) -> float:
        """Area in NAND2 gates."""
        return self.transistors / 4


Synthesis = dict[Datapath, Figures]
COLUMNS = [field.name for kind in (Datapath, Figures) for field in fields(kind)]


def rtl_of(spec: Accelerator, array: PEArray) -> Rtl | None:
    """Return the RTL of an array under the machine's dataflow; None where its datapath is no module of its own."""
    dataflow = find_dataflow(spec.dataflow, array.kind, "", "dataflow")
    rtl = array.job_array(dataflow.way).rtl if isinstance(dataflow, JobDataflow) else None
    return rtl if rtl is not None and rtl.datapath else None


def datapath_of(spec: Accelerator, array: PEArray) -> Datapath | None:
    """Return the datapath of one of a machine's arrays; None where its RTL cannot be synthesised (docs/area.md)."""
    dataflow = find_dataflow(spec.dataflow, array.kind, "", "dataflow")
    rtl = rtl_of(spec, array)
    if rtl is None or not isinstance(dataflow, JobDataflow):
        return None
    ports, precision = dataflow.geometry(array).ports, spec.precision
    return Datapath(
        rtl.module, array.rows, array.columns, ports.stationary, ports.moving, ports.output,
        precision.word_bits, precision.partial_sum_bits,
    )  # fmt: skip


def arrays_of(spec: Accelerator) -> list[PEArray]:
    """Return a machine's arrays, the second last."""
    return [array for array in (spec.array, spec.second_array) if array is not None]


def datapaths_of(specs: Sequence[Accelerator]) -> dict[Datapath, Rtl]:
    """Return the datapaths of some machines' arrays, each with its RTL.

    Raises
    ------
    InputError
        If none can be synthesised.
    """
    found = {}
    for spec in specs:
        for array in arrays_of(spec):
            datapath, rtl = datapath_of(spec, array), rtl_of(spec, array)
            if datapath is not None and rtl is not None:
                found[datapath] = rtl
    if not found:
        remedy = "choose the dataflow ws, is or os and array.kind=broadcast (docs/area.md)"
        raise InputError("synthesize", "", "the RTL of the machine's arrays has no datapath of its own", remedy)
    return found


def load_synthesis(path: Path | None = None) -> Synthesis:
    """Return figures by datapath, of a file that `adagp-sim synthesize` wrote or else of the shipped one.

    Raises
    ------
    InputError
        If the file cannot be read, or holds other columns.
    """
    path = shipped_folder("configs/hardware") / "synthesis.csv" if path is None else path
    found = {}
    for row in read_csv(path, texts=("module",)):
        if list(row) != COLUMNS:
            raise InputError(
                str(path), "", "holds no figures of a synthesis", "adagp-sim synthesize --out FILE makes it"
            )
        module, *numbers = row.values()
        values = [int(number) for number in numbers]
        count = len(fields(Datapath)) - 1
        found[Datapath(str(module), *values[:count])] = Figures(*values[count:])
    return found


def as_data(synthesis: Synthesis) -> list[dict[str, str | int]]:
    """Return figures as plain data."""
    return [asdict(datapath) | asdict(figures) for datapath, figures in synthesis.items()]
