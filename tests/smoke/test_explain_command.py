"""`adagp-sim explain`: one layer's cycles are those of the whole run, and each is accounted for."""

from pathlib import Path
from typing import Any

import adagp_sim
import pytest
import yaml
from command_line import good, run_here
from registries import DATAFLOWS, DESIGNS
from waves import read_vcd

from simulator.explain.layer import STALLS, Explained
from workloads.trace import load_trace

TRACE = "digits-cnn"
LAYERS = [layer.id for layer in load_trace(TRACE).mac_layers]


def explained(layer: str, design: str = "baseline", **options: Any) -> Explained:
    return adagp_sim.explain(TRACE, layer, design=design, **options)


def check_rows(design: str, phase: str, layers: list[str], **options: Any) -> None:
    """Compare the passes of layers with the rows of a whole run."""
    run = adagp_sim.simulate(TRACE, design=design, **options)
    for layer in layers:
        rows = [row for row in run.rows if row.layer == layer and row.phase == phase]
        found = explained(layer, design, phase=phase, **options)
        assert [one.name for one in found.passes] == [row.pass_ for row in rows]
        assert [one.op.cycles for one in found.passes] == [row.cycles for row in rows]
        stalls = [[getattr(row, stall) for stall in STALLS] for row in rows]
        assert [list(one.stalls.values()) for one in found.passes] == stalls
        assert [one.energy.total for one in found.passes] == pytest.approx([row.energy.total for row in rows])


@pytest.mark.parametrize("phase", ["bp", "gp"])
@pytest.mark.parametrize("design", DESIGNS)
def test_an_explanation_has_the_rows_of_the_run(design: str, phase: str) -> None:
    check_rows(design, phase, LAYERS)


def test_refreshes_that_earlier_layers_owe_are_in_it() -> None:
    check_rows("max", "bp", LAYERS[:1], overrides={"dram.model": "commands"})


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize("design", DESIGNS)
def test_every_plan_is_explained_by_its_formula(design: str, dataflow: str) -> None:
    """Of updates and transfers, too: the printed formula adds up to the plan's cycles."""
    found = explained(LAYERS[1], design, dataflow=dataflow)
    for one in found.passes:
        assert len(one.origins) == len(one.plans)
        for origin, plan in one.origins:
            assert origin.formula.total == plan.compute_cycles, origin.title
        assert sum(plan.compute_cycles for plan in one.plans) == one.op.compute_cycles


@pytest.mark.parametrize(("name", "changes"), [
    ("DRAM that takes no time", {"dram.model": "ideal"}),
    ("one more row of PEs", {"array.rows": 13}),
    ("DRAM without latency", {"dram.latency_ns": 0}),
])  # fmt: skip
def test_a_relief_saves_what_the_other_machine_saves(name: str, changes: dict[str, Any]) -> None:
    relief = next(one for one in explained(LAYERS[1]).reliefs if one.name == name)
    runs = [adagp_sim.simulate(TRACE, design="baseline", overrides=given) for given in ({}, changes)]
    cycles = [sum(r.cycles for r in run.rows if r.layer == LAYERS[1] and r.phase == "bp") for run in runs]
    assert relief.saved == cycles[0] - cycles[1]


@pytest.mark.parametrize(("limit", "changes"), [
    ("array", {"array.rows": 2, "array.columns": 2}),
    ("port", {"array.input_port_words_per_cycle": 1}),
    ("DRAM", {"dram.peak_bytes_per_second": 10**7}),
    ("buffer", {"global_buffer.bank_bytes": 24, "global_buffer.bank_port_bytes": 24, "dram.latency_ns": 0}),
])  # fmt: skip
def test_the_narrowest_limit_binds(limit: str, changes: dict[str, Any]) -> None:
    found = explained(LAYERS[1], overrides=changes, passes=["forward"])
    binds = found.binds()
    assert binds is not None
    assert binds.limit == limit, [(one.name, one.saved) for one in found.reliefs]


@pytest.mark.parametrize(("pass_", "limit"), [("update", "port"), ("vector_forward", "vector unit")])
def test_what_binds_a_pass_that_is_no_product(pass_: str, limit: str) -> None:
    """An update takes 2 MACs and 5 words a weight: without DRAM its ports are the narrowest, not its 180 PEs."""
    overrides = {"dram.model": "ideal", "vector_unit.costed": ("activation",)}
    found = explained(LAYERS[1], overrides=overrides)
    (one,) = [one for one in found.passes if one.name == pass_]
    binds = found.binds(one.key)
    assert binds is not None
    assert binds.limit == limit


def test_the_command_prints_what_python_has(tmp_path: Path) -> None:
    found = explained(LAYERS[1], dataflow="os", overrides={"array.rows": 8})
    options = ["explain", TRACE, "--layer", LAYERS[1], "--dataflow", "os", "--set", "array.rows=8"]
    said = good(run_here(*options, "--mapping-out", "mapping.yaml", cwd=tmp_path))
    assert said.out.strip() == str(found).strip()
    assert good(run_here(*options, "--json")).json == found.data()
    mapping = yaml.safe_load((tmp_path / "mapping.yaml").read_text())
    assert mapping == found.mapping()
    forward = mapping["layers"][LAYERS[1]]["forward"][0]
    assert sorted(forward["loop_order"]) == ["columns", "groups", "reduction", "vectors"]
    assert forward["tile"].keys() == {"groups", "images", "rows", "channels", "filters"}
    assert forward["spatial"]["time"] == "reduction"
    assert len(found.to_dataframe()) == len(found.passes)
    assert "<table>" in found._repr_html_()
    assert str(found).count("compute = fill + streams + gaps + drain") == 4  # forward, dgrad, wgrad, update


def test_steps_fit_on_a_terminal_of_80_columns() -> None:
    said = good(run_here("explain", TRACE, "--layer", LAYERS[1], "--step", "3", "--cycles", "40")).out
    assert max(map(len, said.splitlines())) <= 80
    assert said.count("\ncycle ") == 40
    late = good(run_here("explain", TRACE, "--layer", LAYERS[1], "--step", "3", "--from", "54", "--cycles", "2")).out
    assert "\ncycle 55 " in late
    assert late.split("cycle 55")[1].splitlines() == said.split("cycle 55")[1].splitlines()
    assert "180 of 180 PEs work" in said
    said = good(run_here("explain", TRACE, "--layer", LAYERS[1], "--step", "--pe", "11,14", "--from", "10")).out
    assert [line.split()[0] for line in said.splitlines()[-16:]] == [str(cycle) for cycle in range(10, 26)]


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_a_waveform_is_one_call(dataflow: str, tmp_path: Path) -> None:
    small = {"array.rows": 3, "array.columns": 4}
    steps = adagp_sim.step(TRACE, LAYERS[1], dataflow=dataflow, overrides=small, cycles=60, vcd=tmp_path / "one.vcd")
    options = ["--dataflow", dataflow, "--set", "array.rows=3", "--set", "array.columns=4", "--cycles", "60"]
    said = good(run_here("explain", TRACE, "--layer", LAYERS[1], *options, "--vcd", "two.vcd", cwd=tmp_path))
    assert said.err == f"waveform of 60 cycles, of {steps.fold_cycles}, written to two.vcd\n"
    assert (tmp_path / "one.vcd").read_text() == (tmp_path / "two.vcd").read_text()
    found = read_vcd(tmp_path / "one.vcd")
    for name, values in steps.registers.items():
        assert found[name].tolist() == values.tolist()


@pytest.mark.parametrize(("options", "message"), [
    (["--layer", "conv9"], "has no layer 'conv9'; did you mean"),
    (["--layer", LAYERS[1], "--phase", "dni"], "--phase: the run has no 'dni' batches"),
    (["--layer", LAYERS[1], "--pass", "forwards"], "has no pass 'forwards' in this batch; did you mean forward?"),
    (["--layer", LAYERS[1], "--step", "--pass", "update"], "has no product to step; give forward"),
    (["--layer", LAYERS[1], "--step", "--pe", "12,0"], "the array has no PE 12,0; it has 12 x 15, from 0,0"),
    (["--layer", LAYERS[1], "--step", "--pe", "a"], "'a' is no ROW,COLUMN such as 3,7"),
    (["--layer", LAYERS[1], "--step", "--register", "acc"], "a PE has no 'acc'; known: product, shadow, weight"),
    (["--layer", LAYERS[1], "--step", "--json"], "--json goes with the explanation"),
    (["--layer", LAYERS[1], "--pe", "1,1"], "--pe says what --step shows: add --step"),
    (["--layer", LAYERS[1], "--cycles", "3"], "--cycles says what --step and --vcd show: add one of them"),
    (["--layer", LAYERS[1], "--step", "--pass", "dgrad", "--pass", "wgrad"], "show one pass"),
    (["--layer", LAYERS[1], "--set", "dram.model=nothing"], "dram.model"),
])  # fmt: skip
def test_mistakes_end_in_one_line(options: list[str], message: str) -> None:
    said = run_here("explain", TRACE, *options)
    assert said.code == 2
    assert message in said.err
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


def test_a_layer_without_macs_is_told_with_its_owner() -> None:
    trace = load_trace("vgg13-cifar10")
    macs = {layer.id for layer in trace.mac_layers}
    other = next(layer.id for layer in trace.layers if layer.id not in macs)
    said = run_here("explain", "vgg13-cifar10", "--layer", other)
    assert said.code == 2
    assert "has no multiply-accumulates" in said.err
    assert f"give --layer {trace.mac_layers[0].id}" in said.err
