"""Comparisons with chips and other simulators: what they compute by hand, and that no error grows."""

import re
from pathlib import Path

import pytest
import yaml

from dataflows.plans.given import Given
from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import simulate
from simulator.testing.ladders import comparisons as rungs
from simulator.validation.comparison import Comparison, Row, Validation, comparisons, find_comparison, validated
from simulator.validation.comparisons import rtl
from simulator.validation.comparisons.gemmini import as_run, read_dosa_mapping
from simulator.validation.comparisons.tpu_v6e import compiled, whole_operands
from simulator.validation.eyeriss import channels_a_pass, chip_mappings, psum_cycles
from simulator.validation.measured import measured_rows
from simulator.validation.products import product_cycles, product_plan
from workloads.shapes import ConvShape, linear_shape
from workloads.trace import load_trace

# Mean absolute errors as docs/validation.md has them; they may fall. SCALE-Sim's is zero.
MOST = {
    "scalesim": 0.0, "rtl": 0.0, "dram": 0.0015, "eyeriss-alexnet": 0.053, "eyeriss-vgg16": 0.381,
    "eyeriss-vgg16-mapping": 0.041, "eyeriss-energy": 0.048, "eyeriss-power": 0.13, "gemmini": 0.12, "tpu-v6e": 0.083,
    "gemmini-resnet50": 0.53, "axis-systolic-array": 0.0, "nvdla": 0.131, "nvdla-power": 0.568,
}  # fmt: skip
CHEAP = [name for name, one in comparisons().items() if name != "rtl" and not one.missing()]


def test_every_comparison_has_a_bound() -> None:
    assert set(comparisons()) <= set(MOST)


@pytest.mark.parametrize("name", CHEAP)
def test_no_error_grows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the comparison climbs its ladder with the rows that are here already."""
    found = validated(find_comparison(name))
    monkeypatch.setattr(rungs, "validated", lambda comparison: {name: found}[comparison.name])
    rungs.LADDER.check(name)
    assert found.mean_absolute_error <= MOST[name]
    page = (Path(__file__).parents[2] / "docs" / "validation.md").read_text(encoding="utf-8")
    (line,) = (line for line in page.splitlines() if f"(`{name}`)" in line)
    assert f"| {len(found.rows)} | {100 * found.mean_absolute_error:.2f} % |" in line


@pytest.mark.parametrize("machine", ["gemmini", "tpu-v6e", "scalesim"])
def test_a_product_alone_is_a_batch_of_one_layer(machine: str, tmp_path: Path) -> None:
    layer = {"id": "only", "kind": "linear", "inputs": ["x"], "C": 300, "K": 70, "predicted": False}
    (tmp_path / "one.yaml").write_text(yaml.safe_dump({
        "version": 1, "network": "one", "dataset": {"name": "none", "training_samples": 50}, "batch_size": 50,
        "inputs": {"x": [300]}, "layers": [layer],
        "predictor": {"outputs": 300},
        "schedule": {"name": "inference", "epochs": [{"batches": [{"phase": "inference", "count": 1}]}]},
        "provenance": {"origin": "recorded", "command": "by hand"},
    }))  # fmt: skip
    spec = load_accelerator(machine)
    assert (
        product_cycles(spec, linear_shape(50, 300, 70))
        == simulate(load_trace(tmp_path / "one.yaml"), spec).runs[0].total_cycles
    )


@pytest.mark.skipif(bool(rtl.COMPARISON.missing()), reason="needs Icarus Verilog (Debian package iverilog)")
def test_a_share_of_the_jobs_in_rtl(monkeypatch: pytest.MonkeyPatch) -> None:
    """One job in forty of each kind; the long run has all of them (test_ladders.py)."""
    monkeypatch.setattr(rtl, "_ARGUMENTS", ("40",))
    rows = validated(find_comparison("rtl")).rows
    assert "row stationary, job" in " ".join(row.what for row in rows)
    assert len(rows) > 4
    assert all(row.measured == row.simulated > 0 for row in rows)


def test_errors_by_hand() -> None:
    """Errors of +10, -50, 0 and +100 %: mean 40 %, median 30 %; the worst comes first."""
    rows = (Row("a", 10, 11), Row("b", 10, 5), Row("c", 7, 7), Row("d", 3, 6, cause="known"))
    found = Validation(Comparison("x", "X", "s", "nobody", "", lambda _: rows), rows)
    assert found.mean_absolute_error == pytest.approx(0.4)
    assert found.median_absolute_error == pytest.approx(0.3)
    assert [row.what for row in found.worst] == ["d", "b", "a", "c"]
    assert [row.shown_cause for row in rows[1:]] == ["unexplained", "", "known"]


def test_channels_a_pass_by_hand() -> None:
    """CONV1-2: 2402.8 x 2^19 words for 3 x 64 x 224 x 224 outputs are 130.8 an output: 64 passes take 127 of psums.

    CONV4-2: 280.3 words an output: 128 passes take 255, so 4 of 512 channels are added up a pass.
    """
    rows = {row.text("layer"): row for row in measured_rows(None, "eyeriss_vgg16.csv", ("layer",))}
    assert [channels_a_pass(rows[name], 3) for name in ("CONV1-2", "CONV2-1", "CONV3-2", "CONV4-2", "CONV5-1")] == [
        1, 1, 2, 4, 8,
    ]  # fmt: skip
    (mapping, *_) = chip_mappings(load_accelerator("eyeriss"), rows["CONV4-2"], 3)
    assert dict(mapping.spatial) == {
        "chain.h": 3, "chain.r": 1, "sets.e": 14, "sets.t": 4, "sets.d": 1, "pe.p": 1, "pe.q": 4, "pe.w": 3,
    }  # fmt: skip


def test_psums_by_hand() -> None:
    """CONV3-1: 3 x 256 x 56 x 56 outputs in 64 passes of 2 channels, 4 words a cycle: 192.7 ms at 200 MHz."""
    (row,) = (row for row in measured_rows(None, "eyeriss_vgg16.csv", ("layer",)) if row.text("layer") == "CONV3-1")
    assert psum_cycles(load_accelerator("eyeriss"), row, 3) == 3 * 256 * 56 * 56 * 64 // 4 == 38_535_168


@pytest.mark.parametrize(("column", "total"), [("ms", 3755.2), ("total_ms", 4309.5), ("buffer_mib", 11035.8)])
def test_layers_add_up_to_the_total_of_the_chips_table(column: str, total: float) -> None:
    rows = measured_rows(None, "eyeriss_vgg16.csv", (column,))
    assert sum(float(row.text(column)) for row in rows) == pytest.approx(total, abs=0.05 * (len(rows) + 1))


def test_what_xla_copies_by_hand() -> None:
    """VMEM has 96 MiB beside the tiles: 64 and 32 MiB fit, 64 and 34 do not, and the smaller one is the first."""
    spec, mib = load_accelerator("tpu-v6e"), 1 << 20
    assert whole_operands(spec, 8192, 4096, 4096) == {"ifmap": 64 * mib, "filter": 32 * mib}
    assert whole_operands(spec, 8192, 4096, 4352) == {"filter": 34 * mib}
    assert whole_operands(spec, 2, 8192, 8192) == {"ifmap": 2 * 8192 * 2}
    assert whole_operands(spec, 1, 384, 384) == {}  # one vector: no product for XLA
    copy, product = compiled(spec, 512, 1024, 1024)
    assert copy.load_bytes.sum() == 2 * (512 * 1024 + 1024 * 1024)
    assert (product.load_bytes.sum(), product.store_bytes.sum()) == (0, 2 * 512 * 1024)
    (alone,) = compiled(spec, 1, 384, 384)
    assert alone.load_bytes.sum() == 2 * (384 + 384 * 384)


def test_a_mapping_of_dosa_by_hand() -> None:
    """Tiles: 16 x 4 filters, 16 x 4 channels, 8 x 3 positions of 14 rows; rows inside positions over DRAM's loops."""
    text = "L3[WIO] P7 Q4 - L2[WI] N1 K16X - L1[O] K4 C4 Q14 P8 C16X - L0[W] P3"
    mapping = read_dosa_mapping(text)
    assert mapping.given() == Given(
        (("positions", 24), ("rows", 14), ("channels", 64), ("kernel_columns", 1), ("kernel_rows", 1),
         ("filters", 64), ("images", 1)),
        ("positions", "rows"),
        reload_operands=True,
    )  # fmt: skip
    for wrong in ("nothing", "L3[WIO] P7 Q4 - what", "L3[WIO] X7"):
        with pytest.raises(ValueError, match=re.escape(wrong)):
            read_dosa_mapping(wrong)


def test_what_the_program_on_gemmini_moves_by_hand() -> None:
    """A 3 x 3 kernel of stride 2, in tiles of a row of taps and of 2 x 4 outputs of 16 x 16 channels and filters.

    A tile of ours loads 3 rows of 9 words where 2 rows are used, and here 2 x 2 + 1 - 1 of 4 x 2 + 3 - 1: 4 x 10. The
    loop over filters is inside that over taps, so ours moves psums, and the program does not.
    """
    shape = ConvShape(1, 16, 9, 9, 64, 3, 3, 4, 4, (2, 2), (0, 0), (1, 1), 1)
    mapping = read_dosa_mapping("L3[WIO] Q2 S3 K4 - L2[WI] N1 K16X - L1[O] R3 Q2 P4 C16X - L0[W] N1")
    plan = product_plan(load_accelerator("gemmini"), shape, mapping.given())
    ran = as_run(plan, mapping, 2)
    assert len(ran.loads) == len(plan.loads) == 2 * 3 * 4
    assert set(ran.load_bytes.tolist()) == {16 * 4 * 10 + 16 * 16 * 3}
    assert ran.store_bytes.sum() == 4 * 4 * 64 < plan.store_bytes.sum()
    assert ran.compute_cycles == plan.compute_cycles


def test_shipped_rows_are_those_of_the_figures() -> None:
    rows = measured_rows(None, "gemmini_firesim.csv", ("layer", "cycles"))
    assert len(rows) == 81
    assert len({row.text("layer") for row in rows}) == 27
    macs = {"CONV1": 421.66, "CONV2": 895.79, "CONV3": 598.1, "CONV4": 448.6, "CONV5": 299.0}  # JSSC 2017, million
    for row in measured_rows(None, "eyeriss_alexnet.csv", ("layer",)):
        C, K, R, P, groups = map(row.number, ("channels", "filters", "kernel", "out", "groups"))
        million = 4 * C * K * R * R * P * P / groups / 1e6
        assert million == pytest.approx(macs[row.text("layer")], rel=1e-3)
