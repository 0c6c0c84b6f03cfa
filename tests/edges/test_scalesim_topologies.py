"""SCALE-Sim topologies, as they are found: ragged, with extra columns, wrong."""

import sys
from pathlib import Path

import pytest

from workloads.foundation.errors import InputError
from workloads.importers import find_importer
from workloads.layers import Conv2d, Linear
from workloads.trace import load_trace

HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"


def read(tmp_path: Path, text: str):
    path = tmp_path / "net.csv"
    path.write_text(text)
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
