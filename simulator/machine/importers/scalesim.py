"""SCALE-Sim's configuration files, of its versions 1 to 3, as a machine.

The spec also has what its rule for cycles assumes: a systolic array with ports as wide as its sides and
no accumulators, banks without a limit on what they move, and the fastest cut into tiles. Its simulator cuts no layer
into tiles and multiplies words of a byte. docs/decisions/0043 says what becomes of the sizes of its buffers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dataflows.dataflow import dataflows
from simulator.machine.importers import ImportedMachine, MachineImporter
from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text

_SECTION = "architecture_presets"
_HZ = 200_000_000  # as the shipped machines: SCALE-Sim has no clock
_BANKS = 64
_NO_LIMIT_BYTES = 1 << 28  # of a bank: 16 GiB in all, more than a tile of any layer needs
_BUFFERS = ("ifmap", "filter", "ofmap")
_ADDRESS = "no meaning here: an address in its traces; ours follow from the layers (docs/dram.md)"
_REQUESTS = "no meaning here: of its Ramulator runs; dram.queue_depth with dram.model=commands is its like"
_UNUSED_BANKS = "no meaning here: SCALE-Sim reads it nowhere"
_LAYOUT = "not simulated: words are taken to lie without conflicts of banks, as without a custom layout"
_SPARSE = "not simulated: of sparse runs; all weights are multiplied"
# What keys without a like here are for, by their name in small letters.
_PASSED_OVER: Mapping[str, str] = {
    "run_name": "no meaning here: the folder of --out names a run",
    **dict.fromkeys(("ifmapoffset", "filteroffset", "ofmapoffset"), _ADDRESS),
    **dict.fromkeys(("readrequestbuffer", "writerequestbuffer"), _REQUESTS),
    **dict.fromkeys(("memorybanks", "onchipmemorybanks", "onchipmemorybankports"), _UNUSED_BANKS),
    **dict.fromkeys(("ifmapcustomlayout", "filtercustomlayout"), _LAYOUT),
    **{f"{buffer}srambank{what}": _LAYOUT for buffer in _BUFFERS for what in ("bandwidth", "num", "port")},
    **dict.fromkeys(("sparsitysupport", "sparserep", "optimizedmapping", "blocksize", "randomnumbergeneratorseed"),
                    _SPARSE),
    "useramulatortrace": "no meaning here: dram.model=commands simulates DRAM by its commands",
    "topologycsvloc": "no meaning here: a workload, which trace import reads",
}  # fmt: skip


@dataclass
class _Config:
    """A file's keys, and what became of each so far; names of keys in small letters."""

    path: Path
    entries: Mapping[str, tuple[str, str]]
    became: dict[str, str] = field(default_factory=dict)

    def text(self, *names: str) -> str:
        """Return the value of the first of these keys that the file has."""
        for name in names:
            if name.lower() in self.entries:
                return self.entries[name.lower()][1]
        raise InputError(str(self.path), names[0], "missing", f"add it to [{_SECTION}]")

    def number(self, *names: str) -> int:
        text = self.text(*names)
        try:
            number = int(text)
        except ValueError:
            raise InputError(str(self.path), names[0], f"is {text[:40]!r}", "give a whole number") from None
        if not 1 <= number <= 1 << 31:
            raise InputError(str(self.path), names[0], f"is {text[:40]}", f"give 1 to {1 << 31}")
        return number

    def note(self, what: str, *names: str) -> None:
        for name in names:
            self.became[name.lower()] = what

    def notes(self) -> list[str]:
        """Return a line for each key, in the file's order; keys of one fate stand together."""
        unknown = "no key of SCALE-Sim's, passed over"
        fates: dict[str, list[str]] = {}
        for key, (name, value) in self.entries.items():
            fate = self.became.get(key) or _PASSED_OVER.get(key, unknown)
            fates.setdefault(fate, []).append(f"{_shown(name)} = {_shown(value) or '(empty)'}")
        return [f"{', '.join(keys)}: {fate}" for fate, keys in fates.items()]


def read_config(path: Path) -> ImportedMachine:
    """Read a configuration file.

    Raises
    ------
    InputError
        If it is none of SCALE-Sim's, or a key that it needs is missing or no number.
    """
    config = _Config(path, _entries(path))
    rows, columns = config.number("ArrayHeight"), config.number("ArrayWidth")
    config.note("array.rows", "ArrayHeight")
    config.note("array.columns", "ArrayWidth")
    flow = config.text("Dataflow")
    known = {name for kind, name in dataflows() if kind == "systolic"}
    if flow not in known:
        raise InputError(str(path), "Dataflow", f"is {flow[:40]!r}", f"give {', '.join(sorted(known))}")
    config.note("dataflow", "Dataflow")
    dram, limited = _dram(config)
    bank = _bank_bytes(config, limited)
    settings = {
        "version": 2,
        "design": "baseline",
        "dataflow": flow,
        "frequency_hz": _HZ,
        "precision": {"word_bits": 8, "partial_sum_bits": 16},
        "array": {
            "kind": "systolic", "rows": rows, "columns": columns, "weight_port_words_per_cycle": None,
            "input_port_words_per_cycle": None, "output_port_words_per_cycle": None, "accumulator_sums": 0,
            "systolic_os_drain": "free",
        },
        "global_buffer": {"banks": _BANKS, "bank_bytes": bank, "bank_port_bytes": bank},
        "dram": dram,
        "tiling_slack_percent": 0,
        "energy_table": "eyeriss",
    }  # fmt: skip
    beside = (
        "Set for SCALE-Sim's rule: array.kind systolic, ports as wide as the sides that they feed, "
        "array.accumulator_sums 0, words of 8 bits, partial sums of 16 (the narrowest; there they are a byte), "
        "tiling_slack_percent 0 (the fastest tiles), "
        "global_buffer.bank_port_bytes as wide as a bank, design baseline (its machine has no predictor).",
        f"SCALE-Sim has no clock: frequency_hz is {_HZ:,}, as in the shipped machines. It has no energies either: "
        "energy_table is eyeriss, whose energies do not depend on the sizes of memories.",
        "Its own reports count a cycle less for each layer (its issue 125).",
    )
    return ImportedMachine(settings, (*config.notes(), *beside))


def _dram(config: _Config) -> tuple[dict[str, object], bool]:
    """Return the DRAM, and whether memory limits a run: in SCALE-Sim's mode USER, and not in CALC."""
    capacity = {"capacity_bytes": 1 << 40}  # SCALE-Sim knows no limit
    mode = config.text("InterfaceBandwidth") if "interfacebandwidth" in config.entries else "CALC"
    if mode == "CALC":
        config.note("dram.model ideal: SCALE-Sim calculates the bandwidth with which nothing waits",
                    "InterfaceBandwidth")  # fmt: skip
        config.note("no meaning here: InterfaceBandwidth CALC does not use it", "Bandwidth")
        return {"model": "ideal", **capacity}, False
    if mode != "USER":
        raise InputError(str(config.path), "InterfaceBandwidth", f"is {mode[:40]!r}", "give CALC or USER")
    first, *others = config.text("Bandwidth").split(",")
    words = _Config(config.path, {"bandwidth": ("Bandwidth", first.strip())}).number("Bandwidth")
    more = ", the first of them, as SCALE-Sim takes it" if others else ""
    config.note(
        f"dram.peak_bytes_per_second {words * _HZ:,}: {words} words of a byte a cycle{more}, and no latency; one "
        "channel for all operands, where SCALE-Sim gives each such a one",
        "Bandwidth",
    )
    config.note("dram.model bandwidth: Bandwidth and the buffers limit the run", "InterfaceBandwidth")
    return {"model": "bandwidth", "peak_bytes_per_second": words * _HZ, "latency_ns": 0, **capacity}, True


def _bank_bytes(config: _Config, limited: bool) -> int:
    """Return the bytes of a bank: a share of all three buffers, or no limit."""
    names = [(f"{buffer.capitalize()}SramSzkB", f"{buffer.capitalize()}SramSz") for buffer in _BUFFERS]
    total = 1024 * sum(config.number(*pair) for pair in names)
    share = total // _BANKS
    if limited:
        config.note(
            f"global_buffer: {_BANKS} banks of {share:,} bytes hold all three, {total:,} bytes; a layer that does not "
            "fit, or waits less so, is cut into tiles, and each fills the array anew, which SCALE-Sim does not count",
            *(name for pair in names for name in pair),
        )
        return share
    config.note(
        "no limit here: with InterfaceBandwidth CALC buffers change no cycle; global_buffer holds any layer, since one "
        "that is cut into tiles takes longer; bytes of DRAM are then the fewest there can be. For all three, "
        f"{total:,} bytes: --set global_buffer.bank_bytes={share} --set global_buffer.bank_port_bytes={share}",
        *(name for pair in names for name in pair),
    )
    return _NO_LIMIT_BYTES


def _shown(text: str) -> str:
    """Return a text that fits in a comment: one line, printable, and not long."""
    line = " ".join(text.split())
    line = line if line.isprintable() else repr(line)[1:-1]
    return line if len(line) <= 60 else f"{line[:57]}..."


def _entries(path: Path) -> dict[str, tuple[str, str]]:
    """Return name and value of every key, by its name in small letters."""
    import configparser  # only here: every command knows the importers

    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(read_text(path).removeprefix("\ufeff"), str(path))
    except configparser.DuplicateOptionError as error:
        raise InputError(
            str(path), f"line {error.lineno}", f"{error.option} is given twice", "keep one of the two"
        ) from None
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), None)
        place = "" if line is None else f"line {line}"
        problem = "is no configuration of SCALE-Sim: " + error.message.splitlines()[0]
        raise InputError(str(path), place, problem, "give one of its files, or name a spec of your own .yaml") from None
    if not parser.has_section(_SECTION):
        problem = f"is no configuration of SCALE-Sim: no section [{_SECTION}]"
        raise InputError(str(path), "", problem, "give one of its files, or name a spec of your own .yaml")
    entries: dict[str, tuple[str, str]] = {}
    for section in parser.sections():
        for name, value in parser[section].items():
            if name.lower() in entries:
                raise InputError(str(path), name, "is given twice", "keep one of the two")
            entries[name.lower()] = (name, value.strip())
    return entries


IMPORTER = MachineImporter("scalesim", (".cfg",), "SCALE-Sim's configuration", read_config)
