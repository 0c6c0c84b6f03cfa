"""onnx's own test models, some two thousand: none ends in a traceback, and multiply-accumulates equal a naive count."""

import re
import warnings
from pathlib import Path
from zlib import crc32

import pytest

onnx = pytest.importorskip("onnx", reason="needs the onnx extra")

from naive_onnx import count_macs  # noqa: E402
from onnx_graphs import macs  # noqa: E402

from workloads.foundation.errors import InputError  # noqa: E402
from workloads.graph import check_graph  # noqa: E402
from workloads.importers import InputOptions  # noqa: E402
from workloads.importers.onnx.reader import imported  # noqa: E402

# What a refusal may say of these models, which hold every corner of the format.
REASONS = (
    "no input with a shape",
    "is no tensor but a sequence, a map or optional",
    "is not fixed",  # a dimension of 0
    "does not fit its operands",
    "reads a tensor whose shape is not known",
    "Reshape cannot make",
)


def suite():
    """Return (name, model) of every one: one operator each, and what PyTorch once exported of one module each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        found = [(case.name, case.model) for case in collect_testcases(None)]
    folder = Path(onnx.__file__).parent / "backend" / "test" / "data"
    return found + [(str(path.parent.name), onnx.load(path)) for path in sorted(folder.rglob("model.onnx"))]


PARTS = 4  # the default run has one model in so many, and with each what onnx writes it out in


def part_of(name: str) -> int:
    """Return in which part of the suite a model is."""
    return crc32(name.removesuffix("_expanded").encode()) % PARTS


@pytest.fixture(scope="module", params=[1, pytest.param(PARTS, marks=pytest.mark.long)], ids=["a part", "all"])
def parts(request):
    return request.param


@pytest.fixture(scope="module")
def outcomes(parts):
    """Return (name, model, what it was imported as, or the error)."""
    found = []
    for name, model in suite():
        if part_of(name) >= parts:
            continue
        whole = onnx.inliner.inline_local_functions(model) if model.functions else model
        try:
            found.append((name, whole, imported(Path(name), whole, InputOptions())))
        except InputError as error:
            found.append((name, whole, error))
    return found


def test_every_model_is_imported_or_refused_with_a_reason(outcomes, parts):
    refused = [(name, str(found)) for name, _, found in outcomes if isinstance(found, InputError)]
    assert [one for one in refused if not any(reason in one[1] for reason in REASONS)] == []
    assert len(outcomes) > 1000 * parts / PARTS
    assert len(refused) < 0.05 * len(outcomes)
    for _, _, found in outcomes:
        if not isinstance(found, InputError):
            check_graph(found.layers, found.inputs)


def test_multiply_accumulates_equal_a_naive_count(outcomes, parts):
    compared, wrong = 0, []
    for name, model, found in outcomes:
        if isinstance(found, InputError) or any(note.startswith("Not recorded") for note in found.notes):
            continue
        expected = count_macs(model)
        if not expected:
            continue
        compared += 1
        size = re.search(r"\((\d+) in the file", found.notes[1])
        if macs(found.layers) * (int(size.group(1)) if size else 1) != expected:
            wrong.append((name, macs(found.layers), expected))
    assert wrong == []
    assert compared > 100 * parts / PARTS


def test_attention_equals_what_onnx_makes_of_it(outcomes, parts):
    """onnx writes each test of `Attention` out in smaller operators too."""
    found = {name: one for name, _, one in outcomes if not isinstance(one, InputError)}
    pairs = [(found[name], found[f"{name}_expanded"]) for name in found
             if name.startswith("test_attention_") and f"{name}_expanded" in found]  # fmt: skip
    whole = [(one, other) for one, other in pairs if not any("missing" in note for note in one.notes)]
    assert len(whole) > 20 * parts / PARTS
    counts = [(macs(one.layers), macs(other.layers)) for one, other in whole]
    assert [pair for pair in counts if pair[0] != pair[1]] == []
