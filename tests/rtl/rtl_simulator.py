"""Runs the arrays' RTL in Icarus Verilog or Verilator, one job at a time.

The RTL beside this file is written from docs/microarchitecture.md alone. `run_icarus` and `run_verilator` give a job's
result and its cycles; Icarus also gives the contents of every register after every cycle.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

__all__ = ["RtlJob", "RtlResult", "have_icarus", "have_verilator", "run_icarus", "run_verilator"]

HERE = Path(__file__).resolve().parent
MIN_DEPTH = 4096
WATCHDOG_CYCLES = 5_000_000
CYCLE_TIME = 10  # the testbench's cycle t ends at CYCLE_TIME * t + EDGE_TIME
EDGE_TIME = 5

WORD_REGISTERS = frozenset({"shadow", "weight", "in", "a", "b", "filter"})
SUM_REGISTERS = frozenset({"product", "tree", "sum", "acc", "out", "psum"})
REGISTERS: dict[str, frozenset[str]] = {
    "broadcast_stationary": frozenset({"shadow", "weight", "in", "product", "tree", "sum"}),
    "broadcast_os": frozenset({"a", "b", "product", "acc", "out"}),
    "systolic_stationary": frozenset({"weight", "in", "psum"}),
    "systolic_os": frozenset({"in", "filter", "acc"}),
}


@dataclass(frozen=True)
class RtlJob:
    """A job of docs/microarchitecture.md and the array that does it.

    Parameters
    ----------
    array : str
        The array's module.
    rows, columns : int
        PEs: R and C.
    stationary_port, moving_port, output_port : int
        Words a cycle: SP, MP and OP.
    moving : ndarray
        A, int64 [groups, V, D].
    stationary : ndarray
        B, int64 [groups, D, N].
    word_bits, sum_bits : int
        Widths of operands and of sums.
    serial_drain : bool
        `os_drain: serial`; only `systolic_os` looks at it.
    """

    array: Literal["broadcast_stationary", "broadcast_os", "systolic_stationary", "systolic_os"]
    rows: int
    columns: int
    stationary_port: int
    moving_port: int
    output_port: int
    moving: np.ndarray
    stationary: np.ndarray
    word_bits: int = 16
    sum_bits: int = 32
    serial_drain: bool = False

    def __post_init__(self) -> None:
        if self.array not in REGISTERS:
            raise ValueError(f"no array {self.array!r}")
        sizes = (self.rows, self.columns, self.stationary_port, self.moving_port, self.output_port)
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
        limit = 1 << (self.word_bits - 1)
        for operand in (self.moving, self.stationary):
            if not np.issubdtype(operand.dtype, np.integer):
                raise ValueError("operands must be integers")
            if int(operand.min()) < -limit or int(operand.max()) >= limit:
                raise ValueError(f"an operand does not fit in {self.word_bits} bits")

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Groups, V, D and N."""
        groups, v, d = self.moving.shape
        return groups, v, d, self.stationary.shape[2]


@dataclass(frozen=True)
class RtlResult:
    """What a run gives.

    Parameters
    ----------
    y : ndarray
        The result, int64 [groups, V, N].
    cycles : int
        Index of the last cycle that writes a result, plus one.
    registers : dict of ndarray, optional
        For each register its contents after each cycle, int64 [cycles, elements]; a tree level l is `tree_l`.
    """

    y: np.ndarray
    cycles: int
    registers: dict[str, np.ndarray] | None


def have_icarus() -> bool:
    """Whether Icarus Verilog is installed."""
    return shutil.which("iverilog") is not None and shutil.which("vvp") is not None


def have_verilator() -> bool:
    """Whether Verilator and a C++ compiler are installed."""
    return all(shutil.which(tool) is not None for tool in ("verilator", "make", "g++"))


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
    program = folder / "icarus" / f"{_key(job)}.vvp"
    if _is_old(program):
        program.parent.mkdir(parents=True, exist_ok=True)
        fresh = program.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        overrides = [f"-Ptestbench.{name}={value}" for name, value in _parameters(job).items()]
        _call(
            ["iverilog", "-g2012", "-s", "testbench", *_defines(job), *overrides, "-o", str(fresh), *_sources(job)],
            folder,
        )
        if not fresh.is_file():
            raise RuntimeError("iverilog wrote no program")
        fresh.replace(program)
    return _simulate(["vvp", "-N", str(program)], job, folder, dump)


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
    build = folder / "verilator" / _key(job)
    program = build / "simulate"
    if _is_old(program):
        shutil.rmtree(build, ignore_errors=True)
        build.mkdir(parents=True)
        overrides = [f"-G{name}={value}" for name, value in _parameters(job).items()]
        command = ["verilator", "--binary", "--top-module", "testbench", "--Mdir", str(build), "-o", "simulate"]
        _call([*command, *_defines(job), *overrides, *_sources(job)], folder)
        if not program.is_file():
            raise RuntimeError("verilator built no program")
    return _simulate([str(program)], job, folder, dump=False)


def _sources(job: RtlJob) -> list[str]:
    names = ("testbench", "fold_counter", "port_stage", job.array)
    return [str(HERE / f"{name}.sv") for name in names]


def _defines(job: RtlJob) -> list[str]:
    return [f"-DARRAY={job.array}", f"-D{job.array.upper()}"]


def _parameters(job: RtlJob) -> dict[str, int]:
    groups, v, d, n = job.sizes
    depth = MIN_DEPTH
    while depth < groups * max(v * d, d * n, v * n):
        depth *= 2
    return {
        "R": job.rows,
        "C": job.columns,
        "SP": job.stationary_port,
        "MP": job.moving_port,
        "OP": job.output_port,
        "WORD": job.word_bits,
        "SUM": job.sum_bits,
        "SERIAL": int(job.serial_drain and job.array == "systolic_os"),
        "DEPTH": depth,
    }


def _key(job: RtlJob) -> str:
    return "-".join([job.array, *(f"{name}{value}" for name, value in _parameters(job).items())])


def _is_old(program: Path) -> bool:
    """Whether a program is missing or older than the RTL."""
    if not program.is_file():
        return True
    built = program.stat().st_mtime_ns
    return any(source.stat().st_mtime_ns >= built for source in HERE.glob("*.sv"))


def _call(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _write_hex(path: Path, values: np.ndarray, bits: int) -> None:
    mask = (1 << bits) - 1
    path.write_text("".join(f"{value & mask:x}\n" for value in values.ravel().tolist()))


def _simulate(program: list[str], job: RtlJob, folder: Path, dump: bool) -> RtlResult:
    groups, v, d, n = job.sizes
    moving, stationary = folder / "moving.hex", folder / "stationary.hex"
    result, waves = folder / "result.txt", folder / "registers.vcd"
    for path in (result, waves):
        path.unlink(missing_ok=True)
    _write_hex(moving, job.moving, job.word_bits)
    _write_hex(stationary, job.stationary, job.word_bits)
    # Paths relative to the folder, where the program runs: some tools cut long plusargs.
    plusargs = [f"+V={v}", f"+D={d}", f"+N={n}", f"+GROUPS={groups}", f"+WATCHDOG={WATCHDOG_CYCLES}"]
    plusargs += [f"+MOVING={moving.name}", f"+STATIONARY={stationary.name}", f"+RESULT={result.name}"]
    if dump:
        plusargs.append(f"+VCD={waves.name}")
    _call([*program, *plusargs], folder)
    if not result.is_file():
        raise RuntimeError(f"{program[0]} wrote no result")
    try:
        cycles, *values = [int(line) for line in result.read_text().split()]
        y = np.array(values, dtype=np.int64).reshape(groups, v, n)
    except ValueError as error:
        raise RuntimeError(f"{result} holds no whole result: {error}") from error
    if not dump:
        return RtlResult(y, cycles, None)
    if not waves.is_file():
        raise RuntimeError(f"{program[0]} wrote no registers")
    return RtlResult(y, cycles, _read_registers(waves, job, cycles))


def _read_registers(path: Path, job: RtlJob, cycles: int) -> dict[str, np.ndarray]:
    """Read the registers after every cycle from a VCD file."""
    header, _, body = path.read_text().partition("$enddefinitions $end")
    names, widths = _register_signals(header, job)
    history: dict[str, np.ndarray] = {}
    current: dict[str, np.ndarray] = {}
    for signal, name in names.items():
        current[signal] = np.zeros(widths[signal] // _element_bits(name, job), dtype=np.int64)
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
                current[signal] = _elements(bits, widths[signal], _element_bits(names[signal], job))
    while cycle < cycles:
        for signal, name in names.items():
            history[name][cycle] = current[signal]
        cycle += 1
    return history


def _register_signals(header: str, job: RtlJob) -> tuple[dict[str, str], dict[str, int]]:
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
            level = re.fullmatch(r"tree\[(\d+)\]", scopes[-1])
            if level and name == "node" and len(scopes) == 3:
                name = f"tree_{level[1]}"
            elif len(scopes) != 2:
                continue
            if name.split("_")[0] in REGISTERS[job.array] and (name in REGISTERS[job.array] or level):
                names[signal], widths[signal] = name, width
    levels = (job.rows - 1).bit_length()
    expected = REGISTERS[job.array] - {"tree"}
    if job.array == "broadcast_stationary":
        expected |= {f"tree_{level}" for level in range(1, levels + 1)}
    if set(names.values()) != expected:
        raise RuntimeError(f"the dump holds {sorted(names.values())}, not {sorted(expected)}")
    return names, widths


def _element_bits(name: str, job: RtlJob) -> int:
    return job.word_bits if name in WORD_REGISTERS else job.sum_bits


def _elements(bits: str, width: int, element_bits: int) -> np.ndarray:
    """Cut a VCD value into signed elements, element 0 in the lowest bits."""
    if not set(bits) <= {"0", "1"}:
        raise RuntimeError(f"a register holds unknown bits: {bits}")
    bits = bits.zfill(width)
    sign, span = 1 << (element_bits - 1), 1 << element_bits
    values = [int(bits[end - element_bits : end], 2) for end in range(width, 0, -element_bits)]
    return np.array([value - span if value & sign else value for value in values], dtype=np.int64)
