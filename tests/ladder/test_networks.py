"""The paper's fifteen networks: published sizes, sizes by hand, and what a trace of them says."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli.main import cli
from workloads.foundation.shipped import shipped_names
from workloads.layers import Conv2d, Linear, Matmul, VectorLayer
from workloads.networks import find_recipe, recipe_names
from workloads.trace import Trace, load_trace

DATA = Path(__file__).parents[1] / "data/networks.csv"
IMAGE_NETWORKS = [
    "resnet50", "resnet101", "resnet152", "inception-v3", "inception-v4", "vgg13", "vgg16", "vgg19", "densenet121",
    "densenet161", "densenet169", "densenet201", "mobilenet-v2",
]  # fmt: skip
NETWORKS = [f"{name}-{data}" for name in IMAGE_NETWORKS for data in ("cifar10", "cifar100", "imagenet")]
NETWORKS += ["transformer-multi30k", "yolo-v3-voc"]


def published() -> list:
    with DATA.open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def trace_name(row: dict) -> str:
    return "yolo-v3-voc" if row["network"] == "YOLO-v3" else f"{row['network'].lower()}-imagenet"


def parameters(trace: Trace) -> int:
    total = sum(layer.parameters for layer in trace.layers if isinstance(layer, VectorLayer))
    for layer in trace.layers:
        if isinstance(layer, Conv2d | Linear) and layer.shares_weights_with is None:
            total += layer.product_shape(1).weight_words + layer.bias * layer.K
    return total


def macs(trace: Trace) -> int:
    return sum(layer.product_shape(1).macs for layer in trace.mac_layers)


def test_every_network_is_there_with_a_shipped_trace():
    assert len(NETWORKS) == 41
    assert set(shipped_names("traces")) == {*NETWORKS, "digits-cnn", "vgg13-quarter-fashion"}
    # a network whose training takes hours, with no shipped trace yet
    assert set(recipe_names()) == {*NETWORKS, "digits-cnn", "vgg13-quarter-fashion"}


@pytest.mark.parametrize("row", published(), ids=lambda row: row["network"])
def test_published_size(row):
    trace = load_trace(trace_name(row))
    assert trace.network == row["network"]
    assert trace.inputs == {next(iter(trace.inputs)): (3, int(row["input"]), int(row["input"]))}
    assert round(macs(trace) / 1e9, 3) == float(row["forward_gmacs"])
    if row["parameters"]:
        assert parameters(trace) == int(row["parameters"])


# Features before the classifier, and the parameters of the stem that the small form lacks.
SMALLER = {
    "resnet50": (2048, 64 * 3 * (49 - 9)),
    "resnet152": (2048, 64 * 3 * (49 - 9)),
    "densenet121": (1024, 64 * 3 * (49 - 9)),
    "densenet161": (2208, 96 * 3 * (49 - 9)),
    "mobilenet-v2": (1280, 0),
    "inception-v3": (2048, 0),
    "inception-v4": (1536, 0),
}


@pytest.mark.parametrize(("network", "classes"), [(name, classes) for name in SMALLER for classes in (10, 100)])
def test_small_form_differs_in_stem_and_classifier_only(network, classes):
    features, stem = SMALLER[network]
    large = parameters(load_trace(f"{network}-imagenet"))
    small = parameters(load_trace(f"{network}-cifar{classes}"))
    assert large - small == stem + (features + 1) * (1000 - classes)


def grids(trace: Trace) -> list[int]:
    """Heights of the images that convolutions give, in the order in which they first appear."""
    return list(dict.fromkeys(layer.P for layer in trace.layers if isinstance(layer, Conv2d)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet50-cifar10", [32, 16, 8, 4]),
        ("resnet50-imagenet", [112, 56, 28, 14, 7]),
        ("densenet121-cifar100", [32, 16, 8, 4]),
        ("mobilenet-v2-cifar10", [32, 16, 8, 4]),
        ("vgg16-cifar100", [32, 16, 8, 4, 2]),
        ("inception-v3-cifar10", [32, 30, 14, 6]),
        ("inception-v4-cifar10", [30, 14, 6]),
        ("inception-v4-imagenet", [149, 147, 73, 71, 35, 17, 8]),
        ("yolo-v3-voc", [416, 208, 104, 52, 26, 13]),
    ],
)
def test_grids(name, expected):
    assert grids(load_trace(name)) == expected


def test_transformer_by_hand():
    d, inner, length, english, german, positions = 256, 512, 32, 5893, 7853, 100
    attention = 4 * length * d * d + 2 * length * length * d
    feed_forward = 2 * length * d * inner
    trace = load_trace("transformer-multi30k")
    assert macs(trace) == 3 * (attention + feed_forward) + 3 * (2 * attention + feed_forward) + length * d * german
    biased = 4 * (d * d + d)
    norm = 2 * d
    dense = 2 * d * inner + inner + d
    layers = 3 * (biased + dense + 2 * norm) + 3 * (2 * biased + dense + 3 * norm) + 2 * norm
    assert parameters(trace) == layers + (english + german + 2 * positions) * d + (d + 1) * german
    # Nine attentions, each a product of queries and keys and one with the values, for 8 heads.
    products = [layer for layer in trace.layers if isinstance(layer, Matmul)]
    assert [(layer.G, layer.M, layer.C, layer.K) for layer in products] == [(8, 32, 32, 32)] * 18


def test_yolo_by_hand():
    trace = load_trace("yolo-v3-voc")
    kinds = Counter(layer.kind for layer in trace.layers)
    # 52 convolutions of Darknet-53 and 23 of the heads; all but the last of each head have a batch norm.
    assert (kinds["conv2d"], kinds["batch_norm"], kinds["add"], kinds["concat"]) == (75, 72, 23, 2)
    outputs = [layer for layer in trace.layers if isinstance(layer, Conv2d) and layer.bias]
    assert [layer.output_shape for layer in outputs] == [(75, 13, 13), (75, 26, 26), (75, 52, 52)]


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_predicted_and_how_it_was_trained_is_stated(name):
    recipe = find_recipe(name)
    assert recipe.batch_size == (32 if name == "yolo-v3-voc" else 128)
    trace = load_trace(name)
    weighted = [layer for layer in trace.layers if isinstance(layer, Conv2d | Linear)]
    assert all(layer.predicted for layer in weighted)
    assert any(note.startswith(f"All {len(weighted)} convolution and linear") for note in trace.provenance.notes)
    assert trace.provenance.notes[: len(recipe.notes)] == recipe.notes
    assert (trace.schedule.name, trace.schedule.epoch_count) == ("paper", 90)
    assert trace.provenance.command == f"adagp-sim trace export {name}"


def test_table_of_the_documentation():
    text = (Path(__file__).parents[2] / "docs/networks.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    table = {row[0]: row[1:] for row in rows if row[0] in NETWORKS}
    assert list(table) == NETWORKS
    for name, cells in table.items():
        trace = load_trace(name)
        sizes = (parameters(trace), macs(trace), len(trace.mac_layers), trace.predictor.outputs)
        assert cells == [f"{size:,}" for size in sizes], name


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_shipped_trace_can_be_simulated(name):
    run = CliRunner().invoke(cli, ["compare", name, "--json"])
    assert run.exit_code == 0, run.output
    assert all(one["total_cycles"] > 0 for one in json.loads(run.stdout)["runs"])
