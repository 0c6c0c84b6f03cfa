"""A file in the place of another kind: the error says what it is, and what takes it."""

from pathlib import Path

import pytest
from command_line import run_here

from simulator.machine.spec_loading import load_accelerator
from simulator.phases.design import designs
from simulator.run.simulation import Simulation
from workloads.foundation.errors import InputError
from workloads.foundation.kinds import KINDS, kind_of
from workloads.foundation.quantities import byte_text, more_than
from workloads.foundation.shipped import shipped_names
from workloads.foundation.strict_yaml import read_yaml
from workloads.trace import load_trace

ASKING = {
    "traces": ("simulate", "{}"),
    "configs/accelerators": ("simulate", "digits-cnn", "--config", "{}"),
    "configs/schedules": ("simulate", "digits-cnn", "--schedule", "{}"),
    "configs/energy": ("simulate", "digits-cnn", "--set", "energy_table={}"),
    "configs/dram": ("simulate", "digits-cnn", "--set", "dram.model=commands", "--set", "dram.part={}"),
}
NAMES = {"traces": "vgg13-cifar10", "configs/accelerators": "low", "configs/schedules": "all-gp",
         "configs/energy": "45nm", "configs/dram": "ddr3-1600"}  # fmt: skip


def refusal(*arguments: str, cwd: Path | None = None) -> str:
    """Return the one line of a command that is refused."""
    said = run_here(*arguments, cwd=cwd)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said
    return said.err


@pytest.mark.parametrize("asked", ASKING)
@pytest.mark.parametrize("given", NAMES)
def test_a_name_of_another_kind_is_told_by_its_kind(asked: str, given: str) -> None:
    if asked != given:
        line = refusal(*(word.format(NAMES[given]) for word in ASKING[asked]))
        title = next(kind.title for kind in KINDS if kind.folder == given)
        assert f"{title}, and no " in line
        assert NAMES[given] in line


@pytest.mark.parametrize("asked", ["traces", "configs/accelerators", "configs/schedules"])
@pytest.mark.parametrize("given", NAMES)
def test_a_file_of_another_kind_is_told_by_what_it_holds(asked: str, given: str, tmp_path: Path) -> None:
    if asked != given:
        text = shipped_names(given)[NAMES[given]].read_text(encoding="utf-8")
        (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
        line = refusal(*(word.format("mine.yaml") for word in ASKING[asked]), cwd=tmp_path)
        title = next(kind.title for kind in KINDS if kind.folder == given)
        assert line.startswith(f"error: mine.yaml: {title} (it has the key ")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_every_shipped_file_is_of_the_kind_of_its_folder(kind: object) -> None:
    for path in shipped_names(kind.folder).values():  # type: ignore[attr-defined]
        if path.stat().st_size < 100_000:  # a long trace takes seconds
            assert kind_of(read_yaml(path)) == kind


@pytest.mark.parametrize("keys", [["version", "name"], "text", None, {}, {"lines": 3}])
def test_what_has_no_kinds_keys_is_of_none(keys: object) -> None:
    assert kind_of(dict.fromkeys(keys) if isinstance(keys, list) else keys) is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("simulate", "mynet.py"), "mynet.py: Python code, and no trace; adagp-sim trace export --model mynet:CALL"),
        (("trace", "inspect", "mynet.pt"), "mynet.pt: a file of weights, and no trace; adagp-sim trace export --model"),
        (("compare", "net.onnx"), "net.onnx: a file of the format onnx, and no trace; adagp-sim trace import net.onnx"),
        (("memory", "scale.cfg"), "scale.cfg: is a machine (SCALE-Sim's configuration), and no workload; give it to"),
        (("memory", "net.csv"), "net.csv: a file of the format scalesim, and no trace; adagp-sim trace import net.csv"),
        (("simulate", "scale.cfg"), "scale.cfg: is a machine (SCALE-Sim's configuration), and no workload; give it to"),
        (("show", "vgg13-cifar10"), "vgg13-cifar10: a trace, and no config; adagp-sim trace inspect vgg13-cifar10"),
        (("simulate", "digits-cnn", "--set", "rows=32"),
         "--set: rows: unknown key; did you mean array.rows or dram.organization.rows or second_array.rows?"),
        (("simulate", "digits-cnn", "--set", "array.latency_ns=3"),
         "array.latency_ns: unknown key; did you mean dram.latency_ns?"),
        (("simulate", "resnet50-imagenet", "--batch-size", "2048"),  # 51,243,115,392 bytes
         "is 8 GiB, but a bp batch of ResNet50, 2048 samples, keeps 47.72 GiB; give more DRAM, or --batch-size 337, "),
        (("simulate", "digits-cnn", "--set", "dram.capacity_bytes=1000"), "is 1000 bytes, but a bp batch of digits"),
        (("simulate", "digits-cn0"), "trace digits-cn0: no such trace; did you mean digits-cnn? or give a file\n"),
        (("simulate", "zzz"), " and 19 more or give a file\n"),
        (("compare", "digits-cnn", "--schedule", "gpipe"),
         "gpipe is a pipeline's schedule, and no sequence of batches; write --pipeline-schedule gpipe"),
        (("pipeline", "digits-cnn", "--pipeline-schedule", "paper"),
         "paper is a sequence of batches, and no pipeline's schedule; write --schedule paper"),
        (("report", "absent"), "absent: no such folder; check the path\n"),
        (("list", ""), "kind: is '', which is no kind; known: arrays, "),
    ],
)  # fmt: skip
def test_a_wrong_command_says_the_right_one(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    assert said in refusal(*arguments, cwd=tmp_path)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("net.py:make", "names a file, and not a module; write net:make"),
        ("parts/net.py:make", "names a file, and not a module; write parts.net:make"),
        ("net.py", "is no module:callable; write the module, a colon, and the callable that returns the model, "
         "such as net:make"),
        ("net:make", "net has no callable make; define one that returns the model"),
    ],
)  # fmt: skip
def test_a_model_that_is_named_wrongly(model: str, said: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra torch is not installed")
    (tmp_path / "net.py").write_text("SIZE = 3\n", encoding="utf-8")
    line = refusal("trace", "export", "--model", model, "--input", "1x3x4x4", "--out", "x.yaml", cwd=tmp_path)
    assert said in line


@pytest.mark.parametrize("design", designs())
@pytest.mark.parametrize("name", ["digits-cnn", "vgg13-cifar10"])
def test_the_largest_batch_fits_and_the_next_does_not(name: str, design: str) -> None:
    spec = load_accelerator(design=design, overrides={"dram.capacity_bytes": 1 << 29})
    trace = load_trace(name).with_batch_size(10**6)
    with pytest.raises(InputError, match=r"--batch-size (\d+), the largest that fits") as error:
        Simulation(trace, spec).prepare()
    most = int(str(error.value).partition("--batch-size ")[2].partition(",")[0])
    Simulation(trace.with_batch_size(most), spec).prepare()
    with pytest.raises(InputError, match="the largest that fits"):
        Simulation(trace.with_batch_size(most + 1), spec).prepare()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"), (1, "1 byte"), (1000, "1000 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"),
        (1536, "1.5 KiB"), (700_576, "684.2 KiB"), (1 << 20, "1 MiB"), (8 << 30, "8 GiB"),
        (102_319_154_048, "95.29 GiB"), (5 << 40, "5 TiB"), (1 << 50, "1,125,899,906,842,624 bytes"),
    ],
)  # fmt: skip
def test_bytes_have_a_unit(count: int, text: str) -> None:
    assert byte_text(count) == text


def test_bytes_that_units_would_make_equal_are_told_apart() -> None:
    assert more_than((8 << 30) + 1, 8 << 30) == ("8,589,934,593 bytes", "8,589,934,592")
    assert more_than(3 << 30, 2 << 30) == ("3 GiB", "2 GiB")
