"""From a topology and a configuration of SCALE-Sim to cycles, beside its rule counted fold by fold."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scalesim_rule import FLOWS, Layer, convolution, cycles, product

from simulator.cli.trace_import import import_trace
from simulator.machine.spec_loading import load_accelerator
from simulator.run.results import RunResult
from simulator.run.simulation import simulate
from workloads.trace import load_trace

HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"
CONFIG = """[architecture_presets]
ArrayHeight: {rows}
ArrayWidth: {columns}
IfmapSramSzkB: {kb}
FilterSramSzkB: {kb}
OfmapSramSzkB: {kb}
Dataflow: {flow}
Bandwidth: 10
[run_presets]
InterfaceBandwidth: {mode}
"""


def run(folder: Path, topology: str, flow: str, rows: int, columns: int, mode: str = "CALC", kb: int = 1) -> RunResult:
    """Import and simulate as the commands do."""
    source, trace, config = folder / "net.csv", folder / "net.yaml", folder / "scale.cfg"
    source.write_text(topology)
    config.write_text(CONFIG.format(rows=rows, columns=columns, flow=flow, mode=mode, kb=kb))
    import_trace(source, None, None, None, None, trace)
    return simulate(load_trace(trace), load_accelerator(config)).runs[0]


def forward_cycles(result: RunResult) -> list[int]:
    return [row.compute_cycles for row in result.rows if row.pass_ == "forward"]


def check(result: RunResult, layers: list[Layer], flow: str, rows: int, columns: int) -> None:
    expected = [cycles(layer, flow, rows, columns) for layer in layers]
    assert forward_cycles(result) == expected
    assert result.total_cycles == sum(expected)


def test_rule_by_hand() -> None:
    # 54 x 54 windows of 11 x 11 x 3 words, 96 filters, on 32 x 32: 12 folds down, 3 across, each 32 + 2,916 + 62
    layer = convolution(["Conv1", "224", "224", "11", "11", "3", "96", "4"])
    assert (layer.positions, layer.reduction) == (55 * 55, 363)  # ceil((224 - 11 + 4) / 4) = 55
    assert cycles(layer, "ws", 32, 32) == 12 * 3 * (32 + 3025 + 62)
    assert cycles(layer, "is", 32, 32) == 12 * 95 * (32 + 96 + 62)
    assert cycles(layer, "os", 32, 32) == 95 * 3 * (363 + 62)


sizes, more = st.integers(1, 9), st.integers(0, 9)
convolutions = st.tuples(more, more, sizes, sizes, st.integers(1, 12), st.integers(1, 40), st.integers(1, 4)).map(
    lambda row: (row[0] + row[2], row[1] + row[3], *row[2:])
)
names = st.sampled_from(["conv", "DP1", "fc"])


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(names, convolutions), min_size=1, max_size=4), batch=st.integers(1, 5),
    array=st.tuples(st.integers(1, 17), st.integers(1, 17)), flow=st.sampled_from(FLOWS),
)  # fmt: skip
def test_convolutions_equal_the_rule(
    rows: list[tuple[str, tuple[int, ...]]], batch: int, array: tuple[int, int], flow: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    lines = [", ".join([name, *map(str, numbers)]) for name, numbers in rows]
    topology = "\n".join([f"{HEADER} Batch Size,", *(f"{line}, {batch}," for line in lines)])
    layers = [convolution(line.split(","), batch) for line in lines]
    # several images become a training batch, whose forward passes are the same
    found = run(tmp_path_factory.mktemp("t"), topology, flow, *array)
    assert forward_cycles(found) == [cycles(layer, flow, *array) for layer in layers]


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(*[st.integers(1, 300)] * 3), min_size=1, max_size=4),
    array=st.tuples(st.integers(1, 40), st.integers(1, 40)), flow=st.sampled_from(FLOWS),
)  # fmt: skip
def test_products_equal_the_rule(
    rows: list[tuple[int, int, int]], array: tuple[int, int], flow: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [", ".join(["g", *map(str, numbers)]) for numbers in rows]
    found = run(tmp_path_factory.mktemp("t"), "\n".join(["Layer, M, N, K,", *lines]), flow, *array)
    check(found, [product(line.split(",")) for line in lines], flow, *array)


# Rows of SCALE-Sim's own files: AlexNet's and MobileNet's first layers, LLaMA's attention, a product of GPT-2.
LARGE = (
    "Conv1, 224, 224, 11, 11, 3, 96, 4", "Conv1, 2160, 4096, 3, 3, 3, 32, 2",
    "Attention_1, 512, 512, 1, 1, 4096, 16, 1", "FeedForward_1, 512, 512, 1, 1, 4096, 16384, 1",
)  # fmt: skip


@pytest.mark.parametrize("flow", FLOWS)
def test_large_layers_are_not_cut(flow: str, tmp_path: Path) -> None:
    """With a calculated bandwidth the buffer holds any of them, however small the file's."""
    found = run(tmp_path, "\n".join([HEADER, *LARGE]), flow, 32, 32)
    check(found, [convolution(line.split(",")) for line in LARGE], flow, 32, 32)


@pytest.mark.parametrize("flow", FLOWS)
def test_a_bandwidth_of_the_users_takes_time(flow: str, tmp_path: Path) -> None:
    """6,144 kB hold AlexNet's third layer whole; it may be cut all the same, so that transfers hide behind folds."""
    row = "Conv3, 13, 13, 3, 3, 256, 384, 1"
    found = run(tmp_path, f"{HEADER}\n{row}\n", flow, 256, 256, "USER", 6144)
    layer = convolution(row.split(","))
    assert forward_cycles(found)[0] >= cycles(layer, flow, 256, 256)
    # at ten bytes a cycle, what is read and written takes longer than the folds
    moved = 256 * 13 * 13 + 384 * 256 * 9 + 384 * 11 * 11
    assert found.total_cycles >= moved // 10
