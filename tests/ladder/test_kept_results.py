"""A kept result depends on what computes it and on nothing else (`simulator.jobs.model_version`)."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kept_jobs import Square, squares

from simulator.jobs import model_version
from simulator.jobs.model_version import ROOT, code_files, code_says, machine_files
from simulator.reproduce.execute import missing_jobs, run_jobs
from simulator.reproduce.sources import JOBS, Sources
from simulator.reproduce.store import open_store
from workloads.foundation.shipped import resolve, shipped_folder

Edit = Callable[[str], str]
MODULE = '''"""A module."""

STEPS = 3  # of a layer


def total(layers: int) -> int:
    """Return the steps."""
    # forward, dgrad and wgrad
    return STEPS * layers
'''


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("# of a layer", "# forward and two backward passes of a layer"),
        lambda text: text.replace("Return the steps.", "Return the steps of all layers."),
        lambda text: text.replace("A module.", "Another word."),
        lambda text: text.replace("    # forward, dgrad and wgrad\n", ""),
        lambda text: text.replace("STEPS * layers", "STEPS  *  (layers)"),
    ],
)  # fmt: skip
def test_words_and_layout_are_not_code(edit: Edit) -> None:
    assert edit(MODULE) != MODULE
    assert code_says(edit(MODULE)) == code_says(MODULE)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("STEPS = 3", "STEPS = 4"),
        lambda text: text.replace("STEPS * layers", "STEPS + layers"),
        lambda text: text.replace("STEPS * layers", 'len("""Return the steps.""")'),
        lambda text: text.replace("layers: int)", "layers: int = 1)"),
    ],
)
def test_code_is_code(edit: Edit) -> None:
    assert edit(MODULE) != MODULE
    assert code_says(edit(MODULE)) != code_says(MODULE)


def run_all(folder: Path) -> set[int]:
    """Run the squares and return how often each has been run so far."""
    notes = folder / "notes"
    notes.mkdir(exist_ok=True, parents=True)
    jobs = squares(notes)
    with open_store(folder) as store:
        _, missing = missing_jobs(jobs, store)
        run_jobs(missing, store, 1, lambda line: None)
    return {len(path.read_text()) for path in notes.iterdir()}


def edited(monkeypatch: pytest.MonkeyPatch, name: str, edit: Edit, folder: Path) -> None:
    """Put an edited copy of a shipped file or module in the place of the one that is read."""
    original, copy = ROOT / name, folder / Path(name).name
    text = edit(original.read_text(encoding="utf-8"))
    assert text != original.read_text(encoding="utf-8")
    copy.write_text(text, encoding="utf-8")
    read = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, *rest, **more: read(copy if self == original else self, **more))
    read_yaml = model_version.read_yaml
    monkeypatch.setattr(model_version, "read_yaml", lambda path: read_yaml(copy if path == original else path))


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("simulator/outputs/colours.py", lambda text: text.replace("#0072B2", "#0072B3")),
        ("simulator/reproduce/exhibits/speedups.py", lambda text: text.replace("banks=80", "banks=81")),
        ("simulator/cli/reproduce.py", lambda text: text + "NUMBER = 1\n"),
        ("simulator/engine/batch.py", lambda text: "# another comment\n" + text),
        ("configs/accelerators/max.yaml", lambda text: "# another comment\n" + text),
    ],
)
def test_results_stay(monkeypatch: pytest.MonkeyPatch, name: str, edit: Edit, tmp_path: Path) -> None:
    assert run_all(tmp_path / "out") == {1}
    edited(monkeypatch, name, edit, tmp_path)
    assert run_all(tmp_path / "out") == {1}


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("simulator/engine/batch.py", lambda text: text + "NUMBER = 1\n"),
        ("simulator/reproduce/jobs/layer_cycles.py", lambda text: text.replace("row.cycles", "row.compute_cycles")),
        ("configs/dram/ddr3-1600.yaml", lambda text: text + "\nanother_key: 1\n"),
        ("configs/energy/cacti_sram.csv", lambda text: text + "1\n"),
    ],
)
def test_results_go(monkeypatch: pytest.MonkeyPatch, name: str, edit: Edit, tmp_path: Path) -> None:
    assert run_all(tmp_path / "out") == {1}
    edited(monkeypatch, name, edit, tmp_path)
    assert run_all(tmp_path / "out") == {2}


def test_a_trace_counts_for_its_own_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, other = Square(1, 1, "notes"), Square(1, 1, "notes", trace="vgg13-cifar10")
    before = Sources()
    digests = [before.digest(job) for job in (ours, other)]
    path, read = resolve("digits-cnn", "traces", "trace"), Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: read(self) + b"x" if self == path else read(self))
    after = Sources()
    assert after.digest(ours) != digests[0]
    assert after.digest(other) == digests[1]
    assert before.digest(ours) == digests[0]  # as it was when a run began


COMPUTE = """
import json, sys
opened = []
sys.addaudithook(lambda event, found: opened.append(str(found[0])) if event == "open" else None)
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.jobs.fold_counts import FoldCounts
from simulator.reproduce.jobs.layer_cycles import LayerCycles
from simulator.reproduce.jobs.memory_rules import MemoryRules
from simulator.reproduce.jobs.pipeline_comparison import PipelineComparison
from simulator.reproduce.jobs.target_costs import TargetCosts
for job in (
    DesignComparison("digits-cnn", settings=("dram.model=commands",)), LayerCycles("digits-cnn"),
    FoldCounts("digits-cnn", shapes=((12, 15),)), MemoryRules("digits-cnn"),
    PipelineComparison("digits-cnn", schedules=("gpipe",), training_schedules=("one-to-one",)),
    TargetCosts("digits-cnn", targets=(0.92,)),
):
    job.compute()
modules = [module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)]
print(json.dumps([modules, opened]))
"""


def test_what_computes_is_what_counts() -> None:
    """Every module that jobs load, and every shipped file that they open, is among those that results depend on."""
    done = subprocess.run([sys.executable, "-c", COMPUTE], capture_output=True, text=True, check=True, cwd=ROOT)
    modules, opened = json.loads(done.stdout)
    packages = tuple(f"{ROOT / name}/" for name in ("workloads", "dataflows", "simulator"))
    loaded = {Path(name) for name in modules if name.startswith(packages)}
    # what merely holds a package together computes nothing
    counted = {ROOT / name for name in code_files(JOBS)}
    assert {path for path in loaded - counted if path.name != "__init__.py"} == set()
    data = {Path(name) for name in opened if name.startswith((f"{shipped_folder('configs')}/", f"{ROOT / 'traces'}/"))}
    assert data - set(machine_files()) == {resolve("digits-cnn", "traces", "trace")}
