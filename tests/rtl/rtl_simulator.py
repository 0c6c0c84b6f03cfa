"""Runs the arrays' RTL in Icarus Verilog or Verilator, one job at a time.

The RTL in `rtl/` is written from docs/microarchitecture.md alone. `run_icarus` and `run_verilator` give a job's
result and its cycles; Icarus also gives the contents of every register after every cycle.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dataflows.arrays.job import Geometry, JobArray
from dataflows.arrays.rtl import Rtl
from workloads.foundation.shipped import shipped_folder

__all__ = [
    "RtlJob",
    "RtlProgram",
    "RtlResult",
    "buffer_depth",
    "build_icarus",
    "build_verilator",
    "check_operand",
    "flat",
    "have_icarus",
    "have_verilator",
    "run_icarus",
    "run_verilator",
    "simulate",
    "write_hex",
]

HERE = Path(__file__).resolve().parent  # the test benches
RTL = shipped_folder("rtl")  # the arrays
MIN_DEPTH = 4096
WATCHDOG_CYCLES = 5_000_000
CYCLE_TIME = 10  # the testbench's cycle t ends at CYCLE_TIME * t + EDGE_TIME
EDGE_TIME = 5


@dataclass(frozen=True)
class RtlJob:
    """A job of docs/microarchitecture.md and the array that does it.

    Parameters
    ----------
    array : JobArray
        The array at work.
    geometry : Geometry
        Its PEs R x C, and its ports SP, MP and OP in words a cycle.
    moving : ndarray
        A, int64 [groups, V, D].
    stationary : ndarray
        B, int64 [groups, D, N].
    word_bits, sum_bits : int
        Widths of operands and of sums.
    """

    array: JobArray
    geometry: Geometry
    moving: np.ndarray
    stationary: np.ndarray
    word_bits: int = 16
    sum_bits: int = 32

    def __post_init__(self) -> None:
        ports = self.geometry.ports
        sizes = (self.geometry.rows, self.geometry.columns, ports.stationary, ports.moving, ports.output)
        if min(sizes) < 1:
            raise ValueError(f"rows, columns and ports must be at least 1: {sizes}")
        if not 1 <= self.word_bits <= 64 or not 1 <= self.sum_bits <= 64:
            raise ValueError("word_bits and sum_bits must lie in 1 .. 64")
        if self.moving.ndim != 3 or self.stationary.ndim != 3:
            raise ValueError("moving is [groups, V, D], stationary is [groups, D, N]")
        if self.moving.shape[0] != self.stationary.shape[0] or self.moving.shape[2] != self.stationary.shape[1]:
            raise ValueError(f"shapes do not match: {self.moving.shape} and {self.stationary.shape}")
        if not self.moving.size or not self.stationary.size:
            raise ValueError("groups, V, D and N must be at least 1")
        for operand in (self.moving, self.stationary):
            check_operand(operand, self.word_bits)

    @property
    def rtl(self) -> Rtl:
        """What the test bench must know of the array's RTL."""
        assert self.array.rtl is not None and self.array.rtl.bench == "jobs", f"no RTL of {self.array}"
        return self.array.rtl

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Groups, V, D and N."""
        groups, v, d = self.moving.shape
        return groups, v, d, self.stationary.shape[2]


@dataclass(frozen=True)
class RtlProgram:
    """An array and its testbench with their parameters, compiled once per folder.

    Parameters
    ----------
    name : str
        The array's module.
    top : str
        The testbench's module.
    sources : sequence of str
        Names of the files beside this one or in `rtl/`, without `.sv`.
    parameters : mapping
        The testbench's parameters.
    defines : sequence of str
        Macros.
    """

    name: str
    top: str
    sources: Sequence[str]
    parameters: Mapping[str, int]
    defines: Sequence[str] = ()

    @property
    def key(self) -> str:
        """Name of the compiled program."""
        own = [define.partition("=")[2] for define in self.defines if define.startswith("OWN_PARAMETERS=")]
        values = [f"{name}{value}" for name, value in self.parameters.items()]
        return "-".join([self.name, *values, *(re.sub(r"\W", "", text) for text in own)])


@dataclass(frozen=True)
class RtlResult:
    """What a run gives.

    Parameters
    ----------
    y : ndarray
        The result, int64 [groups, V, N]; of row stationary [groups, images, filters, rows, columns].
    cycles : int
        Index of the last cycle that writes a result, plus one.
    registers : dict of ndarray, optional
        For each register its contents after each cycle, int64 [cycles, elements]; a tree level l is `tree_l`.
    writes : tuple of int
        Words written to each register, in the order of a dump; of row stationary only to product, chain and sum.
    """

    y: np.ndarray
    cycles: int
    registers: dict[str, np.ndarray] | None
    writes: tuple[int, ...] = ()


def flat(registers: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return stepped registers [cycles, ...] as the RTL's are given: [cycles, elements]."""
    return {name: values.reshape(len(values), -1) for name, values in registers.items()}


def have_icarus() -> bool:
    """Whether Icarus Verilog is installed."""
    return shutil.which("iverilog") is not None and shutil.which("vvp") is not None


def have_verilator() -> bool:
    """Whether Verilator and a C++ compiler are installed, and make can build: in no folder with a space in its name."""
    installed = all(shutil.which(tool) is not None for tool in ("verilator", "make", "g++"))
    return installed and " " not in tempfile.gettempdir()


def run_icarus(job: RtlJob, folder: Path, dump: bool = False) -> RtlResult:
    """Run a job in Icarus Verilog.

    Parameters
    ----------
    job : RtlJob
        The job.
    folder : Path
        Where compiled arrays are kept and a run's files are written.
    dump : bool
        Whether to give the registers after every cycle.

    Returns
    -------
    RtlResult
        Y, cycles and, with `dump`, registers.

    Raises
    ------
    RuntimeError
        If a tool fails or writes no result.
    """
    folder = folder.resolve()
    return _run(build_icarus(_program(job), folder), job, folder, dump)


def run_verilator(job: RtlJob, folder: Path) -> RtlResult:
    """Run a job in Verilator.

    Parameters
    ----------
    job : RtlJob
        The job.
    folder : Path
        Where built arrays are kept and a run's files are written.

    Returns
    -------
    RtlResult
        Y and cycles.

    Raises
    ------
    RuntimeError
        If a tool fails or writes no result.
    """
    folder = folder.resolve()
    return _run(build_verilator(_program(job), folder), job, folder, dump=False)


def build_icarus(program: RtlProgram, folder: Path) -> list[str]:
    """Compile a program with Icarus Verilog where that is not done and give the command that runs it."""
    built = folder / "icarus" / f"{program.key}.vvp"
    if _is_old(built):
        built.parent.mkdir(parents=True, exist_ok=True)
        fresh = built.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        overrides = [f"-P{program.top}.{name}={value}" for name, value in program.parameters.items()]
        command = [
            "iverilog",
            "-g2012",
            f"-I{HERE}",
            "-s",
            program.top,
            *_defines(program),
            *overrides,
            "-o",
            str(fresh),
        ]
        _call([*command, *_sources(program)], folder)
        if not fresh.is_file():
            raise RuntimeError("iverilog wrote no program")
        fresh.replace(built)
    return ["vvp", "-N", str(built)]


def build_verilator(program: RtlProgram, folder: Path) -> list[str]:
    """Build a program with Verilator where that is not done and give the command that runs it."""
    build = folder / "verilator" / program.key
    built = build / "simulate"
    if _is_old(built):
        shutil.rmtree(build, ignore_errors=True)
        build.mkdir(parents=True)
        overrides = [f"-G{name}={value}" for name, value in program.parameters.items()]
        command = [
            "verilator",
            "--binary",
            "-MAKEFLAGS",  # jobs are small: their programs take longer to compile than to run
            "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0",
            f"-I{HERE}",
            "--top-module",
            program.top,
            "--Mdir",
            str(build),
            "-o",
            "simulate",
        ]
        _call([*command, *_defines(program), *overrides, *_sources(program)], folder)
        if not built.is_file():
            raise RuntimeError("verilator built no program")
    return [str(built)]


def _sources(program: RtlProgram) -> list[str]:
    beside = {name: HERE / f"{name}.sv" for name in program.sources}
    return [str(path if path.is_file() else RTL / path.name) for name, path in beside.items()]


def _defines(program: RtlProgram) -> list[str]:
    return [f"-D{name}" for name in program.defines]


def _program(job: RtlJob) -> RtlProgram:
    rtl, geometry = job.rtl, job.geometry
    groups, v, _, n = job.sizes
    parameters = {
        "R": geometry.rows,
        "C": geometry.columns,
        "SP": geometry.ports.stationary,
        "MP": geometry.ports.moving,
        "OP": geometry.ports.output,
        "WORD": job.word_bits,
        "SUM": job.sum_bits,
        "DEPTH": buffer_depth(job.moving.size, job.stationary.size, groups * v * n),
    }
    own = "".join(f".{name}({value})," for name, value in rtl.parameters)
    defines = [rtl.module, f"ARRAY={rtl.module}", f"LANES=({rtl.lanes})", f"OWN_PARAMETERS={own}"]
    defines += ["PARTIAL_SUMS"] if rtl.reads_sums else []
    sources = ("testbench", "fold_counter", "port_stage", *rtl.files)
    return RtlProgram(rtl.module, "testbench", sources, parameters, tuple(defines))


def check_operand(operand: np.ndarray, bits: int) -> None:
    """Raise ValueError where an operand is not of integers of so many bits."""
    limit = 1 << (bits - 1)
    if not np.issubdtype(operand.dtype, np.integer):
        raise ValueError("operands must be integers")
    if int(operand.min()) < -limit or int(operand.max()) >= limit:
        raise ValueError(f"an operand does not fit in {bits} bits")


def buffer_depth(*sizes: int) -> int:
    """Words in each of the buffer's arrays, the same for many jobs."""
    depth = MIN_DEPTH
    while depth < max(sizes):
        depth *= 2
    return depth


def _is_old(program: Path) -> bool:
    """Whether a program is missing or older than the RTL."""
    if not program.is_file():
        return True
    built = program.stat().st_mtime_ns
    return any(source.stat().st_mtime_ns >= built for folder in (HERE, RTL) for source in folder.glob("*.sv*"))


def _call(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def write_hex(path: Path, values: np.ndarray, bits: int) -> None:
    """Write words for the testbench's buffer, one a line."""
    mask = (1 << bits) - 1
    path.write_text("".join(f"{value & mask:x}\n" for value in values.ravel().tolist()))


def _run(command: list[str], job: RtlJob, folder: Path, dump: bool) -> RtlResult:
    groups, v, d, n = job.sizes
    write_hex(folder / "moving.hex", job.moving, job.word_bits)
    write_hex(folder / "stationary.hex", job.stationary, job.word_bits)
    plusargs: dict[str, int | str] = {
        "V": v,
        "D": d,
        "N": n,
        "GROUPS": groups,
        "MOVING": "moving.hex",
        "STATIONARY": "stationary.hex",
    }
    registers = _register_bits(job)
    result = simulate(command, plusargs, (groups, v, n), folder, registers if dump else None)
    return replace(result, writes=result.writes[: len(registers)])


def _register_bits(job: RtlJob) -> dict[str, int]:
    """Give the array's registers, as they are called in a result, and the bits of their elements."""
    registers = job.array.registers(job.geometry)
    return {register.name: job.word_bits if register.is_word else job.sum_bits for register in registers}


def simulate(
    command: list[str],
    plusargs: Mapping[str, int | str],
    shape: tuple[int, ...],
    folder: Path,
    registers: Mapping[str, int] | None,
) -> RtlResult:
    """Run a built program.

    Parameters
    ----------
    command : list of str
        What `build_icarus` or `build_verilator` gave.
    plusargs : mapping
        The testbench's plusargs but RESULT, WATCHDOG and VCD; files lie in the folder.
    shape : tuple of int
        Shape of the result.
    folder : Path
        Where the program runs and its files are written.
    registers : mapping, optional
        The registers to give after every cycle and the bits of their elements.

    Returns
    -------
    RtlResult
        Y, cycles and, if asked for, registers.
    """
    result, counts, waves = folder / "result.txt", folder / "writes.txt", folder / "registers.vcd"
    for path in (result, counts, waves):
        path.unlink(missing_ok=True)
    # Paths relative to the folder, where the program runs: some tools cut long plusargs.
    every = {**plusargs, "WATCHDOG": WATCHDOG_CYCLES, "RESULT": result.name, "WRITES": counts.name}
    if registers is not None:
        every["VCD"] = waves.name
    _call([*command, *(f"+{name}={value}" for name, value in every.items())], folder)
    if not result.is_file():
        raise RuntimeError(f"{command[0]} wrote no result")
    try:
        cycles, *values = [int(line) for line in result.read_text().split()]
        y = np.array(values, dtype=np.int64).reshape(shape)
        writes = tuple(int(line) for line in counts.read_text().split())
    except ValueError as error:
        raise RuntimeError(f"{result} holds no whole result: {error}") from error
    if registers is None:
        return RtlResult(y, cycles, None, writes)
    if not waves.is_file():
        raise RuntimeError(f"{command[0]} wrote no registers")
    return RtlResult(y, cycles, _read_registers(waves, registers, cycles), writes)


def _read_registers(path: Path, registers: Mapping[str, int], cycles: int) -> dict[str, np.ndarray]:
    """Read the registers after every cycle from a VCD file."""
    header, _, body = path.read_text().partition("$enddefinitions $end")
    names, widths = _register_signals(header, registers)
    history: dict[str, np.ndarray] = {}
    current: dict[str, np.ndarray] = {}
    for signal, name in names.items():
        current[signal] = np.zeros(widths[signal] // registers[name], dtype=np.int64)
        history[name] = np.zeros((cycles, current[signal].size), dtype=np.int64)

    cycle = 0
    for line in body.splitlines():
        if line.startswith("#"):
            # Changes up to this line are seen after every cycle whose end lies before this time.
            time = int(line[1:])
            while cycle < cycles and CYCLE_TIME * cycle + EDGE_TIME < time:
                for signal, name in names.items():
                    history[name][cycle] = current[signal]
                cycle += 1
        elif line[:1] in ("b", "0", "1", "x", "z"):
            bits, signal = line[1:].split() if line[0] == "b" else (line[0], line[1:])
            if signal in names:
                current[signal] = _elements(bits, widths[signal], registers[names[signal]])
    while cycle < cycles:
        for signal, name in names.items():
            history[name][cycle] = current[signal]
        cycle += 1
    return history


def _register_signals(header: str, registers: Mapping[str, int]) -> tuple[dict[str, str], dict[str, int]]:
    """Give, for each VCD signal that is a register of the array, its name and its width."""
    names: dict[str, str] = {}
    widths: dict[str, int] = {}
    scopes: list[str] = []
    for words in (declaration.split() for declaration in header.split("$end")):
        if words[:1] == ["$scope"]:
            scopes.append(words[2])
        elif words[:1] == ["$upscope"]:
            scopes.pop()
        elif words[:1] == ["$var"]:
            width, signal, name = int(words[2]), words[3], words[4]
            inside = [scope for scope in scopes[2:] if scope != "datapath"]
            level = re.fullmatch(r"tree\[(\d+)\]", scopes[-1])
            if level and name == "node" and len(inside) == 1:
                name = f"tree_{level[1]}"
            elif inside:
                continue
            if name in registers:
                names[signal], widths[signal] = name, width
    if set(names.values()) != set(registers):
        raise RuntimeError(f"the dump holds {sorted(names.values())}, not {sorted(registers)}")
    return names, widths


def _elements(bits: str, width: int, element_bits: int) -> np.ndarray:
    """Cut a VCD value into signed elements, element 0 in the lowest bits."""
    if not set(bits) <= {"0", "1"}:
        raise RuntimeError(f"a register holds unknown bits: {bits}")
    bits = bits.zfill(width)
    sign, span = 1 << (element_bits - 1), 1 << element_bits
    values = [int(bits[end - element_bits : end], 2) for end in range(width, 0, -element_bits)]
    return np.array([value - span if value & sign else value for value in values], dtype=np.int64)
