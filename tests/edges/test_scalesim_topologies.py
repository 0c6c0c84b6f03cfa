"""SCALE-Sim topologies, as they are found: ragged, with extra columns, wrong."""

import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workloads.foundation.errors import InputError
from workloads.graph import check_graph
from workloads.importers import find_importer
from workloads.layers import Conv2d, Linear
from workloads.trace import NOT_RECORDED, load_trace

HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"


def read(tmp_path: Path, text: str):
    path = tmp_path / "net.csv"
    path.write_text(text, newline="")
    return find_importer("scalesim").read(path)


def test_convolutions_with_ragged_rows_and_extra_columns(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        HEADER + "Conv1, 12, 12, 3, 3, 5, 7, 2,\n\nConv2,6,6,1,1,7,4,1, 1:4, extra,\nConv2, 4, 4, 2, 2, 3, 8, 1\n",
    )
    convs = [layer for layer in found.layers if isinstance(layer, Conv2d)]
    # ofmap = ceil((12 - 3 + 2) / 2) = 6: the last window reads row 12, past the edge
    assert [(c.id, c.P, c.Q, c.H, c.K) for c in convs] == [
        ("Conv1", 6, 6, 13, 7),
        ("Conv2", 6, 6, 6, 4),
        ("Conv2#2", 3, 3, 4, 8),
    ]
    assert found.inputs == {"input": (5, 13, 13)}
    assert [layer.id for layer in found.layers if layer.kind == "other"] == ["Conv2.input", "Conv2#2.input"]
    assert any("past the edge" in note for note in found.notes)


def test_names_never_collide(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER + "a.input, 8,8,3,3,3,4,1\na, 9,9,3,3,5,4,1\na.input,9,9,3,3,5,4,1\n")
    ids = [layer.id for layer in found.layers]
    assert len(set(ids)) == len(ids)


def test_matrix_products(tmp_path: Path) -> None:
    found = read(tmp_path, "Layer, M, N, K,\nGEMM1, 128, 64, 32,\nfc,1,10,64\n")
    products = [layer for layer in found.layers if isinstance(layer, Linear)]
    assert [(p.L, p.C, p.K) for p in products] == [(128, 32, 64), (1, 64, 10)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no layers"),
        (HEADER, "no layers"),
        ("a, b, c\nx, 1, 2\n", "columns are a, b, c"),
        ("Layer, M, K, N,\ng, 4, 7, 9,\n", "columns are Layer, M, K, N"),
        (HEADER + "c, 2, 2, 5, 5, 1, 1, 1\n", "larger than the ifmap"),
        (HEADER + "c, 99999999999999999999, 2, 1, 1, 1, 1, 1\n", "ifmap height is 9999"),
        (HEADER + "Conv1, 12, 12, 3, 3, 5\n", "line 2.*filters is missing"),
        (HEADER + "Conv1, 12, 12, x, 3, 5, 7, 2\n", "line 2.*filter height is 'x'"),
        (HEADER + "Conv1, 12, 12, 3, 3, 5, 0, 2\n", "line 2.*filters is 0"),
    ],
)
def test_wrong_tables_name_line_and_column(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        read(tmp_path, text)


def test_command_makes_a_trace_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from simulator.cli.main import main

    (tmp_path / "net.csv").write_text(HEADER + "Conv1, 12, 12, 3, 3, 5, 7, 1,\nConv2, 10, 10, 3, 3, 7, 4, 1,\n")
    monkeypatch.chdir(tmp_path)
    for arguments in (
        ["trace", "import", "net.csv", "--format", "scalesim", "--batch-size", "4", "--samples", "40"],
        ["compare", "net.yaml", "--json"],
    ):
        monkeypatch.setattr(sys, "argv", ["adagp-sim", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 0, capsys.readouterr().err
    assert load_trace("net.yaml").provenance.origin == "imported"
    monkeypatch.setattr(sys, "argv", ["adagp-sim", "trace", "import", "net.csv", "--format", "scalsim"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "did you mean scalesim" in capsys.readouterr().err


CONV = "A, 8, 8, 3, 3, 3, 4, 1"  # 6 x 6 windows of 27 words, 4 filters: 3,888 MACs


def macs(found) -> list[int]:
    return [layer.product_shape(found.batch_size).macs for layer in found.layers if isinstance(layer, Conv2d | Linear)]


def columns(more: str) -> str:
    return HEADER.replace("Strides,", f"Strides, {more},")


def test_a_batch_is_taken(tmp_path: Path) -> None:
    found = read(tmp_path, columns("Batch Size") + f"{CONV}, 8,\n")
    assert (found.batch_size, macs(found)) == (8, [8 * 3888])
    assert "Its batch size is taken: 8 images." in found.notes


def test_batches_that_differ_keep_their_work(tmp_path: Path) -> None:
    found = read(tmp_path, columns("Batch Size") + f"{CONV}, 4,\nB{CONV[1:]}, 6,\n")
    assert (found.batch_size, macs(found)) == (2, [4 * 3888, 6 * 3888])
    assert [layer.N_per_sample for layer in found.layers if isinstance(layer, Conv2d)] == [2, 3]
    found = read(tmp_path, "Layer, M, N, K, Batch,\ng, 5, 7, 9, 4,\nh, 5, 7, 9, 6,\n")
    assert (found.batch_size, macs(found)) == (2, [4 * 315, 6 * 315])


def test_a_batch_column_may_be_empty(tmp_path: Path) -> None:
    found = read(tmp_path, columns("batch size") + f"{CONV},\n")
    assert (found.batch_size, macs(found)) == (1, [3888])


def test_depthwise_rows_are_one_channel_at_a_time(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER + "DP1, 8, 8, 3, 3, 32, 1, 1,\nPW1, 6, 6, 1, 1, 32, 64, 1,\nxDPx,8,8,3,3,5,2,1,\n")
    convs = [layer for layer in found.layers if isinstance(layer, Conv2d)]
    assert [(c.C, c.K, c.groups) for c in convs] == [(32, 32, 32), (32, 64, 1), (5, 10, 5)]
    assert macs(found) == [10_368, 73_728, 36 * 9 * 10]
    assert any("DP1 (32 x 1), xDPx (5 x 2)" in note for note in found.notes)
    assert macs(read(tmp_path, "Layer, M, N, K,\nDP, 4, 5, 6,\n")) == [120]  # no convolution


def test_sparsity_is_told_in_every_run(tmp_path: Path) -> None:
    found = read(tmp_path, columns("Sparsity") + f"{CONV}, 1:4,\nB{CONV[1:]}, 4:4,\nC{CONV[1:]},\n")
    assert macs(found) == [3888] * 3
    assert [layer.sparsity and layer.sparsity.weights for layer in found.layers if isinstance(layer, Conv2d)] == [
        0.75, None, None,
    ]  # fmt: skip
    (note,) = [note for note in found.notes if note.startswith(NOT_RECORDED)]
    assert "A (1:4)" in note
    assert "B" not in note
    # without a name of its own in the header SCALE-Sim takes it, too
    assert any("A (2:4)" in note for note in read(tmp_path, HEADER + f"{CONV}, 2:4,\n").notes)


def test_two_strides(tmp_path: Path) -> None:
    text = HEADER.replace("Strides", "Stride height, Stride width") + "c, 9, 9, 3, 3, 1, 1, 1, 2,\n"
    (conv,) = read(tmp_path, text).layers
    assert isinstance(conv, Conv2d)
    assert (conv.stride, conv.P, conv.Q) == ((1, 2), 7, 4)


def test_a_product_written_as_a_convolution(tmp_path: Path) -> None:
    """SCALE-Sim writes M, N, K as an M x K ifmap of one channel and N filters of 1 x K."""
    rows = HEADER + "g, 65536, 8192, 1, 8192, 1, 1024, 1,\nDP, 4, 8, 1, 8, 1, 5, 1,\nc, 4, 8, 1, 8, 2, 5, 1,\n"
    product, depthwise, two_channels = (layer for layer in read(tmp_path, rows).layers if layer.kind != "other")
    assert isinstance(product, Linear)
    assert (product.L, product.C, product.K) == (65_536, 8192, 1024)
    assert depthwise.kind == two_channels.kind == "conv2d"


def test_titles_of_sections(tmp_path: Path) -> None:
    found = read(tmp_path, HEADER + f"\nAlpha Go,\n{CONV},\n\nResnet 50,,,,,,,,\n{CONV},\n")
    assert [layer.id for layer in found.layers] == ["A", "A#2.input", "A#2"]
    assert any("Alpha Go, Resnet 50" in note for note in found.notes)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("first", ["", "\ufeff", "\n\n"])
def test_delimiters_and_ends_of_lines(delimiter: str, end: str, first: str, tmp_path: Path) -> None:
    text = first + HEADER + f"{CONV},\nB, 6, 6, 3, 3, 4, 4, 1,\n"
    path = tmp_path / "net.csv"
    path.write_text(text.replace(",", delimiter).replace("\n", end), newline="")
    found = find_importer("scalesim").read(path)
    assert [layer.id for layer in found.layers] == ["A", "B.input", "B"]
    assert macs(found) == [3888, 16 * 36 * 4]


def test_cells_of_any_length_and_in_quotes(tmp_path: Path) -> None:
    name = "x" * 300_000
    found = read(tmp_path, HEADER + f"{name}{CONV[1:]}, 1:2,\n")
    assert found.layers[0].id == name
    assert max(map(len, found.notes)) < 250
    assert read(tmp_path, HEADER + f'"a, b"{CONV[1:]},\n').layers[0].id == "a, b"


def test_what_is_passed_over_is_told(tmp_path: Path) -> None:
    text = HEADER.replace("Strides,", "Strides,,,Eh") + f"{CONV},,,110\nB{CONV[1:]},#dw\nC{CONV[1:]},#dw\n"
    (note,) = [note for note in read(tmp_path, text).notes if note.startswith("Passed over")]
    assert note == "Passed over: column Eh of A; '#dw' of B, C."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER + "Conv2\t8\t8\t3\t3\t3\t4\t1\n", "line 2: .* is one cell, where the header has 8; separate"),
        (HEADER + "Conv2 8 8 3 3 3 4 1\n", "line 2: .* is one cell"),
        (HEADER + '"Conv2, 8, 8, 3, 3, 3, 4, 1\n', "line 2: cannot be split: .*; close its quotes"),
        (HEADER + '"' + "x" * 200_000 + f'"{CONV[1:]},\n', "line 2: cannot be split: field larger"),
        (columns("Sparsity") + f"{CONV}, half,\n", "line 2: sparsity is 'half'; give N:M"),
        (columns("Sparsity") + f"{CONV}, 5:4,\n", "line 2: sparsity is '5:4'"),
        (columns("Sparsity") + f"{CONV}, {'9' * 5000}:4,\n", "line 2: sparsity is '999"),
        (columns("Batch Size") + f"{CONV}, 0,\n", "line 2: batch size is 0"),
        (HEADER + "FC, 1, 1, 1, ,1 2, 2, 1,\n", "line 2: filter width is missing"),
        (HEADER + f"A, {'9' * 5000}, 2, 1, 1, 1, 1, 1\n", "line 2: ifmap height is '99"),
        (HEADER + "title\n", "a header and no layers"),
    ],
)
def test_wrong_tables_are_told_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words) as told:
        read(tmp_path, text)
    assert len(str(told.value)) < 300 + len(str(tmp_path))


def test_a_spreadsheet_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "net.csv").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8 text; save the table as CSV in UTF-8"):
        find_importer("scalesim").read(tmp_path / "net.csv")


def test_time_does_not_grow_with_equal_names(tmp_path: Path) -> None:
    """20,000 rows of one name took more than a minute; processor time, so that others' work does not count."""
    text = HEADER + "Conv, 12, 12, 3, 3, 5, 7, 2,\n" * 20_000
    begin = time.process_time()
    found = read(tmp_path, text)
    assert time.process_time() - begin < 20
    assert len({layer.id for layer in found.layers}) == 39_999
    assert max(map(len, found.notes)) < 250


PIECES = st.sampled_from(
    ["", ",", ",,", "\t", ";", "\r", "\n", "\r\n", '"', "1", "-1", "0", "x", "DP", "1:4", "M", "N", "K", "#", "\x00",
     "9" * 30, " ", "é", "1.5", "1e3", HEADER, f"{CONV},\n", "Layer, M, N, K,\n", "Batch Size", "Sparsity", "Strides"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=30), st.booleans())
def test_any_text_is_read_or_refused_in_one_line(tmp_path: Path, pieces: list[str], header: bool) -> None:
    text = (HEADER if header else "") + "".join(pieces)
    try:
        found = read(tmp_path, text)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        check_graph(found.layers, found.inputs)
        assert min(macs(found)) > 0
