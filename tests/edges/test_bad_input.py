"""Bad input ends with exit code 2 and one line that names file, key and remedy, and leaves nothing behind."""

import copy
import gzip
import json
import re
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import Outcome, run_here, run_process
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_trace import TRACE, Document

from workloads.foundation.errors import InputError
from workloads.trace import load_trace

Edit = Callable[[Document], object]


def everything_in(folder: Path) -> dict[str, bytes | None]:
    """Return every file below a folder, hidden ones included, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def expect_error(outcome: Outcome, *words: str, below: Path | None = None) -> None:
    """Hold an outcome against what is promised; each word is a regular expression that the line must contain.

    The name of the folder `below` does not count, since pytest puts the test's name into it.
    """
    line = outcome.err.rstrip("\n").replace(str(below), "")
    assert "Traceback" not in outcome.err + outcome.out
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.endswith("\n")
    assert line.startswith("error: ")
    assert "\x1b" not in line
    for word in words:
        assert re.search(word, line, re.IGNORECASE), f"no {word!r} in: {line}"


Runner = Callable[..., None]


@pytest.fixture
def refuses(tmp_path: Path) -> Runner:
    """Run a command that must be refused, with a new and an existing output folder, and check that nothing is left."""

    def check(arguments: list[str], *words: str, out: bool = True) -> None:
        fresh, existing = tmp_path / "fresh", tmp_path / "existing"
        existing.mkdir()
        (existing / "summary.json").write_text("mine")
        (existing / "other.txt").write_text("mine too")
        before = everything_in(tmp_path)
        for folder in (fresh, existing) if out else (None,):
            given_out = ["--out", str(folder)] if folder else []
            outcome = run_here(*arguments, *given_out)
            assert everything_in(tmp_path) == before
            expect_error(outcome, *words, below=tmp_path)
        assert not fresh.exists()

    return check


# ---------------------------------------------------------------------------------------------------------------------
# The trace that the tests damage


def write_trace(folder: Path, edit: Edit | None = None) -> Path:
    document = copy.deepcopy(TRACE)
    if edit:
        edit(document)
    path = folder / "mytrace.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def put(*keys: str | int, value: Any) -> Edit:
    """Return an edit that sets the value at a path of keys."""

    def edit(document: Document) -> None:
        target: Any = document
        for key in keys[:-1]:
            target = target[key]
        target[keys[-1]] = value

    return edit


def drop(*keys: str | int) -> Edit:
    """Return an edit that takes out the value at a path of keys."""

    def edit(document: Document) -> None:
        target: Any = document
        for key in keys[:-1]:
            target = target[key]
        del target[keys[-1]]

    return edit


@pytest.mark.parametrize("with_controls", [False, True])
def test_the_trace_that_is_broken_below_is_a_good_one(with_controls: bool, tmp_path: Path) -> None:
    path = write_trace(tmp_path, controls() if with_controls else None)
    assert load_trace(path).network == "tiny"
    outcome = run_here("simulate", str(path), "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["trace"]["network"] == "tiny"


# ---------------------------------------------------------------------------------------------------------------------
# Traces as text


NEAR_MINIMAL = yaml.safe_dump(TRACE, sort_keys=False)

TEXTS: dict[str, tuple[bytes, list[str]]] = {
    "broken YAML": (b"version: 1\nlayers: [{id: a\nnetwork: x\n", ["line|column", "YAML"]),
    "a tab as indentation": (b"version: 1\ndataset:\n\tname: x\n", ["line", "YAML"]),
    "not UTF-8": (b"version: 1\nnetwork: caf\xe9\n", ["UTF-8"]),
    "bytes of a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", []),
    "a zero byte": (b"version: 1\nnetwork: a\x00b\n", []),
    "duplicate key": (b"batch_size: 8\n" + NEAR_MINIMAL.encode(), ["batch_size", "twice|duplicate"]),
    "duplicate key in a layer": (
        NEAR_MINIMAL.replace("  op: relu\n", "  op: relu\n  op: relu\n").encode(),
        [r"\bop\b", "twice|duplicate"],
    ),
    "empty file": (b"", ["empty|key|mapping"]),
    "only a comment": (b"# nothing\n", ["empty|key|mapping"]),
    "a list": (b"- version: 1\n", ["key|mapping"]),
    "a scalar": (b"hello\n", ["key|mapping"]),
    "two documents": (NEAR_MINIMAL.encode() + b"---\nversion: 1\n", ["document"]),
    "a tag of Python": (NEAR_MINIMAL.encode() + b"extra: !!python/object/apply:os.getcwd []\n", ["tag|python"]),
    "a list as a key": (NEAR_MINIMAL.encode() + b"? [1, 2]\n: 3\n", ["key"]),
    "a number as a key": (NEAR_MINIMAL.encode() + b"3: 3\n", ["3"]),
    "an alias to itself": (NEAR_MINIMAL.encode() + b"notes: &a [*a]\n", ["line", "alias|recursive"]),
    "a value that holds itself where notes may stand": (
        NEAR_MINIMAL.replace("provenance:\n", "provenance:\n  notes: &a [*a]\n").encode(),
        ["notes|line", "alias|recursive"],
    ),
    "settings that hold themselves": (
        NEAR_MINIMAL.replace("provenance:\n", "provenance:\n  settings: &a {b: *a}\n").encode(),
        ["settings|line", "alias|recursive"],
    ),
    "an undefined alias": (NEAR_MINIMAL.encode() + b"notes: *nowhere\n", ["nowhere|alias"]),
    "brackets without end": (b"layers: " + b"[" * 20_000, []),
    "brackets too deep": (b"layers: " + b"[" * 20_000 + b"]" * 20_000, []),
    "a number too long to read": (
        NEAR_MINIMAL.replace("batch_size: 4", "batch_size: " + "9" * 5000).encode(),
        ["batch_size|line|too (long|large|big)"],
    ),
}


@pytest.mark.parametrize("case", TEXTS)
def test_text_that_is_no_trace(case: str, tmp_path: Path, refuses: Runner) -> None:
    text, words = TEXTS[case]
    path = tmp_path / "mytrace.yaml"
    path.write_bytes(text)
    refuses(["simulate", str(path)], r"mytrace\.yaml", *words)


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(b"this is not gzip", id="no gzip"),
        pytest.param(gzip.compress(NEAR_MINIMAL.encode())[:-20], id="cut off"),
        pytest.param(gzip.compress(NEAR_MINIMAL.encode())[:40] + b"junk" * 20, id="broken inside"),
        pytest.param(b"", id="empty"),
    ],
)
def test_broken_gzip(packed: bytes, tmp_path: Path, refuses: Runner) -> None:
    path = tmp_path / "mytrace.yaml.gz"
    path.write_bytes(packed)
    refuses(["simulate", str(path)], r"mytrace\.yaml\.gz", "gzip|empty|key|mapping")


def test_missing_trace_file(tmp_path: Path, refuses: Runner) -> None:
    refuses(["simulate", str(tmp_path / "absent.yaml")], r"absent\.yaml", "no such file|not exist|not found|no file")


def test_a_folder_as_trace(tmp_path: Path, refuses: Runner) -> None:
    (tmp_path / "folder.yaml").mkdir()
    refuses(["simulate", str(tmp_path / "folder.yaml")], r"folder\.yaml", "folder|directory")


def test_a_file_name_with_a_line_break(tmp_path: Path, refuses: Runner) -> None:
    refuses(["simulate", str(tmp_path / "two\nlines.yaml")], "lines")


@pytest.mark.parametrize("command", [["simulate"], ["compare"], ["trace", "inspect"]])
def test_unknown_shipped_trace_suggests_the_nearest(command: list[str], refuses: Runner) -> None:
    out = command != ["trace", "inspect"]
    refuses([*command, "vgg13-cifar1O"], "vgg13-cifar1O", "vgg13-cifar10", out=out)


def test_a_trace_that_cannot_be_read_in_inspect(tmp_path: Path, refuses: Runner) -> None:
    path = write_trace(tmp_path, drop("layers"))
    refuses(["trace", "inspect", str(path)], r"mytrace\.yaml", "layers", out=False)


# ---------------------------------------------------------------------------------------------------------------------
# Traces as documents


def controls(edit: Edit | None = None, origin: str = "trained") -> Edit:
    """Return an edit that gives the trace two good controls, and then damages them."""
    runs = [
        {"name": "ada-gp", "title": "ADA-GP", "gp_batches": "predicted", "test_accuracy": [[0.5, 0.75], [0.5, 1.0]]},
        {"name": "bp", "title": "BP", "gp_batches": "backpropagated", "test_accuracy": [[0.5, 0.75], [0, 1]]},
    ]

    def both(document: Document) -> None:
        document["controls"] = copy.deepcopy(runs)
        document["provenance"]["origin"] = origin
        if edit is not None:
            edit(document)

    return both


def predictor_errors(edit: Edit | None = None, origin: str = "trained") -> Edit:
    """Return an edit that gives the trace good errors of two layers, and then damages them."""
    errors = {"cosine": [0.5, None], "relative_l2": [0.9, None], "mape": [1.5, None], "mse": [2e-5, None]}

    def both(document: Document) -> None:
        document["predictor_errors"] = {layer: copy.deepcopy(errors) for layer in ("first", "head")}
        document["provenance"]["origin"] = origin
        if edit is not None:
            edit(document)

    return both


NUMBER = "whole number|integer"
POSITIVE = "at least 1|above 0|>= ?1|positive|1 or more|greater than 0"

LAYER_2 = r"second|layers\[2\]"

EDITS: dict[str, tuple[Edit, list[str]]] = {
    "unknown key": (put("batchsize", value=4), [r"batchsize", r"batch_size\b"]),
    "unknown key in a layer": (put("layers", 0, "paddding", value=[1, 1]), ["first|layers", "paddding", r"padding\b"]),
    "unknown key in the schedule": (put("schedule", "epocs", value=[]), ["schedule", "epocs", "epochs"]),
    "unknown key in a batch": (
        put("schedule", "epochs", 0, "batches", 0, "cuont", value=2),
        ["schedule", "cuont", "count"],
    ),
    "unknown key in a nested batch": (
        put("schedule", "epochs", 1, "batches", 0, "batches", 0, "phse", value="gp"),
        ["schedule", "phse", "phase"],
    ),
    "unknown key in the predictor": (put("predictor", "chanels", value=4), ["predictor", "chanels", "channels"]),
    "unknown key in the data set": (put("dataset", "nmae", value="x"), ["dataset", "nmae", "name"]),
    "unknown key in provenance": (put("provenance", "orgin", value="x"), ["provenance", "orgin", "origin"]),
    "unknown key in metrics": (put("metrics", 0, "test_acuracy", value=0.5), ["metrics", "acuracy", "test_accuracy"]),
    "unknown sparsity": (put("layers", 0, "sparsity", value={"wieghts": 0.5}), ["sparsity", "wieghts", "weights"]),
    "a key of another kind of layer": (put("layers", 1, "K", value=8), ["relu|layers", r"\bK\b"]),
    "missing version": (drop("version"), ["version"]),
    "missing network": (drop("network"), ["network"]),
    "missing layers": (drop("layers"), ["layers"]),
    "missing schedule": (drop("schedule"), ["schedule"]),
    "missing predictor": (drop("predictor"), ["predictor"]),
    "missing inputs": (drop("inputs"), ["inputs"]),
    "missing batch size": (drop("batch_size"), ["batch_size"]),
    "missing kind": (drop("layers", 0, "kind"), ["layers|first", "kind"]),
    "missing id": (drop("layers", 0, "id"), ["layers", r"\bid\b"]),
    "missing C": (drop("layers", 0, "C"), ["layers|first", r"\bC\b"]),
    "missing phase": (drop("schedule", "epochs", 0, "batches", 0, "phase"), ["schedule", "phase"]),
    "missing outputs": (drop("predictor", "outputs"), ["predictor", "outputs"]),
    "version 2": (put("version", value=2), ["version", r"\b1\b", r"\b2\b"]),
    "version as text": (put("version", value="1"), ["version", r"\b1\b"]),
    "version true": (put("version", value=True), ["version", r"\b1\b|" + NUMBER]),
    "text for a number": (put("batch_size", value="4"), ["batch_size", NUMBER]),
    "fraction for a number": (put("batch_size", value=4.5), ["batch_size", NUMBER]),
    "truth for a number": (put("batch_size", value=True), ["batch_size", NUMBER]),
    "nothing for a number": (put("batch_size", value=None), ["batch_size", NUMBER]),
    "list for a number": (put("batch_size", value=[4]), ["batch_size", NUMBER]),
    "fraction in a layer": (put("layers", 0, "C", value=3.5), ["first|layers", r"\bC\b", NUMBER]),
    "text in a shape": (put("inputs", "input", value=[3, "8", 8]), ["inputs", NUMBER]),
    "number for a text": (put("network", value=5), ["network", "text|string"]),
    "number for a list": (put("layers", value=5), ["layers", "list"]),
    "text for a list": (put("layers", 0, "inputs", value="input"), ["first|layers", "inputs", "list"]),
    "number for a truth": (put("layers", 0, "bias", value=1), ["bias", "true"]),
    "text for a truth": (put("layers", 0, "bias", value="no"), ["bias", "true"]),
    "three strides": (put("layers", 0, "stride", value=[1, 1, 1]), ["stride", r"2|two|pair"]),
    "one number as stride": (put("layers", 0, "stride", value=1), ["stride", "list|pair|two"]),
    "negative batch size": (put("batch_size", value=-4), ["batch_size", POSITIVE]),
    "zero batch size": (put("batch_size", value=0), ["batch_size", POSITIVE]),
    "zero channels": (put("layers", 0, "C", value=0), ["first|layers", r"\bC\b", POSITIVE]),
    "negative kernel": (put("layers", 0, "R", value=-3), ["first|layers", r"\bR\b", POSITIVE]),
    "zero stride": (put("layers", 0, "stride", value=[0, 1]), ["first|layers", "stride", POSITIVE]),
    "negative padding": (put("layers", 0, "padding", value=[-1, 1]), ["first|layers", "padding", "at least 0|>= ?0"]),
    "zero in a shape": (put("inputs", "input", value=[3, 0, 8]), ["inputs", POSITIVE]),
    "zero count": (put("schedule", "epochs", 0, "batches", 0, "count", value=0), ["schedule", "count", POSITIVE]),
    "zero repeat": (put("schedule", "epochs", 0, "repeat", value=0), ["schedule", "repeat", POSITIVE]),
    "zero training samples": (put("dataset", "training_samples", value=0), ["training_samples", POSITIVE]),
    "negative parameters": (
        put("layers", 1, "parameters", value=-1),
        ["relu|layers", "parameters", "at least 0|>= ?0"],
    ),
    "sparsity above one": (put("layers", 0, "sparsity", value={"weights": 1.5}), ["sparsity", "weights", r"\b1\b"]),
    "sparsity that is no number": (
        put("layers", 0, "sparsity", value={"weights": float("nan")}),
        ["sparsity", "weights"],
    ),
    "accuracy above one": (put("metrics", 0, "test_accuracy", value=50.0), ["metrics", "test_accuracy", r"\b1\b"]),
    "unknown layer kind": (put("layers", 0, "kind", value="conv3d"), ["first|layers", "conv3d", "conv2d"]),
    "unknown phase": (
        put("schedule", "epochs", 0, "batches", 0, "phase", value="warmup"),
        ["schedule", "warmup", "warm_up"],
    ),
    "no as a phase": (put("schedule", "epochs", 0, "batches", 0, "phase", value="no"), ["phase", "no", "warm_up"]),
    "unknown optimizer": (put("optimizer", value="adma"), ["optimizer", "adma", "adam"]),
    "unknown optimizer of the predictor": (
        put("predictor", "optimizer", value="adma"),
        ["predictor", "optimizer", "adma", "adam"],
    ),
    "unknown origin": (put("provenance", "origin", value="traind"), ["origin", "traind", "trained"]),
    "even kernel of the predictor": (put("predictor", "kernel", value=[2, 2]), ["predictor", "kernel", "odd"]),
    "even width of the predictor's kernel": (put("predictor", "kernel", value=[3, 2]), ["predictor", "kernel", "odd"]),
    "even height of the predictor's kernel": (put("predictor", "kernel", value=[2, 3]), ["predictor", "kernel", "odd"]),
    "P does not follow": (put("layers", 0, "P", value=7), ["first", r"\bP\b", r"\b8\b"]),
    "Q does not follow": (put("layers", 0, "Q", value=9), ["first", r"\bQ\b", r"\b8\b"]),
    "kernel larger than the image": (
        lambda document: document["layers"][0].update({"R": 30, "P": 1}),
        ["first", r"\b(R|H|P)\b"],
    ),
    "stride without its P": (put("layers", 0, "stride", value=[2, 2]), ["first", r"\b[PQ]\b", r"\b4\b"]),
    "groups that do not divide": (put("layers", 2, "groups", value=3), ["second", "groups", r"\b3\b"]),
    "channels do not chain": (put("layers", 2, "C", value=16), ["second", r"\b16\b", r"\b8\b"]),
    "images do not chain": (
        lambda document: document["layers"][2].update({"H": 9, "P": 9}),
        ["second", r"\b9\b", r"\b8\b"],
    ),
    "first layer and input do not chain": (put("inputs", "input", value=[1, 8, 8]), ["first", "input"]),
    "linear does not chain": (put("layers", 4, "C", value=9), ["head", r"\b9\b", r"\b8\b"]),
    "activation does not chain": (put("layers", 1, "shape", value=[8, 4, 4]), ["relu", "shape"]),
    "pool does not chain": (put("layers", 3, "shape", value=[4, 1, 1]), ["mean", r"\b4\b"]),
    "layer id twice": (put("layers", 2, "id", value="first"), ["first", "twice|duplicate|unique|already|taken"]),
    "layer named as an input": (put("layers", 0, "id", value="input"), ["input"]),
    "input from nowhere": (put("layers", 2, "inputs", value=["rleu"]), [LAYER_2, "rleu", "relu"]),
    "input from a later layer": (
        put("layers", 0, "inputs", value=["second"]),
        [r"first|layers\[0\]", "second", "earlier|before"],
    ),
    "input from itself": (put("layers", 2, "inputs", value=["second"]), [LAYER_2, "earlier|before|itself"]),
    "no inputs": (put("layers", 2, "inputs", value=[]), [LAYER_2, "inputs"]),
    "two inputs of a convolution": (put("layers", 2, "inputs", value=["relu", "first"]), ["second", "inputs"]),
    "shares with nothing": (put("layers", 2, "shares_weights_with", value="frist"), [LAYER_2, "frist"]),
    "shares with a layer of another size": (put("layers", 2, "shares_weights_with", value="first"), ["second"]),
    "shares with a layer without weights": (put("layers", 2, "shares_weights_with", value="relu"), [LAYER_2, "relu"]),
    "no layers": (put("layers", value=[]), ["layers", "at least|one|empty"]),
    "no layers with weights": (
        lambda document: document.update(
            layers=[
                {"id": "relu", "kind": "activation", "inputs": ["input"], "op": "relu", "shape": [3, 8, 8]},
            ]
        ),
        ["layers"],
    ),
    "no inputs at all": (put("inputs", value={}), ["inputs"]),
    "an empty shape": (put("inputs", "input", value=[]), ["inputs"]),
    "no epochs": (
        lambda document: [drop("metrics")(document), put("schedule", "epochs", value=[])(document)],
        ["epochs"],
    ),
    "no batches": (put("schedule", "epochs", 0, "batches", value=[]), ["schedule", "batches"]),
    "no nested batches": (put("schedule", "epochs", 1, "batches", 0, "batches", value=[]), ["schedule", "batches"]),
    "patterns in patterns": (
        put(
            "schedule",
            "epochs",
            1,
            "batches",
            0,
            "batches",
            value=[{"repeat": 2, "batches": [{"phase": "gp"}]}],
        ),
        ["schedule", "batches"],
    ),
    "predictor too narrow": (
        put("predictor", "outputs", value=71),
        ["predictor", "outputs", r"\b7[12]\b", "first|second"],
    ),
    "a metric too few": (drop("metrics", 1), ["metrics", r"\b1\b", r"\b2\b"]),
    "controls of a trace that was not trained": (controls(origin="recorded"), ["controls", "recorded", "leave"]),
    "no control": (controls(put("controls", value=5)), ["controls", "list"]),
    "unknown key in a control": (controls(put("controls", 1, "nmae", value="x")), [r"controls\[1\]", "nmae", "name"]),
    "a control twice": (controls(put("controls", 1, "name", value="ada-gp")), [r"controls\[1\]\.name", "ada-gp"]),
    "a control without a name": (controls(put("controls", 1, "name", value="")), [r"controls\[1\]\.name", "text"]),
    "unknown GP batches": (
        controls(put("controls", 1, "gp_batches", value="left-out")),
        [r"controls\[1\]\.gp_batches", "left-out", "left_out"],
    ),
    "a control without ADA-GP": (controls(drop("controls", 0)), ["controls", "predicted"]),
    "a control without seeds": (
        controls(put("controls", 1, "test_accuracy", value=[])),
        [r"controls\[1\]\.test_accuracy", "at least 1"],
    ),
    "a control's epoch too few": (
        controls(drop("controls", 1, "test_accuracy", 0, 1)),
        [r"controls\[1\]\.test_accuracy\[0\]", r"\b1\b", r"\b2 epochs"],
    ),
    "a control's seed too few": (
        controls(drop("controls", 1, "test_accuracy", 1)),
        [r"controls\[1\]\.test_accuracy", "1 seeds", "has 2"],
    ),
    "a control's accuracy in per cent": (
        controls(put("controls", 1, "test_accuracy", 0, 1, value=75.0)),
        [r"controls\[1\]\.test_accuracy\[0\]\[1\]", r"75", r"at most 1"],
    ),
    "a control's accuracy that is no number": (
        controls(put("controls", 1, "test_accuracy", 0, 1, value=float("nan"))),
        [r"controls\[1\]\.test_accuracy\[0\]\[1\]", "nan"],
    ),
    "errors of a trace that was not trained": (
        predictor_errors(origin="recorded"),
        ["predictor_errors", "recorded", "leave"],
    ),
    "errors that are a list": (predictor_errors(put("predictor_errors", value=[1])), ["predictor_errors", "mapping"]),
    "errors of no layer": (
        predictor_errors(
            put("predictor_errors", "frist", value={"cosine": [], "relative_l2": [], "mape": [], "mse": []})
        ),
        [r"predictor_errors\.frist", "predicted", r"first\b"],
    ),
    "errors of a layer without weights": (
        predictor_errors(
            put("predictor_errors", "relu", value={"cosine": [], "relative_l2": [], "mape": [], "mse": []})
        ),
        [r"predictor_errors\.relu", "predicted"],
    ),
    "errors of a layer that is not predicted": (
        predictor_errors(put("layers", 4, "predicted", value=False)),
        [r"predictor_errors\.head", "predicted"],
    ),
    "an unknown error": (
        predictor_errors(put("predictor_errors", "head", "cosin", value=[0, 0])),
        [r"predictor_errors\.head", "cosin", r"cosine\b"],
    ),
    "an error missing": (predictor_errors(drop("predictor_errors", "head", "mse")), [r"head\.mse", "missing"]),
    "an error's epoch too few": (
        predictor_errors(drop("predictor_errors", "head", "mape", 1)),
        [r"head\.mape", r"\b1\b", "2 epochs"],
    ),
    "an error in an epoch without the others": (
        predictor_errors(put("predictor_errors", "head", "mape", 1, value=1.0)),
        [r"head\.mape", "null", "cosine"],
    ),
    "a cosine above one": (
        predictor_errors(put("predictor_errors", "head", "cosine", 0, value=1.5)),
        [r"head\.cosine\[0\]", r"1\.5", "at most 1"],
    ),
    "an error below zero": (
        predictor_errors(put("predictor_errors", "head", "mse", 0, value=-1e-9)),
        [r"head\.mse\[0\]", "at least 0"],
    ),
    "an error that is no number": (
        predictor_errors(put("predictor_errors", "head", "mape", 0, value=float("inf"))),
        [r"head\.mape\[0\]", "inf"],
    ),
    "metrics out of order": (put("metrics", 0, "epoch", value=2), ["metrics", "epoch"]),
    "a line break in a name": (
        put("layers", 1, "inputs", value=["a\nb"]),
        [r"relu|layers\[1\]", "earlier|no layer|unknown|nowhere"],
    ),
    "an escape code in a name": (put("layers", 1, "inputs", value=["\x1b[31mred"]), [r"relu|layers\[1\]"]),
}


@pytest.mark.parametrize("case", EDITS)
def test_document_that_is_no_trace(case: str, tmp_path: Path, refuses: Runner) -> None:
    edit, words = EDITS[case]
    path = write_trace(tmp_path, edit)
    refuses(["simulate", str(path)], r"mytrace\.yaml", *words)


@pytest.mark.parametrize(
    ("case", "key", "never"),
    [
        ("P does not follow", r"layers\[0\]\.P\b", "conv2d.P"),
        ("groups that do not divide", r"layers\[2\]\.(C|groups)\b", "conv2d.C"),
        ("a key of another kind of layer", r"layers\[1\]\.K\b", "did you mean K"),
    ],
)
def test_the_key_is_where_the_line_says(case: str, key: str, never: str, tmp_path: Path, refuses: Runner) -> None:
    with pytest.raises(InputError, match=key) as caught:
        load_trace(write_trace(tmp_path, EDITS[case][0]))
    assert never not in str(caught.value)


@pytest.mark.parametrize("case", ["a list as a key", "a number as a key"])
def test_a_key_that_is_no_text_is_what_the_line_says_is_wrong(case: str, tmp_path: Path) -> None:
    path = tmp_path / "mytrace.yaml"
    path.write_bytes(TEXTS[case][0])
    with pytest.raises(InputError) as caught:
        load_trace(path)
    assert "is None" not in str(caught.value)


@pytest.mark.parametrize("word", ["no", "off", "1:30", "1.5", "8.25", "0x", "1e-1", "1e400"])
def test_words_that_are_no_whole_number_in_yaml_12(word: str, tmp_path: Path, refuses: Runner) -> None:
    path = tmp_path / "mytrace.yaml"
    path.write_text(NEAR_MINIMAL.replace("batch_size: 4", f"batch_size: {word}"))
    refuses(["simulate", str(path)], r"mytrace\.yaml", "batch_size", NUMBER)


def test_words_that_yaml_11_takes_for_something_else_are_text(tmp_path: Path) -> None:
    for word in ("no", "on", "Yes", "12:30:45"):
        path = tmp_path / "mytrace.yaml"
        path.write_text(NEAR_MINIMAL.replace("network: tiny", f"network: {word}"))
        assert load_trace(path).network == word


def test_a_number_in_scientific_notation_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "mytrace.yaml"
    path.write_text(NEAR_MINIMAL.replace("train_loss: 2.0", "train_loss: 2e-12"))
    metrics = load_trace(path).metrics
    assert metrics is not None
    assert metrics[0].train_loss == 2e-12


# ---------------------------------------------------------------------------------------------------------------------
# Accelerators, energy tables and schedules

Files = dict[str, Any]

CONFIGS: dict[str, tuple[Files, list[str]]] = {
    "unknown key": ({"version": 1, "frequency": 1}, ["frequency", "frequency_hz"]),
    "unknown key of a part": ({"version": 1, "array": {"row": 3}}, ["array", r"\brow\b", "rows"]),
    "a key of a trace": ({"version": 1, "layers": []}, ["layers"]),
    "version 3": ({"version": 3}, ["version", r"\b2\b"]),
    "negative frequency": ({"version": 1, "frequency_hz": -1}, ["frequency_hz", POSITIVE]),
    "zero frequency": ({"version": 1, "frequency_hz": 0}, ["frequency_hz", POSITIVE]),
    "fraction of a frequency": ({"version": 1, "frequency_hz": 1.5}, ["frequency_hz", NUMBER]),
    "text as rows": ({"version": 1, "array": {"rows": "many"}}, ["array.rows", NUMBER]),
    "truth as rows": ({"version": 1, "array": {"rows": True}}, ["array.rows", NUMBER]),
    "zero rows": ({"version": 1, "array": {"rows": 0}}, ["array.rows", POSITIVE]),
    "negative latency": ({"version": 1, "dram": {"latency_ns": -1}}, ["dram.latency_ns", "at least 0|>= ?0"]),
    "number for a part": ({"version": 1, "array": 5}, ["array"]),
    "nothing for a part": ({"version": 1, "array": None}, ["array"]),
    "unknown design": ({"version": 1, "design": "maxx"}, ["design", "maxx", "max"]),
    "unknown dataflow": ({"version": 1, "dataflow": "wss"}, ["dataflow", "wss", r"\bws\b"]),
    "unknown DRAM model": ({"version": 1, "dram": {"model": "bandwith"}}, ["dram", "bandwith", "bandwidth"]),
    "unknown batch mean": ({"version": 1, "batch_mean": "rered"}, ["batch_mean", "rered", "reread"]),
    "unknown energy table": ({"version": 1, "energy_table": "45mn"}, ["energy_table|energy", "45mn", "45nm"]),
    "extends nothing": ({"version": 1, "extends": "baselin"}, ["extends|baselin", "baseline"]),
    "extends a number": ({"version": 1, "extends": 3}, ["extends", "text|string|name"]),
    "extends itself": ({"version": 1, "extends": "myconfig.yaml"}, ["extends", "itself|loop|cycle|circle|round"]),
    "max without a second array": ({"version": 1, "extends": "max", "second_array": None}, ["max", "second_array"]),
    "efficient without its memory": (
        {"version": 1, "extends": "efficient", "predictor_sram": None},
        ["efficient", "predictor_sram"],
    ),
    "buffer too small": ({"version": 1, "global_buffer": {"bank_bytes": 1}}, ["global_buffer|buffer"]),
    "zero bytes through a port": (
        {"version": 1, "global_buffer": {"bank_port_bytes": 0}},
        ["global_buffer.bank_port_bytes", POSITIVE],
    ),
    "half a byte through a port": (
        {"version": 1, "global_buffer": {"bank_port_bytes": 0.5}},
        ["global_buffer.bank_port_bytes", NUMBER],
    ),
    "no port": (
        {"version": 1, "predictor_sram": {"bank_port_bytes": None}},
        ["predictor_sram.bank_port_bytes", NUMBER],
    ),
    "a port by another name": (
        {"version": 1, "global_buffer": {"port_bytes": 8}},
        ["global_buffer", r"\bport_bytes\b", "bank_port_bytes"],
    ),
    "second array takes all banks": (
        {"version": 1, "extends": "max", "second_array": {"buffer_banks": 64}},
        ["buffer_banks", "64|global_buffer"],
    ),
    "DRAM too small": ({"version": 1, "dram": {"capacity_bytes": 4096}}, ["dram.capacity_bytes", "is 4 KiB"]),
}


SEEN_WITH_A_TRACE = {"buffer too small", "DRAM too small", "unknown energy table"}


@pytest.mark.parametrize("case", CONFIGS)
def test_config_that_is_no_accelerator(case: str, tmp_path: Path, refuses: Runner) -> None:
    document, words = CONFIGS[case]
    config = tmp_path / "myconfig.yaml"
    config.write_text(yaml.safe_dump(document))
    refuses(["simulate", str(write_trace(tmp_path)), "--config", str(config)], r"myconfig\.yaml", *words)


@pytest.mark.parametrize("case", [case for case in CONFIGS if case not in SEEN_WITH_A_TRACE])
def test_show_refuses_the_same_configs(case: str, tmp_path: Path, refuses: Runner) -> None:
    document, words = CONFIGS[case]
    config = tmp_path / "myconfig.yaml"
    config.write_text(yaml.safe_dump(document))
    refuses(["show", str(config)], r"myconfig\.yaml", *words, out=False)


def test_two_configs_that_extend_each_other(tmp_path: Path, refuses: Runner) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        (tmp_path / f"{name}.yaml").write_text(f"version: 1\nextends: {tmp_path / other}.yaml\n")
    words = [r"(one|two)\.yaml", "extends", "itself|loop|cycle|circle|round"]
    refuses(["simulate", str(write_trace(tmp_path)), "--config", str(tmp_path / "one.yaml")], *words)


def test_missing_config(tmp_path: Path, refuses: Runner) -> None:
    config = str(tmp_path / "absent.yaml")
    refuses(["simulate", "digits-cnn", "--config", config], r"absent\.yaml", "no such file|not exist|not found|no file")


@pytest.mark.parametrize(
    "arguments",
    [["simulate", "digits-cnn", "--config", "efficent"], ["show", "efficent"]],
    ids=["config", "show"],
)
def test_unknown_shipped_config_suggests_the_nearest(arguments: list[str], refuses: Runner) -> None:
    refuses(arguments, "efficent", r"\befficient\b", out=arguments[0] != "show")


@pytest.mark.parametrize("text", ["", "- 1\n", "hello\n", "version: 1\nversion: 1\n", "array: {rows: 3\n"])
def test_text_that_is_no_config(text: str, tmp_path: Path, refuses: Runner) -> None:
    config = tmp_path / "myconfig.yaml"
    config.write_text(text)
    refuses(["simulate", "digits-cnn", "--config", str(config)], r"myconfig\.yaml")


def test_a_trace_as_config(tmp_path: Path, refuses: Runner) -> None:
    path = str(write_trace(tmp_path))
    refuses(["simulate", "digits-cnn", "--config", path], r"mytrace\.yaml")


def test_a_config_as_trace(tmp_path: Path, refuses: Runner) -> None:
    config = tmp_path / "myconfig.yaml"
    config.write_text("version: 1\nextends: max\n")
    refuses(["simulate", str(config)], r"myconfig\.yaml")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("array.rows", ["array.rows", "="]),
        ("", ["="]),
        ("=3", []),
        ("array.row=3", ["array", r"\brow\b", "rows"]),
        ("aray.rows=3", ["aray", "array"]),
        ("array.rows.more=3", ["array.rows"]),
        ("array=3", ["array"]),
        ("array.rows=many", ["array.rows", "many", NUMBER]),
        ("array.rows=", ["array.rows", NUMBER]),
        ("array.rows=3.5", ["array.rows", NUMBER]),
        ("array.rows=-3", ["array.rows", POSITIVE]),
        ("array.rows=true", ["array.rows", NUMBER]),
        ("array.rows=[1", ["array.rows", "YAML"]),
        ("array.rows={a: 1, a: 2}", ["array.rows"]),
        ("array.rows=" + "9" * 5000, ["array.rows"]),
        ("array..rows=3", ["array"]),
        ("design=maxx", ["maxx", "max"]),
        ("dataflow=wss", ["wss", r"\bws\b"]),
        ("version=3", ["version", r"\b2\b"]),
        ("extends=maxx", ["extends|maxx"]),
        ("energy_table=45mn", ["45mn", "45nm"]),
        ("global_buffer.bank_bytes=1", ["global_buffer"]),
        ("global_buffer.bank_port_bytes=0", ["global_buffer.bank_port_bytes", POSITIVE]),
        ("predictor_sram.bank_port_bytes=-8", ["predictor_sram.bank_port_bytes", POSITIVE]),
        ("predictor_sram.bank_port_bytes=wide", ["predictor_sram.bank_port_bytes", "wide", NUMBER]),
        ("dram.capacity_bytes=4096", ["dram.capacity_bytes"]),
    ],
)
def test_settings_that_make_no_sense(setting: str, words: list[str], tmp_path: Path, refuses: Runner) -> None:
    refuses(["simulate", str(write_trace(tmp_path)), "--set", setting], *words)


@pytest.mark.parametrize(
    "key",
    [
        "frequency_hz",
        "array.rows",
        "array.columns",
        "array.weight_port_words_per_cycle",
        "array.input_port_words_per_cycle",
        "array.output_port_words_per_cycle",
        "global_buffer.banks",
        "global_buffer.bank_bytes",
        "global_buffer.bank_port_bytes",
        "dram.capacity_bytes",
        "dram.peak_bytes_per_second",
        "dram.latency_ns",
        "predictor_sram.bank_bytes",
        "predictor_sram.bank_port_bytes",
        "second_array.rows",
    ],
)
@pytest.mark.parametrize("value", [10**15, 4 * 10**18, 10**20, 10**30], ids=["10^15", "4*10^18", "10^20", "10^30"])
def test_a_huge_value_is_computed_or_refused(key: str, value: int, tmp_path: Path) -> None:
    trace = str(write_trace(tmp_path))
    outcome = run_here("simulate", trace, "--set", f"{key}={value}", "--json")
    if outcome.code == 2:
        line = outcome.err.splitlines()[-1]
        assert line.startswith("error: ")
        assert key.split(".")[-1] in line
        return
    assert outcome.code == 0
    (one,) = json.loads(outcome.out)["runs"]
    for phase in one["phases"].values():
        assert phase["cycles_per_batch"] > 0
        if key == "dram.latency_ns":  # at 200 MHz; each of three layers loads and stores, one after the other
            assert phase["cycles_per_batch"] >= 6 * value // 5
        elif key.startswith("array.") and key != "array.rows" and key != "array.columns":
            assert phase["cycles_per_batch"] < 10**6


# Ports that are left out would follow the rows.
PORTS_OF_SHIPPED_ROWS = [
    argument for port in ("weight", "input") for argument in ("--set", f"array.{port}_port_words_per_cycle=12")
]


@pytest.mark.parametrize(
    ("key", "large", "larger", "others"),
    [("dram.latency_ns", 10**7, 10**9, []), ("array.rows", 10**5, 10**6, PORTS_OF_SHIPPED_ROWS)],
)
def test_a_large_value_costs_in_proportion(key: str, large: int, larger: int, others: list[str]) -> None:
    """Where the latency, or the fill of the one fold left, is nearly all that counts, cost grows with it."""
    cycles = []
    for value in (large, larger):
        arguments = ["simulate", "digits-cnn", "--set", f"{key}={value}", "--design", "baseline", "--json"]
        outcome = run_here(*arguments, *others)
        assert outcome.code == 0, outcome.err
        cycles.append(json.loads(outcome.out)["runs"][0]["total_cycles"])
    # a tenth for what does not grow with it: products, and the tiles' own choice
    assert cycles[1] / cycles[0] == pytest.approx(larger / large, rel=0.1)


@pytest.mark.parametrize("key", ["dram.latency_ns", "array.rows"])
@pytest.mark.parametrize("power", [13, 15, 16, 17, 18])
def test_a_huge_value_is_refused_by_name(key: str, power: int) -> None:
    outcome = run_here("simulate", "digits-cnn", "--set", f"{key}={10**power}")
    assert outcome.code == 2
    assert key in outcome.err


@pytest.mark.parametrize("setting", ["array.rows", "array.row=3", "array.rows=many", "array.rows=[1"])
def test_show_names_the_option_of_a_bad_setting(setting: str, refuses: Runner) -> None:
    refuses(["show", "max", "--set", setting], "--set", "rows", out=False)


def shipped_table() -> Document:
    table: Document = yaml.safe_load(run_here("show", "45nm").out)
    return table


TABLES: dict[str, tuple[Edit, list[str]]] = {
    "missing action": (drop("actions", "macs"), ["actions", "macs"]),
    "unknown action": (
        put("actions", "mcas", value={"component": "pe_array", "energy_pj": 1.0, "source": "here"}),
        ["actions", "mcas", "macs"],
    ),
    "negative energy": (
        put("actions", "macs", "energy_pj", value=-1.0),
        ["actions.macs.energy_pj", "at least 0|>= ?0"],
    ),
    "energy that is no number": (put("actions", "macs", "energy_pj", value=float("nan")), ["actions.macs.energy_pj"]),
    "endless energy": (put("actions", "macs", "energy_pj", value=float("inf")), ["actions.macs.energy_pj"]),
    "text as energy": (put("actions", "macs", "energy_pj", value="2.0"), ["actions.macs.energy_pj", "number"]),
    "no energy": (drop("actions", "macs", "arithmetic"), ["actions.macs", "energy_pj", "sram", "arithmetic"]),
    "two energies": (put("actions", "macs", "energy_pj", value=2.0), ["actions.macs", "energy_pj and arithmetic"]),
    "a width for another count": (
        put("actions", "buffer_read_bytes", "counts_per_access", value=4),
        ["actions.buffer_read_bytes", "64 bits", "counts_per_access: 8"],
    ),
    "bytes by the word": (
        put("actions", "buffer_read_bytes", "sram", "width_bits", value="word"),
        ["actions.buffer_read_bytes", "width_bits: 64"],
    ),
    "words by the byte": (
        put("actions", "scratchpad_reads", "sram", "width_bits", value=16),
        ["actions.scratchpad_reads", "width_bits: word"],
    ),
    "sums by the word": (
        put("actions", "scratchpad_sum_reads", "sram", "width_bits", value="word"),
        ["actions.scratchpad_sum_reads", "width_bits: sum"],
    ),
    "a wire without wires": (drop("wires"), ["wires", "missing", "array_network_bytes"]),
    "a wire of another length": (
        put("actions", "array_network_bytes", "wire", value="pe_pitch"),
        ["actions.array_network_bytes.wire", "write buffer"],
    ),
    "areas of some formats": (drop("arithmetic", "add_um2", "fp16"), ["arithmetic.add_um2", "fp16"]),
    "areas of multipliers alone": (drop("arithmetic", "add_um2"), ["arithmetic", "multiply_um2, add_um2"]),
    "a node that CACTI lacks": (put("node_nm", value=28), ["node_nm", "28", "22, 32, 45, 65"]),
    "a scaling from a node that CACTI lacks": (
        put("sram_scaling", value={"from_node_nm": 28, "energy": 1.0, "leakage": 1.0, "area": 1.0, "source": "here"}),
        ["sram_scaling", "the grid has node_nm", "leave it out"],
    ),
    "no node": (drop("node_nm"), ["node_nm", "missing", "SRAM"]),
    "unknown memory": (
        put(
            "actions",
            "macs",
            value={
                "component": "pe_array",
                "source": "here",
                "sram": {"memory": "global_bufer", "access": "read", "width_bits": 64},
            },
        ),
        ["actions.macs.sram.memory", "global_bufer", "global_buffer"],
    ),
    "a port wider than CACTI's": (
        put("leakage", "global_buffer", "sram_width_bits", value=1024),
        ["width_bits", "1024", "512"],
    ),
    "arithmetic left out": (drop("arithmetic"), ["arithmetic", "missing", "actions.adds"]),
    "a format without energy": (
        put("arithmetic", "word_formats", 16, value="fp61"),
        ["arithmetic.word_formats.16", "fp61", "fp16"],
    ),
    "a scale from nowhere": (put("arithmetic", "scale", value=2.0), ["arithmetic.scale_source", "scale"]),
    "a table for other widths": (put("word_bits", value=8), ["word_bits", "8", "16", "precision"]),
    "leakage twice": (
        put("leakage", "global_buffer", "power_mw", value=1.0),
        ["leakage.global_buffer", "sram_width_bits"],
    ),
    "no counts for an access": (put("actions", "macs", "counts_per_access", value=0), ["counts_per_access", POSITIVE]),
    "unknown component": (put("actions", "macs", "component", value="pe_aray"), ["pe_aray", "pe_array"]),
    "unknown key": (put("leakge", value={}), ["leakge", "leakage"]),
    "leakage of nothing": (
        put("leakage", "global_bufer", value={"power_mw": 0.1, "for_bytes": 1, "source": "here"}),
        ["leakage", "global_bufer", "global_buffer"],
    ),
    "negative leakage": (put("leakage", "global_buffer", "power_mw", value=-1.0), ["leakage", "power_mw"]),
    "version 2": (put("version", value=2), ["version", r"\b1\b"]),
}


def test_a_bank_that_cacti_lacks_is_refused_by_name(tmp_path: Path, refuses: Runner) -> None:
    trace = str(write_trace(tmp_path))
    refuses(["simulate", trace, "--set", "global_buffer.bank_bytes=8388609"], r"global_buffer\.bank_bytes", "8388608")


@pytest.mark.parametrize("case", TABLES)
def test_energy_table_that_is_none(case: str, tmp_path: Path, refuses: Runner) -> None:
    edit, words = TABLES[case]
    table = shipped_table()
    edit(table)
    path = tmp_path / "mytable.yaml"
    path.write_text(yaml.safe_dump(table))
    refuses(["simulate", str(write_trace(tmp_path)), "--set", f"energy_table={path}"], r"mytable\.yaml", *words)


def test_missing_energy_table(tmp_path: Path, refuses: Runner) -> None:
    setting = f"energy_table={tmp_path / 'absent.yaml'}"
    refuses(["simulate", "digits-cnn", "--set", setting], r"absent\.yaml", "no such file|not exist|not found|no file")


SCHEDULES: dict[str, tuple[Edit, list[str]]] = {
    "unknown key": (put("stags", value=[]), ["stags", "stages"]),
    "unknown phase": (put("stages", 0, "pattern", 0, "phase", value="warmup"), ["phase", "warmup", "warm_up"]),
    "zero epochs": (put("epochs", value=0), ["epochs", POSITIVE]),
    "no stages": (put("stages", value=[]), ["stages"]),
    "no pattern": (put("stages", 0, "pattern", value=[]), ["pattern"]),
    "a word for epochs": (put("stages", 0, "epochs", value="some"), ["epochs", "rest"]),
}


@pytest.mark.parametrize("case", SCHEDULES)
def test_schedule_that_is_none(case: str, tmp_path: Path, refuses: Runner) -> None:
    edit, words = SCHEDULES[case]
    schedule: Document = {
        "version": 1,
        "name": "mine",
        "description": "Mine.",
        "source": "here",
        "epochs": 7,
        "stages": [{"epochs": 3, "pattern": [{"phase": "warm_up"}]}, {"epochs": "rest", "pattern": [{"phase": "gp"}]}],
    }
    edit(schedule)
    path = tmp_path / "myschedule.yaml"
    path.write_text(yaml.safe_dump(schedule))
    refuses(["simulate", str(write_trace(tmp_path)), "--schedule", str(path)], r"myschedule\.yaml", *words)


# ---------------------------------------------------------------------------------------------------------------------
# Options


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--schedule", "papr"], ["papr", "paper"]),
        (["--schedule", "absent.yaml"], [r"absent\.yaml", "no such file|not exist|not found|no file"]),
        (["--design", "maxx"], ["design", "maxx", r"max\b"]),
        (["--dataflow", "wss"], ["dataflow", "wss", r"\bws\b"]),
        (["--batch-size", "0"], ["--batch-size", r"\b0\b", POSITIVE + "|x>=1"]),
        (["--batch-size", "-3"], ["--batch-size", "-3"]),
        (["--batch-size", "many"], ["--batch-size", "many"]),
        (["--batch-size", "2.5"], ["--batch-size", "2.5"]),
        (["--exact", "nonsense"], ["--exact", "nonsense", "N|number"]),
        (["--exact", "0"], ["--exact", r"\b0\b"]),
        (["--exact", "-1"], ["--exact", "-1"]),
        (["--exact", "2.5"], ["--exact", "2.5"]),
        (["--exact", ""], ["--exact"]),
        (["--exact", "1:"], ["--exact"]),
        (["--exact", ":1"], ["--exact"]),
        (["--exact", "1:0"], ["--exact"]),
        (["--exact", "-1:1"], ["--exact"]),
        (["--exact", "1:2:3"], ["--exact", "1:2:3"]),
        (["--exact", "99:1"], ["--exact", "99", r"\b4\b"]),
        (["--exact", "1:99"], ["--exact", "99", r"\b4\b"]),
        (["--exact", "99"], ["--exact", "99", r"\b4\b"]),
        (["--target-accuracy", "0.5"], ["--target-accuracy", "recorded, not trained"]),
        (["--target-accuracy", "0"], ["--target-accuracy", r"\b0\b", r"0\.95"]),
        (["--target-accuracy", "-0.5"], ["--target-accuracy", r"-0\.5", r"0\.95"]),
        (["--target-accuracy", "95"], ["--target-accuracy", r"\b95\b", r"0\.95"]),
        (["--target-accuracy", "nan"], ["--target-accuracy", "nan", r"0\.95"]),
        (["--target-accuracy", "high"], ["--target-accuracy", "high"]),
        (["--unknown"], ["--unknown"]),
        (["--desing", "max"], ["--desing", "--design"]),
        (["one-more"], ["one-more"]),
    ],
)
@pytest.mark.parametrize("command", ["simulate", "compare"])
def test_options_that_make_no_sense(
    command: str, arguments: list[str], words: list[str], tmp_path: Path, refuses: Runner
) -> None:
    refuses([command, str(write_trace(tmp_path)), *arguments], *words)


@pytest.mark.parametrize("option", [["--schedule", "bp"], ["--batch-size", "7"]])
def test_accuracies_of_another_run_are_no_target(option: list[str], refuses: Runner) -> None:
    refuses(
        ["compare", "digits-cnn", *option, "--target-accuracy", "0.9"], "--target-accuracy", "another run", option[0]
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "digits-cnn", "--plot"], ["--plot", "--out"]),
        (["simulate", "digits-cnn", "--timeline"], ["--timeline", "--out"]),
        (["simulate", "digits-cnn", "--out"], ["--out", "argument|value"]),
        (["simulate"], ["TRACE"]),
        (["compare"], ["TRACE"]),
        (["show"], ["CONFIG"]),
        (["diff"], ["A"]),
        (["diff", "only-one"], ["B"]),
        (["trace", "inspect"], ["NAME"]),
        (["trace", "inspcet", "x"], ["inspcet", "inspect"]),
        (["simulat", "digits-cnn"], ["simulat", "simulate"]),
        (["--unknown"], ["--unknown"]),
        (["list", "--unknown"], ["--unknown"]),
        (["list", "everything"], ["everything"]),
        (["show", "max", "--design", "maxx"], ["maxx", r"\bmax\b"]),
        (["show", "45nm", "--set", "array.rows=3"], ["--set"]),
        (["show", "max", "--set", "second_array=null"], ["max", "second_array", "--set"]),
        (["diff", "absent-a", "absent-b"], ["absent-a"]),
        (["diff", "absent-a", "absent-b", "--top", "0"], ["--top"]),
        (["trace", "export"], ["NETWORK|--model"]),
        (["trace", "export", "digits-cn"], ["digits-cn", "digits-cnn"]),
        (["trace", "export", "digits-cn", "--controls", "1"], ["digits-cn", "digits-cnn"]),
        (["trace", "export", "vgg13-cifar10", "--controls", "1"], ["--controls", "trained", "digits-cnn"]),
        (["trace", "export", "vgg13-cifar10", "--checkpoint", "x.pt"], ["--checkpoint", "trained", "digits-cnn"]),
        (["trace", "export", "all", "--controls", "1"], ["--controls", "trained", "digits-cnn"]),
        (["trace", "export", "all", "--checkpoint", "x.pt"], ["--checkpoint", "trained", "digits-cnn"]),
        (["trace", "export", "--model", "m:f", "--input", "2x3", "--controls", "1"], ["--controls", "digits-cnn"]),
        (["trace", "export", "--model", "m:f", "--input", "2x3", "--checkpoint", "x"], ["--checkpoint", "digits-cnn"]),
        (["trace", "export", "digits-cnn", "--controls", "0"], ["--controls", r"\b0\b"]),
        (["trace", "export", "digits-cnn", "--controls", "1", "--jobs", "0"], ["--jobs", r"\b0\b"]),
        (["trace", "export", "digits-cnn", "--jobs", "2"], ["--jobs", "--controls"]),
    ],
)
def test_commands_that_make_no_sense(arguments: list[str], words: list[str], refuses: Runner) -> None:
    refuses(arguments, *words, out=False)


def test_diff_of_folders_that_hold_no_result(tmp_path: Path, refuses: Runner) -> None:
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
    refuses(
        ["diff", str(tmp_path / "left"), str(tmp_path / "right")], "left", r"\.json|\.yaml|\.csv", "--out", out=False
    )


def test_diff_of_a_file(tmp_path: Path, refuses: Runner) -> None:
    path = str(write_trace(tmp_path))
    refuses(["diff", path, path], r"mytrace\.yaml", out=False)


@pytest.fixture(scope="module")
def good_result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    outcome = run_here("simulate", str(write_trace(folder)), "--out", str(folder / "good"))
    assert outcome.code == 0
    return folder / "good"


@pytest.mark.parametrize("missing", ["summary.json", "layers.csv", "config.resolved.yaml"])
def test_diff_of_a_result_that_lost_a_file(missing: str, good_result: Path, tmp_path: Path, refuses: Runner) -> None:
    damaged = shutil.copytree(good_result, tmp_path / "damaged")
    (damaged / missing).unlink()
    refuses(["diff", str(good_result), str(damaged)], "damaged", re.escape(missing), out=False)


@pytest.mark.parametrize("broken", ["summary.json", "layers.csv", "config.resolved.yaml"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="list"),
        pytest.param("{}", id="no keys"),
        pytest.param("null", id="null"),
        pytest.param("7", id="number"),
        pytest.param('{"schema": 3}', id="only a schema"),
        pytest.param('{"schema": 99, "runs": []}', id="schema 99"),
        pytest.param("\x00", id="zero byte"),
        pytest.param("\udcff", id="not UTF-8"),
        pytest.param("[" * 9999, id="brackets"),
        pytest.param("a,b\n1,2\n", id="other columns"),
    ],
)
def test_diff_of_a_broken_result(broken: str, text: str, good_result: Path, tmp_path: Path, refuses: Runner) -> None:
    damaged = shutil.copytree(good_result, tmp_path / "damaged")
    (damaged / broken).write_text(text, errors="surrogateescape")
    refuses(["diff", str(good_result), str(damaged)], "damaged", re.escape(broken), out=False)


@pytest.mark.parametrize(
    "below",
    ["file", "file/x", "file/x/y"],
)
def test_out_on_or_below_a_file(below: str, tmp_path: Path) -> None:
    trace = str(write_trace(tmp_path))
    (tmp_path / "file").write_text("mine")
    before = everything_in(tmp_path)
    outcome = run_here("simulate", trace, "--out", str(tmp_path / below))
    assert everything_in(tmp_path) == before
    expect_error(outcome, "/file", "folder|directory", below=tmp_path)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="takes a place where nobody can write")
def test_out_where_nobody_can_write(tmp_path: Path) -> None:
    outcome = run_here("simulate", str(write_trace(tmp_path)), "--out", "/proc/self/results")
    expect_error(outcome, "/proc/self")


def test_a_folder_stands_where_a_file_of_the_result_goes(tmp_path: Path) -> None:
    trace = str(write_trace(tmp_path))
    (tmp_path / "out" / "summary.json" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "layers.csv").write_text("mine")
    before = everything_in(tmp_path)
    outcome = run_here("simulate", trace, "--out", str(tmp_path / "out"))
    assert everything_in(tmp_path) == before
    expect_error(outcome, r"summary\.json|--out", below=tmp_path)


# ---------------------------------------------------------------------------------------------------------------------
# The same as a real process


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "absent.yaml"], [r"absent\.yaml"]),
        (["compare", "digits-cnn", "--set", "array.row=3"], ["array", "rows"]),
        (["compare", "digits-cnn", "--plot"], ["--plot", "--out"]),
        (["simulat"], ["simulate"]),
        (["simulate", "digits-cnn", "--set", "dram.capacity_bytes=4096"], ["dram.capacity_bytes"]),
    ],
)
def test_a_real_process_refuses_too(arguments: list[str], words: list[str]) -> None:
    expect_error(run_process(*arguments), *words)


def little_memory() -> None:
    """Give a process an address space of 6 GiB."""
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "digits-cnn", "--batch-size", str(10**9)],
        ["simulate", "digits-cnn", "--batch-size", str(10**12)],
        ["simulate", "digits-cnn", "--batch-size", str(10**30)],
    ],
    ids=["10^9", "10^12", "10^30"],
)
def test_a_batch_that_no_memory_holds_is_refused_before_it_is_simulated(arguments: list[str]) -> None:
    expect_error(run_process(*arguments, before=little_memory), "batch")


# ---------------------------------------------------------------------------------------------------------------------
# Any other damage

JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 9),
        st.sampled_from([10**9, 10**30, -(10**30), 2**63, 2**64]),
        st.floats(),
        st.text(max_size=6),
        st.sampled_from(["first", "relu", "input", "conv2d", "linear", "gp", "warm_up", "rest", "no", "1", ""]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def paths_in(value: Any, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the paths to all values in a document."""
    below: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list):
        below = list(enumerate(value))
    return [above, *[path for key, inner in below for path in paths_in(inner, (*above, key))]]


@st.composite
def damaged(draw: st.DrawFn) -> Document:
    """Draw the small trace with one to three places damaged."""
    document = copy.deepcopy(TRACE)
    for _ in range(draw(st.integers(1, 3))):
        places = paths_in(document)[1:]
        if not places:
            break
        path = draw(st.sampled_from(places))
        way = draw(st.sampled_from(["drop", "replace", "add", "swap"]))
        if way == "drop":
            drop(*path)(document)
        elif way == "add":
            put(*path, value={"strange": draw(JUNK)})(document)
        elif way == "swap":
            other = draw(st.sampled_from(places))
            value: Any = document
            for key in other:
                value = value[key]
            put(*path, value=copy.deepcopy(value))(document)
        else:
            put(*path, value=draw(JUNK))(document)
    return document


def loads_or_refuses(path: Path) -> None:
    try:
        load_trace(path)
    except InputError as error:
        message = str(error)
        assert message.strip()
        assert len(message.splitlines()) == 1, message
        assert path.name in message


RELAXED = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@RELAXED
@given(document=damaged())
def test_a_damaged_document_loads_or_is_refused(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "damaged.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    loads_or_refuses(path)


@RELAXED
@given(
    start=st.integers(0, len(NEAR_MINIMAL)),
    length=st.integers(0, 8),
    put_in=st.one_of(
        st.binary(max_size=6),
        st.sampled_from(
            [b"&a ", b"*a", b"<<: ", b"!!int ", b"? ", b"- ", b": ", b"{", b"[", b"'", b'"', b"|\n", b"%", b"\t"]
        ),
    ),
)
def test_damaged_text_loads_or_is_refused(start: int, length: int, put_in: bytes, tmp_path: Path) -> None:
    text = NEAR_MINIMAL.encode()
    path = tmp_path / "damaged.yaml"
    path.write_bytes(text[:start] + put_in + text[start + length :])
    loads_or_refuses(path)
