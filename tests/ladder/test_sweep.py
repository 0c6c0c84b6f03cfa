"""A sweep gives for each point what `compare` gives, and its front is the front."""

import ast
import json
import os
import sqlite3
from itertools import product
from pathlib import Path
from typing import Any

import adagp_sim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.jobs.local import Here
from simulator.phases.design import designs
from simulator.sweep import compute as computing
from simulator.sweep import run as running
from simulator.sweep.expressions import Expression
from simulator.sweep.results import NOT_DONE, front_of
from simulator.sweep.run import Sweep, results_of, run_sweep
from simulator.sweep.space import Space, drawn, value_at
from simulator.sweep.sweep_file import Interval, Sample, read_sweep, sweep_of
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_names

TRACE = "digits-cnn"


def swept(data: dict[str, Any], out: Path, store: Path | None = None) -> list[dict[str, Any]]:
    """Run a sweep in this process and return its rows."""
    return run_sweep(Sweep.of({"trace": TRACE, **data}, out, store), Here()).rows


def points(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the settings of a sweep's points, without running it."""
    space = Space(sweep_of({"trace": TRACE, **data}, "f"), "f", Path())
    return [{**point.values, "design": point.design, "trace": point.trace} for point in space.points()]


def test_each_row_is_what_compare_gives(tmp_path: Path) -> None:
    grid = {"array.rows": (6, 12), "dataflow": ("ws", "rs"), "global_buffer.bank_bytes": (8192,)}
    rows = swept({"grid": grid}, tmp_path)
    assert len(rows) == 2 * 2 * len(designs())
    for array_rows, flow in product((6, 12), ("ws", "rs")):
        overrides = {"array.rows": array_rows, "global_buffer.bank_bytes": 8192}
        found = adagp_sim.compare(TRACE, dataflow=flow, overrides=overrides)
        for run in found.runs:
            mine = [row for row in rows if row["design"] == run.design and row["array.rows"] == array_rows]
            (row,) = [row for row in mine if row["dataflow"] == flow]
            assert (row["cycles"], row["energy_pj"]) == (run.total_cycles, run.energy_pj)
            assert (row["speedup"], row["energy_reduction"]) == (found.speedup(run), found.energy_reduction(run))
            assert row["peak_dram_bytes"] == run.peak_dram_bytes
            moved = sum(one.count * (one.counts.dram_read_bytes + one.counts.dram_write_bytes) for one in run.rows)
            assert row["dram_bytes"] == moved


@pytest.mark.parametrize("data", [
    {"grid": {"design": ("max",)}}, {"settings": {"design": "max"}}, {"list": ({"design": "max"},)},
])  # fmt: skip
def test_a_speedup_brings_the_baseline_it_needs(data: dict[str, Any]) -> None:
    assert [one["design"] for one in points(data)] == ["max"]
    assert [one["design"] for one in points({**data, "objectives": {"speedup": "max"}})] == ["baseline", "max"]


def test_the_grid_of_the_paper_is_shipped() -> None:
    """Section 6.1 and figures 17 to 19: thirteen networks, three data sets, three dataflows, four machines."""
    file, path = read_sweep("paper")
    found = list(Space(file, str(path), path.parent).points())
    assert len(found) == 13 * 3 * 3 * 4 == len({(one.trace, one.design, one.values["dataflow"]) for one in found})
    assert {one.design for one in found} == {"baseline", "low", "efficient", "max"}
    assert {one.trace for one in found} <= set(shipped_names("traces"))


def test_batch_size_and_schedule_are_those_of_the_commands(tmp_path: Path) -> None:
    grid = {"batch_size": (16, 32), "schedule": ("paper", "one-to-one"), "design": ("baseline", "max")}
    for row in swept({"grid": grid}, tmp_path):
        found = adagp_sim.simulate(TRACE, design=row["design"], batch_size=row["batch_size"], schedule=row["schedule"])
        assert row["cycles"] == found.runs[0].total_cycles


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)), max_size=30))
def test_the_front_is_what_nobody_beats(values: list[tuple[int, int, int]]) -> None:
    def beaten(one: tuple[int, ...]) -> bool:
        return any(all(a <= b for a, b in zip(other, one, strict=True)) and other != one for other in values)

    assert front_of(values) == [index for index, one in enumerate(values) if not beaten(one)]


def test_grid_list_constraints_and_derived_keys() -> None:
    found = points({
        "grid": {"array.rows": (4, 8, 16), "design": ("max",)},
        "list": ({"global_buffer.bank_bytes": 4096}, {"global_buffer.bank_bytes": 8192, "dataflow": "os"}),
        "derived": {"array.columns": "array.rows * 2", "second_array.rows": "max(1, array.columns // 16)"},
        "constraints": ("array.rows * array.columns <= 300", "not (dataflow == 'os' and array.rows == 4)"),
    })  # fmt: skip
    kept = [(one["array.rows"], one["array.columns"], one["second_array.rows"], one.get("dataflow")) for one in found]
    # 16 x 32 is too large; 4 rows under os are left out; 12 x 15 columns do not come from the shipped file
    assert kept == [(4, 8, 1, None), (8, 16, 1, None), (8, 16, 1, "os")]


def test_a_machine_gives_what_the_sweep_does_not() -> None:
    # the shipped array has 15 columns
    assert len(points({"grid": {"array.rows": (4, 8, 12), "design": ("max",)},
                       "constraints": ("array.rows * array.columns <= 120",)})) == 2  # fmt: skip


NUMBERS = st.integers(-20, 20)
TEXTS = st.recursive(
    st.one_of(NUMBERS.map(str), st.sampled_from(["array.rows", "array.columns"])),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "<", "<=", ">", ">=", "==", "!=", "and", "or"]), inner).map(
            lambda three: f"({three[0]} {three[1]} {three[2]})"
        ),
        inner.map(lambda one: f"(-{one})"),
        st.tuples(inner, inner).map(lambda two: f"min({two[0]}, {two[1]})"),
        inner.map(lambda one: f"(not {one})"),
    ),
    max_leaves=12,
)


@given(TEXTS, NUMBERS, NUMBERS)
def test_expressions_are_pythons(text: str, rows: int, columns: int) -> None:
    ours = Expression.of(text, "f", "k").value({"array.rows": rows, "array.columns": columns}.__getitem__)
    python = text.replace("array.rows", f"({rows})").replace("array.columns", f"({columns})")
    theirs = eval(compile(ast.parse(python, mode="eval"), "", "eval"), {"min": min})
    assert bool(ours) == bool(theirs)
    if not isinstance(theirs, bool) and " and " not in text and " or " not in text:
        assert ours == theirs


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('true')", "().__class__", "a[0]", "lambda: 1", "[x for x in y]", "f'{a}'", "a := 1",
     "open('x')", "9**9**9", "'a' * 10**9", "10**41 + 1",
     "round(5, -10**9)", "(-8) ** 0.5",
     "min(1, key=a)", "1 if a else 2", "{1}", "a.b()", "1j", "x" * 2000,
     "a +", "", "(" * 500],
)  # fmt: skip
def test_expressions_that_are_none(text: str) -> None:
    with pytest.raises(InputError) as told:
        Expression.of(text, "f", "constraints[0]").value({"a": 1, "x": 1}.__getitem__)
    assert str(told.value).startswith("f: constraints[0]: ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("method", ["random", "latin-hypercube", "sobol"])
def test_samples(method: str) -> None:
    keys = {"a": Interval(lowest=1, highest=64), "b": Interval(lowest=0.5, highest=2.0, log=True),
            "c": ("x", "y"), "d": Interval(lowest=2, highest=11, step=3)}  # fmt: skip
    sample = Sample(method=method, points=64, seed=3, keys=keys)
    found = list(drawn(sample))
    assert found == list(drawn(sample))
    assert found != list(drawn(sample.model_copy(update={"seed": 4})))
    assert len(found) == 64
    assert all(isinstance(one["a"], int) and 1 <= one["a"] <= 64 and 0.5 <= one["b"] <= 2.0 for one in found)
    assert {one["c"] for one in found} == {"x", "y"}
    assert {one["d"] for one in found} == {2, 5, 8, 11}
    if method != "random":  # both put one point into each of 64 equal slices of every axis
        assert sorted(one["a"] for one in found) == list(range(1, 65))


def test_borders_of_an_interval() -> None:
    whole, even = Interval(lowest=1, highest=1000, log=True), Interval(lowest=4, highest=9, step=2)
    assert (value_at(whole, 0.0), value_at(whole, 1 - 1e-12)) == (1, 1000)
    assert [value_at(even, share) for share in (0.0, 0.34, 0.99)] == [4, 6, 8]


def test_nothing_is_computed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []
    real = computing.totals

    def counted(point):
        computed.append(point.settings)
        return real(point)

    monkeypatch.setattr(computing, "totals", counted)
    first = {"grid": {"array.rows": (6, 12), "design": ("baseline",)}}
    # 12 rows are those of the shipped machine, and 15 columns too: one machine, written in two ways
    second = {"list": ({"array.columns": 15}, {"array.rows": 6, "array.columns": 15}, {"array.rows": 7}),
              "settings": {"design": "baseline"}}  # fmt: skip
    rows = swept(first, tmp_path / "a", tmp_path / "store.sqlite")
    assert len(computed) == 2
    assert swept(first, tmp_path / "a", tmp_path / "store.sqlite") == rows
    again = swept(second, tmp_path / "b", tmp_path / "store.sqlite")
    assert len(computed) == 3
    assert [row["cycles"] for row in again[:2]] == [rows[1]["cycles"], rows[0]["cycles"]]


@pytest.mark.parametrize(
    "change", ["cycles = cycles + 1", "energy_pj = '7'", "reason = 'x'", "again = 1", "model = 'x'", "checksum = x'00'"]
)
def test_a_row_that_was_changed_is_computed_again(change: str, tmp_path: Path) -> None:
    data = {"grid": {"array.rows": (6, 12), "design": ("baseline",)}}
    rows = swept(data, tmp_path)
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute(f"UPDATE results SET {change} WHERE key = (SELECT key FROM points WHERE number = 1)")
    database.close()
    shown = results_of(Sweep.kept_in(tmp_path)).rows
    assert [row["reason"] for row in shown] == [None, NOT_DONE]
    assert swept(data, tmp_path) == rows


@pytest.mark.parametrize("kind", ["foreign", "text", "cut", "folder", "pipe"])
def test_what_is_no_store_is_told_and_stays_as_it_is(kind: str, tmp_path: Path) -> None:
    data = {"grid": {"array.rows": (6,), "design": ("baseline",)}}
    place = tmp_path / "store"
    if kind == "foreign":
        with sqlite3.connect(place) as database:
            database.execute("CREATE TABLE results (a, b)")
        database.close()
    elif kind == "text":
        place.write_text("trace: mine\n" * 100)
    elif kind == "cut":
        swept(data, tmp_path / "first", place)
        place.write_bytes(place.read_bytes()[:5000])
    elif kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(place)
    before = place.read_bytes() if place.is_file() else None
    with pytest.raises(InputError) as told:
        swept(data, tmp_path / "out", place)
    assert str(told.value).startswith(str(place))
    assert "give another --out or --store" in str(told.value)
    assert (place.read_bytes() if place.is_file() else None) == before
    assert not (tmp_path / "out").exists()


def test_another_model_computes_anew_and_tells_what_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"trace": TRACE, "grid": {"array.rows": (6, 8), "design": ("baseline",)}}
    assert run_sweep(Sweep.of(data, tmp_path), Here()).stale == 0
    monkeypatch.setattr(running, "sweep_version", lambda: "another")
    found = run_sweep(Sweep.of(data, tmp_path), Here())
    assert (len(found.done), found.stale) == (2, 2)


def test_another_extension_package_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = computing.sweep_version()
    monkeypatch.setattr(computing, "extension_packages", lambda: {"parts": "1.0"})
    first = computing.sweep_version()
    monkeypatch.setattr(computing, "extension_packages", lambda: {"parts": "1.1"})
    assert len({ours, first, computing.sweep_version()}) == 3


def test_the_report_shows_front_points_machines_and_failures(tmp_path: Path) -> None:
    pytest.importorskip("plotly", reason="needs the report extra")
    rows = swept({"grid": {"array.rows": (6, -1, 12), "design": ("baseline", "max")}}, tmp_path)
    page = adagp_sim.report(tmp_path).read_text(encoding="utf-8")
    for row in rows:
        assert (row["reason"] if row["reason"] else str(row["cycles"])).split("<")[0] in page
    front = adagp_sim.sweep_results(tmp_path).front
    assert [row["point"] for row in front] == [
        row["point"] for row in rows if f"Machine of point {row['point']}:" in page
    ]
    assert "Points without a result" in page
    assert '"energy, mJ"' in page or '"energy, J"' in page
    assert '"energy_pj"' not in page


def test_a_point_that_is_wrong_is_a_row_with_its_reason(tmp_path: Path) -> None:
    rows = swept({"grid": {"array.rows": (6, -1, 8), "design": ("baseline",)}}, tmp_path)
    assert [row["reason"] is None for row in rows] == [True, False, True]
    assert "array.rows" in rows[1]["reason"]
    assert "\n" not in rows[1]["reason"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"grid": {"array.row": (6,)}}, ["grid.array.row", "did you mean array.rows?"]),
        ({"grid": {}, "trase": 1}, ["trase"]),
        ({"grid": {"array.rows": ()}}, ["grid.array.rows"]),
        ({"constraints": ("array.rows <",)}, ["constraints[0]"]),
        ({"constraints": ("array.rowz < 3",)}, ["constraints[0]", "array.rowz"]),
        ({"sample": {"method": "sobol", "points": 3, "keys": {"array.rows": {"lowest": 5, "highest": 4}}}},
         ["sample.keys.array.rows", "highest"]),
        ({"grid": {"array.rows": (1,)}, "settings": {"array.rows": 2}}, ["array.rows", "is in settings, too"]),
        ({"grid": {"design": ("maximum",)}}, ["design", "maximum"]),
        ({"objectives": {"cycle": "min"}}, ["objectives.cycle", "did you mean cycles?"]),
        ({"grid": {"array.rows": range(1, 4000), "array.columns": range(1, 4000)}}, ["grid", "15,992,001"]),
        ({"sample": {"method": "random", "points": 3, "keys": {"array.rows": {"lowest": 1, "highest": 10**400}}}},
         ["sample.keys.array.rows.highest", "at most 9007199254740992"]),
        ({"sample": {"method": "random", "points": 3,
                     "keys": {"array.rows": {"lowest": 1, "highest": 9e9, "step": 1e-300}}}},
         ["sample.keys.array.rows.step", "too many values"]),
        ({"machine": ""}, ["is empty"]),
        ({"list": ({"a": 1},), "sample": {"method": "random", "points": 1, "keys": {"array.rows": (1,)}}}, ["list"]),
    ],
)  # fmt: skip
def test_a_wrong_sweep_is_told_before_it_runs(data: dict[str, Any], words: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        swept(data, tmp_path / "out")
    assert all(word in str(told.value) for word in words), told.value


@pytest.mark.parametrize("objective", ["dataflow", "[1, 2]"])
def test_an_objective_of_a_wrong_kind_is_told_before_the_run(objective: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name a result or a setting that is a number"):
        swept({"grid": {"design": ("baseline",)}, "objectives": {objective: "min"}}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_objective_that_comes_to_no_number_is_told(tmp_path: Path) -> None:
    data = {"grid": {"design": ("baseline",)}, "objectives": {"(cycles * 10**20)**20": "min"}}
    found = run_sweep(Sweep.of({"trace": TRACE, **data}, tmp_path / "out"), Here())
    with pytest.raises(InputError, match=r"objectives.*too large"):
        _ = found.front


def test_a_search_depends_on_its_seed_alone(tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="needs the sweep extra")
    search = {"trials": 8, "at_once": 4, "seed": 1, "keys": {"array.rows": {"lowest": 4, "highest": 16}}}
    data = {"search": search, "settings": {"design": "baseline"}, "objectives": {"cycles": "min"}}
    rows = swept(data, tmp_path / "a")
    assert len(rows) == 8
    assert swept(data, tmp_path / "b") == rows
    assert swept(data, tmp_path / "a") == rows  # all from the store
    other = {**data, "search": {**search, "seed": 2}}
    assert [row["array.rows"] for row in swept(other, tmp_path / "c")] != [row["array.rows"] for row in rows]


@settings(max_examples=5, deadline=None)
@given(
    st.integers(1, 24), st.integers(1, 24), st.sampled_from(["ws", "is", "os", "rs"]), st.sampled_from(list(designs()))
)
def test_random_points_equal_a_run(rows: int, columns: int, flow: str, design: str) -> None:
    data = {"trace": TRACE, "list": ({"array.rows": rows, "array.columns": columns},),
            "settings": {"design": design, "dataflow": flow}}  # fmt: skip
    found = adagp_sim.sweep(data, workers=0).rows[0]
    overrides = {"array.rows": rows, "array.columns": columns}
    run = adagp_sim.simulate(TRACE, design=design, dataflow=flow, overrides=overrides).runs[0]
    assert (found["cycles"], found["energy_pj"]) == (run.total_cycles, run.energy_pj)


def test_what_is_kept_is_json_and_says_its_sweep(tmp_path: Path) -> None:
    swept({"grid": {"array.rows": (6,), "design": ("baseline",)}}, tmp_path)
    said = json.loads((tmp_path / "sweep.json").read_text())
    assert said["sweep"]["grid"]["array.rows"] == [6]
    assert Sweep.kept_in(tmp_path).identity == Sweep.of(
        {"trace": TRACE, "grid": {"array.rows": (6,), "design": ("baseline",)}}, tmp_path
    ).identity  # fmt: skip


def test_a_column_of_energies_has_one_unit_that_reads_well(tmp_path: Path) -> None:
    grid = {"array.rows": (6, 12), "design": ("max",)}
    found = Sweep.of(
        {"trace": TRACE, "grid": grid, "objectives": {"cycles": "min", "energy_pj": "min"}}, tmp_path, None
    )
    results = run_sweep(found, Here())
    names, rows = results.front_shown()
    (place,) = (index for index, name in enumerate(names) if name.startswith("energy, "))
    size = {"energy, J": 1e12, "energy, mJ": 1e9}[names[place]]
    for row, cells in zip(results.front, rows, strict=True):
        assert float(cells[place]) == pytest.approx(row["energy_pj"] / size, rel=1e-5)
        assert 1 <= float(cells[place]) < 1000


def test_a_picture_has_energies_in_that_unit_and_labels_that_cover_nothing() -> None:
    """Energies of the digits run are joules; the labels of the front cover neither its points nor one another."""
    from simulator.sweep.plots import front_picture, parallel_picture

    grid = {"array.rows": (4, 6, 8, 12, 16), "array.columns": (10, 15), "design": ("baseline", "max")}
    objectives = {"cycles": "min", "energy_pj": "min", "logic_area_um2": "min"}
    results = adagp_sim.sweep({"trace": TRACE, "grid": grid, "objectives": objectives}, workers=0)
    figure = front_picture(results)
    figure.draw_without_rendering()
    area, energy = figure.axes
    assert (area.get_xlabel(), energy.get_xlabel()) == ("logic area, mm²", "energy of the run, J")
    across = sorted(place for points in energy.collections for place in points.get_offsets()[:, 0])
    assert across == pytest.approx(sorted(row["energy_pj"] / 1e12 for row in results.done))
    for axes in figure.axes:
        boxes = [text.get_window_extent() for text in axes.texts]
        assert len(boxes) > len(results.front) / 2
        points = axes.transData.transform(axes.collections[1].get_offsets())
        for number, box in enumerate(boxes):
            assert not box.count_overlaps(boxes[:number])
            assert not any(box.contains(*point) for point in points)
    assert "energy, J" in [text.get_text() for text in parallel_picture(results).axes[0].get_xticklabels()]
