"""`adagp_sim`: what a notebook's user meets. Its figures are the command line's."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import adagp_sim
import click
import pytest
from command_line import good, run_here
from registries import DATAFLOWS, DESIGNS

from simulator.cli.main import cli
from simulator.machine.spec_loading import load_accelerator, load_designs


def adagp(*arguments: str) -> Any:
    """Return what a command prints as JSON."""
    return good(run_here(*arguments, "--json")).json


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder)


@pytest.fixture(scope="module")
def compared() -> adagp_sim.Results:
    return adagp_sim.compare("digits-cnn")


def test_a_comparison_has_the_figures_of_the_command(compared: adagp_sim.Results) -> None:
    said = adagp("compare", "digits-cnn")["runs"]
    assert [(run["design"], run["total_cycles"], run["energy_pj"]) for run in said] == [
        (run.design, run.total_cycles, run.energy_pj) for run in compared.runs
    ]


def test_settings_of_a_run_are_the_commands() -> None:
    options = ["--design", "low", "--dataflow", "os", "--set", "array.rows=8", "--batch-size", "16"]
    said = adagp("simulate", "digits-cnn", *options, "--schedule", "bp")["runs"]
    found = adagp_sim.simulate(
        "digits-cnn", design="low", dataflow="os", overrides={"array.rows": 8}, batch_size=16, schedule="bp"
    )
    assert [run["total_cycles"] for run in said] == [run.total_cycles for run in found.runs]


@pytest.mark.parametrize("kinds", [["activation", "pool"], ("activation", "pool")])
def test_a_list_of_python_is_a_list_of_a_file(kinds: Any) -> None:
    loaded = load_accelerator(design="max", overrides=["vector_unit.costed=[activation, pool]"])
    assert load_accelerator(design="max", overrides={"vector_unit.costed": kinds}) == loaded
    assert load_accelerator(design="max").replace({"vector_unit.costed": kinds}) == loaded
    assert load_accelerator(design="max").replace(vector_unit={"lanes": 15, "costed": kinds}) == loaded


def test_twenty_variants_are_a_loop_of_three_lines() -> None:
    machine = adagp_sim.load_accelerator("max")
    cycles = {}
    for rows in range(2, 22):
        cycles[rows] = adagp_sim.simulate("digits-cnn", machine.replace("array.rows", rows)).runs[0].total_cycles
    said = adagp("simulate", "digits-cnn", "--set", "array.rows=20")["runs"][0]["total_cycles"]
    assert cycles[20] == said
    assert len(set(cycles.values())) > 10


def test_the_example_of_the_help_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (adagp_sim.__doc__ or "").partition("::\n")[2].partition("\nNames are")[0]
    pytest.importorskip("pandas", reason="the example makes a data frame")
    exec(inspect.cleandoc(text).replace("vgg13-cifar10", "digits-cnn"), {})
    said = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert list(said) == ["8", "12", "16"]
    assert int(said["12"]) == adagp("simulate", "digits-cnn")["runs"][0]["total_cycles"]  # the shipped machine's rows


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize("design", DESIGNS)
def test_a_replaced_machine_is_the_one_that_is_loaded(design: str, dataflow: str) -> None:
    """Ports follow the array, parts come with their design, and a kind brings its own keys."""
    machine = load_accelerator(design=design)
    assert machine.replace() == machine
    assert machine.replace(dataflow=dataflow) == load_accelerator(design=design, dataflow=dataflow)
    changed = machine.replace({"array.rows": 7, "dram.model": "commands"}, dataflow=dataflow)
    assert changed == load_accelerator(
        design=design, dataflow=dataflow, overrides=["array.rows=7", "dram.model=commands"]
    )
    assert changed.replace({"array.rows": machine.array.rows, "dram.model": "bandwidth"}) == load_accelerator(
        design=design, dataflow=dataflow
    )
    for other in load_designs():
        assert machine.replace(design=other.design) == other


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(
    ("weights", "of_32_by_16"),
    [("null", {"ws": (16, 32, 16), "is": (32, 16, 16), "os": (16, 32, 16)}),
     ("columns", {"ws": (16, 32, 16), "is": (16, 16, 16), "os": (16, 32, 16)}),
     ("12", {"ws": (12, 32, 16), "is": (12, 16, 16), "os": (12, 32, 16)})],
)  # fmt: skip
def test_ports_follow_another_dataflow(
    design: str, weights: str, of_32_by_16: dict[str, tuple[int, int, int]], tmp_path: Path
) -> None:
    """A port that is left out is as wide as its side under each dataflow; one that is stated stays as it is stated.

    On a systolic array, the operand that stays enters by the columns, and the other by the rows. Where sums stay,
    filters enter by the columns (docs/microarchitecture.md).
    """
    array = f"{{kind: systolic, rows: 8, columns: 8, weight_port_words_per_cycle: {weights}}}"
    (tmp_path / "own.yaml").write_text(f"version: 2\ndesign: {design}\narray: {array}\n")
    machine = load_accelerator(tmp_path / "own.yaml")
    for first in of_32_by_16:
        for then, widths in of_32_by_16.items():
            found = machine.replace(dataflow=first).replace({"array.rows": 32, "array.columns": 16}, dataflow=then)
            ports = ("weight_port_words_per_cycle", "input_port_words_per_cycle", "output_port_words_per_cycle")
            assert tuple(getattr(found.array, port) for port in ports) == widths


def test_a_spec_is_a_machine_for_all_designs() -> None:
    machine = adagp_sim.load_accelerator("low").replace(array={"rows": 8})
    of_spec = adagp_sim.compare("digits-cnn", machine)
    of_name = adagp_sim.compare("digits-cnn", overrides={"array.rows": 8})
    assert [run.total_cycles for run in of_spec.runs] == [run.total_cycles for run in of_name.runs]
    assert [run.design for run in of_spec.runs] == DESIGNS
    specs = adagp_sim.compare("digits-cnn", [machine, machine.replace("array.rows", 4)])
    assert [run.spec.array.rows for run in specs.runs] == [8, 4]


class Cells(HTMLParser):
    """Collect the texts of a table's cells."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_notebook_shows_a_table_and_pictures(compared: adagp_sim.Results) -> None:
    page = Cells()
    page.feed(compared._repr_html_())
    assert page.tags.count("tr") == 1 + len(DESIGNS)
    for run in compared.runs:
        assert f"{run.total_cycles:,}" in page.texts
    for what in ("comparison", "layers"):
        assert compared.plot(what)._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no picture"):
        compared.plot("waterfall")  # type: ignore[arg-type]
    assert repr(compared).splitlines()[1] == f"  baseline ws: {compared.runs[0].total_cycles:,} cycles, speedup 1.0000"


def test_names_of_a_trace_are_text_in_the_table(compared: adagp_sim.Results) -> None:
    trace = adagp_sim.load_trace("digits-cnn").model_copy(update={"network": "<img src=x onerror=alert(1)>"})
    page = Cells()
    page.feed(adagp_sim.simulate(trace)._repr_html_())
    assert "img" not in page.tags


def test_rows_are_a_data_frame(compared: adagp_sim.Results) -> None:
    pytest.importorskip("pandas", reason="the extra dataframe is not installed")
    frame = compared.to_dataframe()
    assert list(frame.columns) == list(compared.table()[0])
    assert list(frame["end_cycle"]) == [row["end_cycle"] for row in compared.table()]


def test_totals_are_those_of_the_summary(compared: adagp_sim.Results) -> None:
    said = adagp("compare", "digits-cnn")["runs"]
    assert compared.totals() == [
        {key: run[key] for key in row} for run, row in zip(said, compared.totals(), strict=True)
    ]
    pytest.importorskip("pandas", reason="the extra dataframe is not installed")
    assert list(compared.to_dataframe("totals")["total_cycles"]) == [run["total_cycles"] for run in said]
    with pytest.raises(ValueError, match="no rows"):
        compared.to_dataframe("total")  # type: ignore[arg-type]


def test_without_pandas_the_message_says_what_to_install(
    compared: adagp_sim.Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"extra dataframe .*; table\(\) gives the same rows"):
        compared.to_dataframe()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: adagp_sim.simulate(3), "trace: is 3; give a shipped name, a path, or what load_trace returns"),
        (lambda: adagp_sim.simulate("digits-cnn", 3), "machine: is 3; give a shipped name"),
        (lambda: adagp_sim.simulate("digits-cnn", overrides={"array.rows": 0}), "overrides: array.rows: is 0"),
        (lambda: adagp_sim.simulate("digits-cnn", overrides="array.rows=3"), "give a mapping"),
        (lambda: adagp_sim.simulate("digits-cnn", batch_size=0), "batch_size: is 0"),
        (lambda: adagp_sim.simulate("digits-cnn", dataflow="xs"), "dataflow: unknown dataflow 'xs'"),
        (lambda: adagp_sim.simulate("digits-cnn", design="maxx"), "unknown design 'maxx'; did you mean max?"),
        (lambda: adagp_sim.compare("digits-cnn", designs=["lo"]), "designs: unknown design 'lo'; did you mean low?"),
        (lambda: adagp_sim.load_accelerator().replace("array.row", 3), "array.row: unknown key; did you mean rows?"),
        (lambda: adagp_sim.load_accelerator().replace(arrray=3), "arrray: unknown key; did you mean array?"),
        (lambda: adagp_sim.load_accelerator().model_copy(update={"arrray": 3}), "arrray: unknown key"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_said_in_pythons_words(call: object, said: str) -> None:
    with pytest.raises(adagp_sim.InputError) as error:
        call()  # type: ignore[operator]
    assert said in str(error.value)
    assert "--" not in str(error.value)


def test_completion_shows_every_public_name_and_only_these() -> None:
    assert sorted(adagp_sim.__all__) == adagp_sim.__all__
    for name in dir(adagp_sim):
        assert getattr(adagp_sim, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        adagp_sim.simulat  # type: ignore[attr-defined]  # noqa: B018


def test_an_import_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, adagp_sim; dir(adagp_sim); "
        "print(sorted({'numpy', 'numba', 'pydantic', 'pandas', 'matplotlib', 'torch', 'simulator'} & set(sys.modules)))"
    )
    assert python(code, tmp_path).stdout == "[]\n"


def test_a_foreign_module_that_hides_ours_is_named(tmp_path: Path) -> None:
    (tmp_path / "simulator.py").write_text("", encoding="utf-8")
    run = python("import adagp_sim; adagp_sim.simulate", tmp_path)
    assert run.returncode == 1
    last = run.stderr.splitlines()[-1]
    assert last.startswith("ImportError: adagp_sim needs its own package 'simulator', and Python finds that name at ")
    assert "simulator.py; rename it" in last


def test_a_folder_that_an_installation_left_is_named(tmp_path: Path) -> None:
    """Kernels that Numba keeps beside a plain installation stay when it goes."""
    left = tmp_path / "simulator" / "__pycache__"
    left.mkdir(parents=True)
    run = python("import adagp_sim; adagp_sim.simulate", tmp_path)
    assert run.returncode == 1
    assert f"finds that name at {left.parent}; rename it, remove it if an earlier installation left it" in run.stderr


def test_studies_and_pipelines_have_the_figures_of_the_commands() -> None:
    said = adagp("memory", "digits-cnn")["rules"]
    assert [rule["design_pj"] for rule in said] == [row.design_pj for row in adagp_sim.memory("digits-cnn")]
    said = adagp("area")
    assert said["designs"][0]["fpga"] == adagp_sim.area()["designs"][0]["fpga"]
    said = adagp("pipeline", "digits-cnn", "--pipeline-schedule", "dapple", "--design", "max")["runs"]
    found = adagp_sim.pipeline("digits-cnn", pipeline_schedules=["dapple"], designs=["baseline", "max"])
    assert [run["total_cycles"] for run in said] == [run.total_cycles for run in found.runs]


def test_what_is_shown_is_a_machine_again(tmp_path: Path) -> None:
    machine = adagp_sim.load_accelerator("max").replace("array.rows", 9)
    (tmp_path / "mine.yaml").write_text(adagp_sim.show(machine), encoding="utf-8")
    assert adagp_sim.load_accelerator(tmp_path / "mine.yaml") == machine
    assert "digits-cnn" in adagp_sim.shipped()["traces"]
    assert adagp_sim.inspect("digits-cnn")["network"] == adagp_sim.load_trace("digits-cnn").network


# What each command is from Python; the test fails for a new command that has no function.
FUNCTIONS = {
    "simulate": "simulate", "compare": "compare", "pipeline": "pipeline", "reproduce": "reproduce", "memory": "memory",
    "area": "area", "report": "report", "show": "show", "list": "describe", "schema": "schema", "diff": "diff",
    "energy-table": "energy_table",
    "trace inspect": "inspect", "trace export": "export_trace", "trace import": "import_trace",
    "sweep run": "sweep", "sweep show": "sweep_results", "sweep export": "sweep_results",
    "train reference": "train_reference", "train controls": "train_controls", "train predictors": "train_predictors",
}  # fmt: skip
OF_THE_SHELL = {"completion"}


def test_every_command_has_a_function_that_the_reference_shows() -> None:
    words = {
        f"{name} {inner}".strip()
        for name, command in cli.commands.items()
        for inner in (command.commands if isinstance(command, click.Group) else [""])
    }
    named = {one: FUNCTIONS.get(one, one) for one in words - OF_THE_SHELL}
    page = (Path(__file__).parents[2] / "docs/reference/python.md").read_text(encoding="utf-8")
    for command, name in named.items():
        assert name in adagp_sim.__all__, f"adagp-sim {command} has no function"
    for name in adagp_sim.__all__:
        assert f"adagp_sim.{name}" in page or name in ("Accelerator", "Trace"), name


def test_lists_and_schemas_are_the_commands() -> None:
    for kind in ("designs", "pipeline-schedules"):
        (said,) = good(run_here("list", kind, "--json")).json.values()
        assert adagp_sim.describe(kind) == said
    assert adagp_sim.schema("energy_table") == good(run_here("schema", "energy-table")).json
    assert adagp_sim.shipped()["designs"] == DESIGNS


def test_an_imported_trace_is_the_commands(tmp_path: Path) -> None:
    head = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"
    text = f"{head}\nfirst, 9, 9, 3, 3, 4, 8, 1,\n"
    (tmp_path / "net.csv").write_text(text, encoding="utf-8")
    good(run_here("trace", "import", "net.csv", "--batch-size", "2", "--out", "cli.yaml", cwd=tmp_path))
    trace = adagp_sim.import_trace(tmp_path / "net.csv", batch_size=2)
    assert trace == adagp_sim.load_trace(tmp_path / "cli.yaml")
    saved = adagp_sim.save_trace(trace, tmp_path / "api.yaml")
    assert saved.read_bytes() == (tmp_path / "cli.yaml").read_bytes()
    with pytest.raises(adagp_sim.InputError, match="format: unknown format 'onx'"):
        adagp_sim.import_trace(tmp_path / "net.csv", format="onx")


def test_a_recorded_model_is_simulated(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the extra torch is not installed")

    def small() -> object:
        return torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Flatten(), torch.nn.Linear(8 * 6 * 6, 10))

    trace = adagp_sim.record(small, (4, 3, 8, 8), samples=64, name="small")  # type: ignore[arg-type]
    macs = 4 * (8 * 6 * 6 * 3 * 9 + 10 * 8 * 6 * 6)
    assert adagp_sim.inspect(trace)["macs_per_batch"]["forward"] == macs
    assert adagp_sim.simulate(trace, schedule="one-batch").runs[0].total_cycles > 0
    two = adagp_sim.record(lambda: torch.nn.Bilinear(4, 5, 6), [(2, 4), (2, 5)])
    assert two.batch_size == 2


def test_an_exported_trace_is_the_commands(tmp_path: Path) -> None:
    pytest.importorskip("torchvision", reason="the extra torch is not installed")
    good(run_here("trace", "export", "vgg13-cifar10", "--epochs", "12", "--out", "v.yaml", cwd=tmp_path))
    assert adagp_sim.export_trace("vgg13-cifar10", epochs=12) == adagp_sim.load_trace(tmp_path / "v.yaml")


def test_reproduce_makes_the_commands_report(tmp_path: Path) -> None:
    folder = adagp_sim.reproduce(tmp_path / "report", only=["schedules"])
    assert (folder / "report.md").is_file() or (folder / "report.html").is_file()
    with pytest.raises(adagp_sim.InputError, match=r"^only: "):
        adagp_sim.reproduce(tmp_path / "report", only=["fig99"])


def test_a_trained_trace_is_the_commands(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the extra torch is not installed")
    good(run_here("train", "reference", "digits-cnn", "--epochs", "1", "--out", "d.yaml", cwd=tmp_path))
    lines: list[str] = []
    trace = adagp_sim.train_reference("digits-cnn", epochs=1, progress=lines.append)
    assert lines[0].startswith("epoch 1 of 1: loss ")
    assert trace.metrics == adagp_sim.load_trace(tmp_path / "d.yaml").metrics


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: adagp_sim.simulate("digits-cnn", batch_size="64"), "batch_size: is '64'; give a whole number"),
        (lambda: adagp_sim.simulate("digits-cnn", exact="2"), "exact: is '2'; give a whole number"),
        (lambda: adagp_sim.compare("digits-cnn", dataflow=["ws", "os"]), "dataflow: is ['ws', 'os']; give one name"),
        (lambda: adagp_sim.compare("digits-cnn", designs="maxi"), "did you mean max?"),
        (lambda: adagp_sim.show("mx"), "did you mean max?"),
        (lambda: adagp_sim.step("digits-cnn", "0", folds=0), "folds: is 0; give a whole number of at least 1"),
        (lambda: adagp_sim.reproduce("nowhere", only="fig8x"), "did you mean fig8?"),
        (lambda: adagp_sim.sweep({"trace": "digits-cn"}), "did you mean digits-cnn?"),
        (lambda: adagp_sim.sweep({"trace": "digits-cnn", "grid": {"array.row": [6]}}), "did you mean array.rows?"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(call: Callable[[], object], words: str) -> None:
    with pytest.raises(adagp_sim.InputError) as told:
        call()
    assert words in str(told.value)


def test_a_sweep_takes_lists_and_runs_from_a_script_without_a_guard(tmp_path: Path) -> None:
    script = tmp_path / "rows.py"
    script.write_text(
        "import adagp_sim\n"
        "print('begun')\n"
        "found = adagp_sim.sweep({'trace': 'digits-cnn', 'grid': {'array.rows': [6, 7], 'design': ['baseline']}})\n"
        "print(len(found.done))\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=200)
    assert done.stdout.split() == ["begun", "2"], done.stderr
    assert done.stderr == ""


WRONG = object()
NEEDED = {"trace": "digits-cnn", "network": "digits-cnn", "layer": "conv1", "model": "torch.nn:Identity",
          "inputs": (2, 3), "kind": "spec"}  # fmt: skip


@pytest.mark.parametrize("name", [one for one in adagp_sim.__all__ if inspect.isfunction(getattr(adagp_sim, one))])
def test_an_argument_of_a_wrong_type_is_told_in_one_line(name: str) -> None:
    """Whatever the function and the argument: one line that begins with the argument's name."""
    function = getattr(adagp_sim, name)
    told = inspect.signature(function).parameters
    for one in told.values():
        needed = {
            other.name: NEEDED.get(other.name, "absent") for other in told.values() if other.default is other.empty
        }
        if isinstance(one.annotation, str):
            continue  # of PyTorch, which need not be installed
        if name == "save_trace" and one.name == "file":
            needed["trace"] = adagp_sim.load_trace("digits-cnn")
        with pytest.raises(adagp_sim.InputError, match=rf"^{one.name}: ") as error:
            function(**(needed | {one.name: WRONG}))
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: adagp_sim.load_accelerator("max", dataflow=5.5), "^dataflow: is 5.5; give one name"),
        (lambda: adagp_sim.load_designs(overrides=5.5), "^overrides: is 5.5; give a mapping or a sequence, each text"),
        (lambda: adagp_sim.load_designs(dataflow=["ws"]), "^dataflow: .*; give one name"),
        (lambda: adagp_sim.train_reference(epochs=0), "^epochs: is 0"),
        (lambda: adagp_sim.train_reference(seed=-1), "^seed: is -1"),
        (lambda: adagp_sim.train_reference(seed=2**70), "^seed: is .*; give a whole number from 0 to 4294967295"),
        (lambda: adagp_sim.train_reference(milestones=[0]), "^milestones: is 0; .* from 1"),
        (lambda: adagp_sim.train_reference(predictor_rate=-1.0), "^predictor_rate: is -1.0"),
        (lambda: adagp_sim.train_reference(predictor_rate=float("nan")), "^predictor_rate: is nan"),
        (lambda: adagp_sim.train_reference(predictor_start="small-ish"), "^predictor_start: .*zero, small, default"),
        (lambda: adagp_sim.train_reference(per_class=5), "^per_class: is given without data"),
        (lambda: adagp_sim.train_predictors(seeds=0), "^seeds: is 0"),
        (lambda: adagp_sim.train_predictors(stream_epochs=0), "^stream_epochs: is 0"),
        (lambda: adagp_sim.describe(""), "^kind: is '', which is no kind"),
        (lambda: adagp_sim.schema(""), "^kind: is '', which is no kind of file; .*sweep"),
    ],
)
def test_a_value_that_does_not_fit_is_told_before_anything_runs(call: Callable[[], object], words: str) -> None:
    pytest.importorskip("torch")
    with pytest.raises(adagp_sim.InputError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


def test_an_unknown_name_is_told_with_the_nearest_one() -> None:
    run = adagp_sim.simulate("digits-cnn")
    for call, remedy in (
        (lambda: run.plot("layer"), "did you mean layers"),  # type: ignore[arg-type]
        (lambda: run.to_dataframe("total"), "did you mean totals"),  # type: ignore[arg-type]
        (lambda: adagp_sim.record("torch.nn:Identity", (2, 3), optimizer="adamw"), "did you mean adam"),  # type: ignore[arg-type]
        (lambda: adagp_sim.load_accelerator("max").replace(5, 5), "give dotted keys, such as array.rows"),
    ):
        with pytest.raises(ValueError, match=remedy) as error:
            call()
        assert "\n" not in str(error.value)


def test_a_copy_does_not_remember_the_layers_of_its_model() -> None:
    trace = adagp_sim.load_trace("vgg13-cifar10")
    first = trace.mac_layers[0]
    assert trace.model_copy(update={"layers": (first,)}).mac_layers == (first,)


def test_an_argument_of_another_name_is_told_with_the_nearest() -> None:
    with pytest.raises(adagp_sim.InputError, match=r"simulate\(\): designs: no such argument; did you mean design\?"):
        adagp_sim.simulate("digits-cnn", designs="max")  # type: ignore[call-arg]
