"""Runs yosys on the project's own RTL (docs/area.md, "Synthesis")."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import astuple
from datetime import date
from pathlib import Path
from typing import Any

from dataflows.arrays.rtl import Rtl
from simulator.area.datapath import COLUMNS, Datapath, Figures, Synthesis
from simulator.outputs.csv_text import csv_text
from workloads.foundation.atomic import atomic_file, check_writable
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_folder

FAMILY = "xc7"
"""Target of `synth_xilinx`: the 7 series, as the paper's Virtex-7."""

# Both read the same RTL. On the FPGA all is flattened, so that adders may move into DSPs; generic cells keep a PE as a
# module, so that yosys maps one and not all of them. Cells with an enable become a plain flip-flop and a multiplexer.
_READ = "read_verilog -sv {files}\nchparam {parameters} {top}\nhierarchy -check -top {top}\n"
_FPGA = _READ + f"synth_xilinx -family {FAMILY} -flatten -noiopad -top {{top}}\ntee -q -o {{out}} stat -json\n"
_CELLS = _READ + (
    "setattr -mod -set keep_hierarchy 1 *_pe\nsynth -flatten -noabc -top {top}\ndfflegalize -cell $_DFF_P_ 01\n"
    "abc -g cmos\nopt_clean\ntee -q -o {out} stat -json -tech cmos\n"
)


def yosys_version() -> str:
    """Return the version of yosys.

    Raises
    ------
    InputError
        If it is not installed.
    """
    program = shutil.which("yosys")
    if program is None:
        raise InputError("synthesize", "", "needs yosys, which is not installed", "apt-get install yosys (Debian)")
    said = subprocess.run([program, "-V"], capture_output=True, text=True, check=True).stdout
    return " ".join(said.split()[:2])


def synthesized(rtl: Rtl, datapath: Datapath) -> Figures:
    """Return what yosys makes of a datapath; a PE takes about a tenth of a second.

    Raises
    ------
    InputError
        If yosys is not installed or fails.
    """
    fpga, cells = _cells(_FPGA, rtl, datapath), _cells(_CELLS, rtl, datapath)
    counts = fpga["num_cells_by_type"]
    return Figures(
        luts=_sum(counts, r"LUT\d"),
        flip_flops=_sum(counts, "FD[A-Z]+"),
        dsps=_sum(counts, "DSP48E1"),
        carry4s=_sum(counts, "CARRY4"),
        register_bits=_sum(cells["num_cells_by_type"], r"\$_DFF.*"),
        transistors=int(cells["estimated_num_transistors"]),
    )


def _sum(counts: Mapping[str, int], pattern: str) -> int:
    return sum(count for name, count in counts.items() if re.fullmatch(pattern, name))


def _cells(script: str, rtl: Rtl, datapath: Datapath) -> dict[str, Any]:
    """Return what `stat` says of the whole design."""
    yosys_version()
    sizes = {
        "R": datapath.rows, "C": datapath.columns, "SP": datapath.stationary_port, "MP": datapath.moving_port,
        "OP": datapath.output_port, "WORD": datapath.word_bits, "SUM": datapath.sum_bits,
    }  # fmt: skip
    folder = shipped_folder("rtl").resolve()
    top, files = f"{datapath.module}_datapath", ("port_stage", f"{datapath.module}_pe", f"{datapath.module}_datapath")
    with tempfile.TemporaryDirectory() as work:
        for name in (*files, *rtl.sources):
            shutil.copy(folder / f"{name}.sv", work)
        text = script.format(
            files=" ".join(f"{name}.sv" for name in (*rtl.sources, *files)), top=top, out="stat.json",
            parameters=" ".join(f"-set {name} {value}" for name, value in sizes.items()),
        )  # fmt: skip
        (Path(work) / "run.ys").write_text(text, encoding="utf-8")
        run = subprocess.run(["yosys", "-q", "run.ys"], cwd=work, capture_output=True, text=True, check=False)
        if run.returncode:
            problem = (run.stderr.strip() or run.stdout.strip() or "it says nothing").splitlines()[-1]
            raise InputError("yosys", top, problem, "use yosys 0.23 or newer")
        design: dict[str, Any] = json.loads((Path(work) / "stat.json").read_text(encoding="utf-8"))["design"]
        return design


def synthesize_all(
    datapaths: Mapping[Datapath, Rtl], progress: Callable[[str], Any], file: Path | None, command: str
) -> Synthesis:
    """Return what yosys makes of datapaths, and write it to a file, if one is given, for `load_synthesis`.

    Raises
    ------
    InputError
        If yosys is not installed or fails, or the file cannot be written.
    """
    yosys_version()
    if file is not None:
        check_writable(file)
    found: Synthesis = {}
    for datapath, rtl in datapaths.items():
        progress(str(datapath))
        found[datapath] = synthesized(rtl, datapath)
    if file is not None:
        with atomic_file(file) as open_file:
            open_file.write(_text(found, command))
    return found


def _text(synthesis: Synthesis, command: str) -> str:
    """Return figures as a file has them; `command` is what made them."""
    about = (
        f"# {command}\n# {yosys_version()}, {date.today().isoformat()}: synth_xilinx -family {FAMILY} -flatten, and "
        "generic cells by abc -g cmos (docs/area.md).\n"
    )
    return about + csv_text(COLUMNS, [(*astuple(one), *astuple(figures)) for one, figures in synthesis.items()])
