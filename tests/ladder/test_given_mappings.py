"""Mappings that are given: against tiles word by word, against the search, and from explain and back."""

import json
from dataclasses import replace
from hashlib import sha256

import adagp_sim
import numpy as np
import pytest
import yaml
from array_specs import RUN_NAMES, RUNS, array_of, part_name
from command_line import good, run_here
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_tiles import LOOPS, naive_tiles, naive_traffic, totals
from samples import sampled

from dataflows.convolution import Sliding
from dataflows.operands import ConvolutionOperands
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.given import Given, MappingError
from dataflows.plans.given_plan import plan_given
from dataflows.plans.placement import ALL_IN_DRAM
from dataflows.plans.plan import Plan
from dataflows.plans.planning import choose_tiling
from simulator.explain.layer import explain_layer
from simulator.machine.spec_loading import load_accelerator
from workloads.foundation.errors import InputError
from workloads.passes import Product
from workloads.shapes import ConvShape
from workloads.trace import load_trace

BIG = BufferBudget(1 << 30, 2, 4)


@st.composite
def shapes(draw) -> ConvShape:
    H, W, R, S = draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    stride = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding = (draw(st.integers(R // 2, 1 + R // 2)), draw(st.integers(S // 2, 1 + S // 2)))
    groups = draw(st.sampled_from([1, 1, 2]))
    P, Q = (H + 2 * padding[0] - R) // stride[0] + 1, (W + 2 * padding[1] - S) // stride[1] + 1
    return ConvShape(
        N=draw(st.integers(1, 3)), C=groups * draw(st.integers(1, 4)), H=H, W=W, K=groups * draw(st.integers(1, 4)),
        R=R, S=S, P=P, Q=Q, stride=stride, padding=padding, groups=groups,
    )  # fmt: skip


def ones(groups: int, V: int, D: int, N: int) -> ConvolutionOperands:
    image = np.ones((groups, V, D, 1, 1), np.int64)
    filters = np.ones((groups, N, D, 1, 1), np.int64)
    return ConvolutionOperands(image, filters, 1, 1, Sliding((1, 1), (1, 1)), "forward")


MATRIX_RUNS = [run for run in RUNS if run[0].way != "rows stay"]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(MATRIX_RUNS), shapes(), st.sampled_from(["forward", "dgrad", "wgrad"]), st.data())
def test_any_order_of_any_cuts_is_what_its_tiles_are(run, shape: ConvShape, role: str, data) -> None:
    """Loads and stores of each tile are words of sets; cycles on a systolic array are those of its tiles, stepped."""
    flow, kind = run
    array, product = array_of(kind), Product(shape, role)
    extents = totals(shape, role)
    sizes = {loop: data.draw(st.integers(1, extents[loop])) for loop in LOOPS}
    order = data.draw(st.permutations(LOOPS))
    tiles = naive_tiles(shape, role, sizes, order)
    reload = data.draw(st.booleans())
    want = naive_traffic(tiles, product.reduction, reload)
    asked = Given(tuple(sizes.items()), tuple(order), reload_operands=reload)
    if want["early"]:
        with pytest.raises(MappingError, match="brings psums back"):
            plan_given(product, ALL_IN_DRAM, flow, array, BIG, asked)
        return
    plan = plan_given(product, ALL_IN_DRAM, flow, array, BIG, asked)
    assert plan.load_bytes.tolist() == want["loads"]
    assert plan.store_bytes.tolist() == want["stores"]
    assert plan.counts.macs == product.macs
    exact = replace(BIG, capacity_bytes=want["held"])
    assert plan_given(product, ALL_IN_DRAM, flow, array, exact, asked).counts == plan.counts
    with pytest.raises(MappingError, match=rf"{want['held']} bytes of buffer, {want['held'] - 1} are there"):
        plan_given(product, ALL_IN_DRAM, flow, array, replace(BIG, capacity_bytes=want["held"] - 1), asked)
    if kind == "systolic" and len(tiles) < 40:
        assert plan.compute_cycles == sum(flow.step(array, ones(*tile["job"])).cycles for tile in tiles)


def test_the_largest_tile_by_hand() -> None:
    """Five outputs of three inputs, padded by 2: tiles of 3 and 2 outputs, with taps 0 and 1 together and 2 alone.

    The first three outputs read inputs 0 and 1 by the first two taps (2 x 2 + 2 x 2 + 3 x 4 bytes, twice: 40), and all
    three inputs by the last one (3 x 2 + 2 + 3 x 4, twice: 40). No tile needs 44.
    """
    flow, kind = MATRIX_RUNS[0]
    product = Product(ConvShape(1, 1, 1, 3, 1, 1, 3, 1, 5, (1, 1), (0, 2), (1, 1), 1), "forward")
    order = ("groups", "images", "rows", "positions", "channels", "kernel_rows", "kernel_columns", "filters")
    asked = Given((("positions", 3), ("kernel_columns", 2)), order)
    assert plan_given(product, ALL_IN_DRAM, flow, array_of(kind), replace(BIG, capacity_bytes=40), asked)
    with pytest.raises(MappingError, match="needs 40 bytes of buffer, 39 are there"):
        plan_given(product, ALL_IN_DRAM, flow, array_of(kind), replace(BIG, capacity_bytes=39), asked)


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=25, deadline=None)
@given(shapes(), st.sampled_from(["forward", "dgrad", "wgrad"]), st.integers(200, 3000), st.data())
def test_the_search_goes_on_under_what_is_given(flow, kind: str, shape, role: str, capacity: int, data) -> None:
    """Given any part of what the search chose, it chooses the same again; given all, nothing is left to choose."""
    array, product, budget = array_of(kind), Product(shape, role), BufferBudget(capacity, 2, 4)
    if not product.macs:
        return
    try:
        chosen = choose_tiling(product, ALL_IN_DRAM, flow, array, budget)
    except TileTooLargeError:
        return
    sizes = {loop: getattr(chosen.tiling, loop) for loop in ("groups", "images", "rows", "channels", "filters")}
    kept = data.draw(st.sets(st.sampled_from(sorted(sizes))))
    some = tuple((loop, size) for loop, size in sizes.items() if loop in kept)
    order = data.draw(st.sampled_from([None, chosen.tiling.order]))
    for part in (Given(some, order), Given(tuple(sizes.items()), chosen.tiling.order)):
        plan = plan_given(product, ALL_IN_DRAM, flow, array, budget, part)
        if flow.way != "rows stay":  # whose mappings may be equal by the rule and differ in registers
            assert plan.counts == chosen.plan.counts
            assert plan.stream_cycles.tolist() == chosen.plan.stream_cycles.tolist()
        assert moved(plan) == moved(chosen.plan)
        assert plan.cycles_alone(budget.channel) == chosen.plan.cycles_alone(budget.channel)


def moved(plan: Plan) -> tuple[int, int]:
    """Return the bytes through DRAM and through the buffer."""
    counts = plan.counts
    return counts.dram_read_bytes + counts.dram_write_bytes, counts.buffer_read_bytes + counts.buffer_write_bytes


WITH_ROWS = [(*run, on_rows) for on_rows in ("channels_and_taps", "channels") for run in RUNS]
FIRST_OF_EACH_WAY = {flow.way: (flow, kind) for flow, kind in reversed(RUNS)}.values()


@pytest.mark.parametrize(
    ("flow", "kind", "on_rows"),
    sampled(WITH_ROWS, lambda case: case[:2] in FIRST_OF_EACH_WAY), ids=part_name,
)  # fmt: skip
def test_explain_writes_what_a_run_reads(flow, kind: str, on_rows: str, tmp_path) -> None:
    """Every pass of every layer of the digits, on two arrays, takes the same integers by the written mapping."""
    if on_rows == "channels" and flow.way != "operand stays":
        return
    trace = load_trace("digits-cnn")
    machine = {"array.kind": kind, "second_array.kind": kind, "global_buffer.bank_bytes": 2048}
    machine |= {f"{one}.reduction_on_rows": on_rows for one in ("array", "second_array")}
    spec = load_accelerator(design="max", dataflow=flow.name, overrides=machine)
    found = {layer.id: explain_layer(trace, spec, layer.id) for layer in trace.mac_layers}
    file = {**next(iter(found.values())).mapping(), "layers": {}}
    for one in found.values():
        file["layers"] |= one.mapping()["layers"]
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump(file, sort_keys=False))
    given_spec = spec.replace("mapping", str(path))
    passes = set()
    for layer, one in found.items():
        again = explain_layer(trace, given_spec, layer)
        assert [each.values() for each in again.passes] == [each.values() for each in one.passes]
        assert again.mapping() == one.mapping()
        # a larger array takes the same tiles, so its reliefs are listed as well
        if layer == trace.mac_layers[0].id and flow.way != "rows stay":
            assert {each.name for each in again.reliefs} == {each.name for each in one.reliefs}
        passes |= {each.name for each in one.passes}
    assert {"forward", "dgrad", "wgrad", "predictor_forward", "predictor_backward"} <= passes


def test_a_given_mapping_changes_a_run(tmp_path) -> None:
    """By hand: 8 filters on 15 columns in tiles of 1 filter are 8 folds where they were 1, in Phase GP, too."""
    path = tmp_path / "one.yaml"
    path.write_text("version: 1\ndefault: {forward: {tile: {filters: 1}}}\n")
    free, one = (
        adagp_sim.simulate("digits-cnn", design="baseline", mapping=mapping, overrides={"array.accumulator_sums": 0})
        for mapping in (None, path)
    )
    cycles = [[row["compute_cycles"] for row in run.table() if row["pass"] == "forward"] for run in (free, one)]
    assert all(before < now for before, now in zip(*cycles, strict=True))
    other = [[row["compute_cycles"] for row in run.table() if row["pass"] == "wgrad"] for run in (free, one)]
    assert other[0] == other[1]


def test_a_sweep_knows_mappings_by_their_text(tmp_path) -> None:
    """Two files, one in two names: three points, two of them the same; an edited file is computed anew."""
    for name, filters in (("one", 1), ("two", 2), ("again", 1)):
        text = f"version: 1\ndefault: {{forward: {{tile: {{filters: {filters}}}}}}}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    paths = [str(tmp_path / f"{name}.yaml") for name in ("one", "two", "again")]
    asked = {"trace": "digits-cnn", "grid": {"mapping": paths}, "settings": {"design": "baseline"}}
    cycles = [row["cycles"] for row in adagp_sim.sweep(asked, tmp_path / "out").rows]
    assert cycles[0] == cycles[2] != cycles[1]
    (tmp_path / "two.yaml").write_text((tmp_path / "one.yaml").read_text())
    assert {row["cycles"] for row in adagp_sim.sweep(asked, tmp_path / "out").rows} == {cycles[0]}


def test_provenance_has_the_hash(tmp_path) -> None:
    (tmp_path / "m.yaml").write_text("version: 1\ndefault: {forward: {tile: {filters: 1}}}\n")
    good(run_here("simulate", "digits-cnn", "--mapping", "m.yaml", "--out", "out", cwd=tmp_path))
    inputs = json.loads((tmp_path / "out/provenance.json").read_text())["inputs"]
    assert inputs["m.yaml"] == sha256((tmp_path / "m.yaml").read_bytes()).hexdigest()
    resolved = yaml.safe_load((tmp_path / "out/config.resolved.yaml").read_text())
    assert resolved["mappings"]["m.yaml"]["default"]["forward"][0]["tile"] == {"filters": 1}


def test_a_machine_names_a_mapping_beside_its_file(tmp_path, monkeypatch) -> None:
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine/m.yaml").write_text("version: 1\ndefault: {forward: {tile: {filters: 1}}}\n")
    (tmp_path / "machine/mine.yaml").write_text("{version: 2, extends: baseline, mapping: m.yaml}\n")
    monkeypatch.chdir(tmp_path)
    beside = adagp_sim.simulate("digits-cnn", "machine/mine.yaml")
    option = adagp_sim.simulate("digits-cnn", design="baseline", mapping="machine/m.yaml")
    assert beside.runs[0].total_cycles == option.runs[0].total_cycles
    assert adagp_sim.simulate("digits-cnn", design="baseline").runs[0].total_cycles < option.runs[0].total_cycles
    with pytest.raises(InputError, match=r"mapping: is given in overrides, too"):
        adagp_sim.compare("digits-cnn", mapping="machine/m.yaml", overrides={"mapping": "machine/m.yaml"})
