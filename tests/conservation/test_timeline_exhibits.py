"""Figures 7 to 12 and 20 against what the paper's own formulas give by hand."""

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.pipelines.schedule import find_schedule
from simulator.pipelines.simulation import PipelineSetup, simulate_pipelines
from simulator.reproduce.exhibit import ExhibitMaker, exhibit_makers
from simulator.reproduce.exhibits.four_layers import four_layer_timeline
from simulator.reproduce.exhibits.pipelines import timeline
from simulator.reproduce.folder import write_report
from simulator.reproduce.jobs.job import Findings, Job, Plain
from simulator.reproduce.jobs.layer_cycles import LayerCycles
from simulator.reproduce.jobs.pipeline_comparison import PipelineComparison
from simulator.reproduce.made import made_now
from simulator.studies.four_layers import ALPHAS, four_layers, paper_steps, steps_of
from simulator.studies.unit_pipelines import unit_run
from workloads.schedule import Phase
from workloads.trace import load_policy, load_trace

DIGITS = PipelineComparison(
    "digits-cnn", schedules=("gpipe", "dapple", "chimera"), training_schedules=("one-to-one", "paper")
)
PNG = b"\x89PNG\r\n\x1a\n"


def expected_steps(design: str, phases: list[Phase], alpha: Fraction) -> Fraction:
    """Section 3.7 by hand: all predictor work in the way with one array, only the last layer's with two."""
    by_phase = {
        "baseline": {"bp": Fraction(12), "gp": Fraction(12)},
        "low": {"bp": 12 + 12 * alpha, "gp": 4 + 4 * alpha},
        "efficient": {"bp": 12 + 12 * alpha, "gp": 4 + 4 * alpha},
        "max": {"bp": 12 + 2 * alpha, "gp": 4 + alpha},
    }
    return sum((by_phase[design][phase] for phase in phases), Fraction(0))


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("design", ["baseline", "low", "efficient", "max"])
@pytest.mark.parametrize("phases", [["bp"], ["gp"], ["bp", "gp"], ["gp", "gp", "bp"]])
def test_steps_of_four_layers(design: str, phases: list[Phase], alpha: Fraction) -> None:
    assert steps_of(design, phases, alpha) == expected_steps(design, phases, alpha)


def test_alpha_must_be_whole_cycles() -> None:
    with pytest.raises(ValueError, match="1/3"):
        four_layers("efficient", "gp", Fraction(1, 3))


def test_formulas_of_the_paper_are_read() -> None:
    assert paper_steps(12, Fraction(1, 7)) == 12
    assert paper_steps("16 + 16*alpha", Fraction(1, 7)) == Fraction(128, 7)
    with pytest.raises(ValueError, match="no formula"):
        paper_steps("4 * alpha ** 2", Fraction(1))


@pytest.mark.parametrize("phase", ["bp", "gp"])
@pytest.mark.parametrize("design", ["efficient", "max"])
def test_boxes_of_four_layers(design: str, phase: Phase) -> None:
    """Every pass is drawn once, for as long as it takes; an array never does two things at once."""
    alpha = Fraction(1, 4)
    timeline = four_layer_timeline("title", design, [phase, phase], alpha)
    assert timeline.end == 2 * expected_steps(design, [phase], alpha)
    lengths = {"forward": 8.0, "predictor's forward": 8 * 0.25}
    if phase == "bp":
        lengths |= {"backward": 16.0, "predictor's backward": 16 * 0.25}
    found: dict[str, float] = {}
    for box in timeline.boxes:
        found[box.kind] = found.get(box.kind, 0.0) + box.end - box.start
    assert found == lengths
    assert len(timeline.boxes) == 8 * len(lengths)
    assert len(timeline.rows) == (5 if design == "max" else 4)
    for second in (False, True):
        spans = sorted((box.start, box.end) for box in timeline.boxes if (box.row == 4) == second)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
        assert bool(spans) == (not second or design == "max")


@pytest.mark.parametrize("key", ["fig7", "fig9", "fig10", "fig11", "fig12"])
def test_every_number_is_the_papers(key: str) -> None:
    comparisons = exhibit_makers()[key].make({}).comparisons
    assert comparisons
    for one in comparisons:
        assert one.ours == one.paper, one.what


@pytest.mark.parametrize(("schedule", "one", "two"), [("gpipe", 21, 25), ("dapple", 21, 25), ("chimera", 16, 20)])
def test_steps_messages_and_boxes_of_a_pipeline(schedule: str, one: int, two: int) -> None:
    assert unit_run(schedule, ["bp"]).steps == one
    run = unit_run(schedule, ["gp", "bp"])
    # Three cuts, four micro-batches: forward in both batches, backward in one. "Half of the synchronisation steps".
    assert (run.steps, run.flushes, run.messages) == (two, 1, 3 * 4 * 3)
    assert run.idle_share == pytest.approx(1 - (16 + 48) / (4 * two))
    drawn = timeline("title", run)
    assert drawn.end == two
    assert sum(box.end - box.start for box in drawn.boxes) == 16 + 48
    assert sorted(int(box.label) for box in drawn.boxes if box.kind == "forward, Phase GP") == sorted([1, 2, 3, 4] * 4)


def test_one_to_one_is_half_and_half_without_warm_up() -> None:
    schedule = load_policy("one-to-one").expand(44)
    assert schedule.counts() == {"bp": 90 * 22, "gp": 90 * 22}
    assert next(schedule.phases()) == "gp"  # the paper starts with Phase GP


@pytest.fixture(scope="module")
def digits() -> Plain:
    found = DIGITS.compute()
    assert json.loads(json.dumps(found)) == found
    return found


@pytest.mark.parametrize("training", ["one-to-one", "paper"])
def test_one_simulation_serves_every_training_schedule(digits: Plain, training: str) -> None:
    trace = load_trace("digits-cnn").with_schedule(load_policy(training))
    schedules = [find_schedule(name) for name in DIGITS.schedules]
    results = simulate_pipelines(trace, DIGITS.specs(), schedules, PipelineSetup())
    for run in results.runs:
        ours = digits[run.schedule][run.design]
        assert ours["cycles"][training] == run.total_cycles
        assert ours["speedup"][training] == results.speedup(run)


def test_experiments_end_at_the_paper_steps(digits: Plain) -> None:
    for schedule, steps in (("gpipe", 42 / 25), ("dapple", 42 / 25), ("chimera", 32 / 20)):
        for design in ("low", "efficient", "max"):
            run = digits[schedule][design]
            assert run["experiments"]["in_steps"] == pytest.approx(steps, rel=1e-12)
            assert run["experiments"]["nothing_once_a_batch"] >= run["speedup"]["one-to-one"]
        # Without predictor and updates LOW and Efficient are the same machine.
        assert digits[schedule]["low"]["experiments"] == digits[schedule]["efficient"]["experiments"]


def in_place_of(maker: ExhibitMaker, result: Plain) -> Findings:
    """Return one result for every job of an exhibit: its form is what is tested."""
    return dict.fromkeys(maker.jobs(), result)


def test_files_of_each_exhibit(digits: Plain, tmp_path: Path) -> None:
    results = {"fig8": LayerCycles("digits-cnn").compute(), "fig20": digits}
    keys = ("fig7", "fig8", "fig9", "fig10", "fig11", "fig12", "fig20")
    makers = [exhibit_makers()[key] for key in keys]
    made = [(maker, maker.make(in_place_of(maker, results.get(maker.key)))) for maker in makers]
    write_report(made_now(made), tmp_path, [], "", [], page=False)
    for maker, exhibit in made:
        assert exhibit.pictures, maker.key
        for picture in exhibit.pictures:
            assert (tmp_path / "figures" / f"{picture.name}.png").read_bytes().startswith(PNG)
        for table in exhibit.tables:
            lines = (tmp_path / "tables" / f"{table.name}.csv").read_text().splitlines()
            assert len(lines) == len(table.rows) + 1
            assert {len(row) for row in table.rows} == {len(table.columns)}
    report = (tmp_path / "report.md").read_text()
    assert all(f"## {maker.title}" in report for maker in makers)


def test_jobs_are_thirteen_networks_once_each() -> None:
    jobs: list[Job] = list(exhibit_makers()["fig20"].jobs())
    assert len(jobs) == len(set(jobs)) == len({job.family for job in jobs}) == 13
    assert all(job.weight > 0 for job in jobs)
