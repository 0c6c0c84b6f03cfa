"""SCALE-Sim's configuration files, as a machine."""

import re
from pathlib import Path

import pytest
import yaml
from command_line import good, run_here
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scalesim_rule import FLOWS

from simulator.machine.importers import machine_importer, machine_importers
from simulator.machine.spec_loading import load_accelerator, load_designs
from workloads.foundation.errors import InputError

# Of SCALE-Sim 3, in all sections that its own files have.
TEXT = """[general]
run_name = a_run

[architecture_presets]
ArrayHeight:    24
ArrayWidth:     40
IfmapSramSzkB:    64
FilterSramSzkB:   32
OfmapSramSzkB:    16
IfmapOffset:    0
FilterOffset:   10000000
OfmapOffset:    20000000
Dataflow : is
Bandwidth : 10
MemoryBanks:   1
ReadRequestBuffer: 32
WriteRequestBuffer: 32

[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10

[sparsity]
SparsitySupport : false
SparseRep : ellpack_block

[run_presets]
InterfaceBandwidth: USER
UseRamulatorTrace: False
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "scale.cfg"
    path.write_text(text)
    return path


def without(key: str) -> str:
    return "".join(line for line in TEXT.splitlines(keepends=True) if not line.startswith(key))


def test_sizes_and_bandwidth_are_the_files(tmp_path: Path) -> None:
    spec = load_accelerator(write(tmp_path, TEXT))
    assert (spec.design, spec.dataflow, spec.array.kind) == ("baseline", "is", "systolic")
    assert (spec.array.rows, spec.array.columns) == (24, 40)
    assert spec.narrow_ports == []
    assert spec.global_buffer.capacity_bytes == (64 + 32 + 16) * 1024
    # ten words of a byte in each cycle
    assert spec.dram.bytes_per_second == 10 * spec.frequency_hz
    assert (spec.precision.word_bits, spec.dram.least_transfer_cycles(spec.frequency_hz)) == (8, 0)


def test_calculated_bandwidth_is_no_limit(tmp_path: Path) -> None:
    spec = load_accelerator(write(tmp_path, TEXT.replace("USER", "CALC")))
    assert spec.dram.model == "ideal"
    assert spec.global_buffer.capacity_bytes == 1 << 34
    # its note names what makes it a limit
    (note,) = [one for one in machine_importer(Path("x.cfg")).read(tmp_path / "scale.cfg").notes if "IfmapSram" in one]
    settings = [word for word in note.split() if word.startswith("global_buffer.bank")]
    limited = load_accelerator(tmp_path / "scale.cfg", overrides=settings)
    assert limited.global_buffer.capacity_bytes == (64 + 32 + 16) * 1024


def test_version_one_has_other_names_and_no_mode(tmp_path: Path) -> None:
    text = TEXT.split("[layout]")[0].replace("SramSzkB", "SramSz").replace("Bandwidth : 10\n", "")
    spec = load_accelerator(write(tmp_path, text))
    assert (spec.array.rows, spec.dram.model) == (24, "ideal")


def test_several_bandwidths(tmp_path: Path) -> None:
    spec = load_accelerator(write(tmp_path, TEXT.replace("Bandwidth : 10", "Bandwidth : 20, 30")))
    assert spec.dram.bytes_per_second == 20 * spec.frequency_hz


@pytest.mark.parametrize("mode", ["CALC", "USER"])
def test_every_key_has_its_line(mode: str, tmp_path: Path) -> None:
    text = TEXT.replace("USER", mode) + "Mine: 7\n"
    notes = machine_importer(Path("x.cfg")).read(write(tmp_path, text)).notes
    keys = [line.replace("=", ":").split(":") for line in text.splitlines() if ":" in line or "=" in line]
    for name, value in keys:
        (line,) = [note for note in notes if re.search(rf"\b{name.strip()} = {value.strip()}\b", note)]
        assert ("no key of SCALE-Sim's" in line) == (name == "Mine")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no section"),
        ("rows: 3\n", "line 1: is no configuration of SCALE-Sim"),
        ("[general]\nx: 1\n", r"no section \[architecture_presets\]"),
        (without("ArrayHeight"), "ArrayHeight: missing; add it"),
        (without("FilterSram"), "FilterSramSzkB: missing"),
        (without("Bandwidth"), "Bandwidth: missing"),
        (TEXT.replace("24", "8, 16"), "ArrayHeight: is '8, 16'; give a whole number"),
        (TEXT.replace("24", "0"), "ArrayHeight: is 0; give 1 to"),
        (TEXT.replace("24", "9999999"), "array.rows: is 9999999"),
        (TEXT.replace(": is", ": rs"), "Dataflow: is 'rs'; give is, os, ws"),
        (TEXT.replace("USER", "both"), "InterfaceBandwidth: is 'both'; give CALC or USER"),
        (TEXT.replace("Bandwidth : 10", "Bandwidth : fast"), "Bandwidth: is 'fast'"),
        (TEXT + "UseRamulatorTrace: True\n", "line 30: UseRamulatorTrace is given twice; keep one"),
        (TEXT + "arrayheight: 3\n", "arrayheight: is given twice"),
        (TEXT.replace("[general]", "[general"), "line 1: is no configuration of SCALE-Sim"),
    ],
)
def test_wrong_files_are_told_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words) as told:
        load_accelerator(write(tmp_path, text))
    assert "\n" not in str(told.value)


LINES = st.sampled_from(["", "[x]", "[", ":", "= 3", "ArrayWidth: 1", "é\x00", "%(x)s", "Bandwidth: ", "  7"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 31), LINES), max_size=5))
def test_any_text_is_a_machine_or_refused_in_one_line(tmp_path: Path, changes: list[tuple[int, str]]) -> None:
    lines = TEXT.splitlines()
    for place, text in changes:
        lines[min(place, len(lines) - 1)] = text
    path = write(tmp_path, "\n".join(lines))
    try:
        load_accelerator(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert all(note.isprintable() for note in machine_importer(path).read(path).notes)


def test_it_goes_wherever_a_spec_goes(tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    shown = good(run_here("show", "scale.cfg", cwd=tmp_path)).out
    assert "# ArrayHeight = 24: array.rows\n" in shown
    (tmp_path / "mine.yaml").write_text(shown)
    assert load_accelerator(tmp_path / "mine.yaml") == load_accelerator(tmp_path / "scale.cfg")
    (tmp_path / "over.yaml").write_text("{extends: scale.cfg, array: {rows: 7}}")
    over = load_accelerator(tmp_path / "over.yaml")
    assert (over.array.rows, over.array.columns) == (7, 40)
    assert [spec.dataflow for spec in load_designs(tmp_path / "scale.cfg")] == ["is"] * 4
    assert load_accelerator(tmp_path / "scale.cfg", "max").second_array is not None
    command = ("compare", "digits-cnn", "--schedule", "inference")
    runs = good(run_here(*command, "--config", "scale.cfg", "--out", "r", "--json", cwd=tmp_path))
    assert [run["dataflow"] for run in runs.json["runs"]] == ["is"] * 4
    assert "adagp-sim show scale.cfg says what each of its keys became" in runs.err
    resolved = yaml.safe_load((tmp_path / "r/config.resolved.yaml").read_text())
    assert resolved["accelerators"][0]["array"]["rows"] == 24


def test_a_machine_is_no_workload(tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    ended = run_here("trace", "import", "scale.cfg", cwd=tmp_path)
    assert ended.code == 2
    assert "is a machine (SCALE-Sim's configuration), and no workload; give it to --config" in ended.err


def test_registry_knows_it_by_its_ending() -> None:
    assert machine_importer(Path("a/B.CFG")) is machine_importers()["scalesim"]
    assert machine_importer(Path("cfg.yaml")) is None
    assert set(FLOWS) == {"ws", "is", "os"}
