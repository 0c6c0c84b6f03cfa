"""`trainable: false` in a trace written by hand: which passes a layer has, and what is refused."""

import pytest

from simulator.phases.stages import layer_facts, stages_of
from workloads.foundation.errors import InputError
from workloads.foundation.validation import validate
from workloads.inspection import inspection
from workloads.trace import Trace
from workloads.trace_writer import trace_text


def trace(*frozen, **keys):
    layers = [
        {"id": "a", "kind": "linear", "inputs": ["x"], "C": 4, "K": 4},
        {"id": "b", "kind": "linear", "inputs": ["a"], "C": 4, "K": 4},
        {"id": "c", "kind": "linear", "inputs": ["b"], "C": 4, "K": 4},
    ]
    layers = [layer | ({"trainable": False} | keys if layer["id"] in frozen else {}) for layer in layers]
    data = {
        "version": 1, "network": "n", "dataset": {"name": "d", "training_samples": 2}, "batch_size": 2,
        "inputs": {"x": [4]}, "predictor": {"pool": [4, 4], "channels": 4, "kernel": [3, 3], "outputs": 4},
        "layers": layers, "provenance": {"origin": "recorded", "command": "by hand"},
        "schedule": {"name": "s", "epochs": [{"batches": [{"phase": "bp", "count": 1}]}]},
    }  # fmt: skip
    return validate(Trace, frozen_lists(data), "file")


def frozen_lists(value):
    """Lists as tuples, as the reader of files gives them."""
    if isinstance(value, dict):
        return {key: frozen_lists(item) for key, item in value.items()}
    return tuple(frozen_lists(item) for item in value) if isinstance(value, list | tuple) else value


def passes(one, phase):
    names = [layer.id for layer in one.mac_layers]
    found = {name: [] for name in names}
    for stage in stages_of(layer_facts(one), phase):
        found[names[stage.layer]] += [*stage.main, *(name for name in stage.predictor if name == "update")]
    return found


@pytest.mark.parametrize(
    ("frozen", "backward"),
    [
        ("", {"a": ["wgrad", "update"], "b": ["dgrad", "wgrad", "update"], "c": ["dgrad", "wgrad", "update"]}),
        ("ab", {"a": [], "b": [], "c": ["wgrad", "update"]}),
        ("a", {"a": [], "b": ["wgrad", "update"], "c": ["dgrad", "wgrad", "update"]}),
        ("bc", {"a": ["wgrad", "update"], "b": ["dgrad"], "c": ["dgrad"]}),
    ],
)
def test_passes_of_frozen_layers(frozen, backward):
    one = trace(*frozen)
    found = passes(one, "bp")
    assert found == {name: ["forward", *names] for name, names in backward.items()}
    predicted = {name: ["forward"] + (["update"] if "update" in names else []) for name, names in backward.items()}
    assert passes(one, "gp") == predicted
    work = inspection(one)["macs_per_batch"]
    told = [name for names in backward.values() for name in names]
    assert work == {"forward": 3 * 32, "dgrad": 32 * told.count("dgrad"), "wgrad": 32 * told.count("wgrad")}


def test_frozen_layer_is_not_predicted_and_says_so_when_written():
    one = trace("a")
    assert one.predicted_layers == ("b", "c")
    assert "trainable: false, predicted: false" in trace_text(one)


def test_frozen_and_predicted_is_refused():
    with pytest.raises(InputError, match="predicted: is true for a, which is not trainable; leave it out"):
        trace("a", predicted=True)


def test_detach_cuts_the_gradient():
    one = trace()
    cut = {"id": "cut", "kind": "other", "inputs": ["a"], "op": "detach", "shape": [4]}
    data = one.model_dump(exclude_defaults=True)
    data["layers"] = [data["layers"][0], cut, data["layers"][1] | {"inputs": ["cut"]}, data["layers"][2]]
    found = passes(validate(Trace, frozen_lists(data | {"version": 1}), "file"), "bp")
    assert (found["b"], found["c"]) == (["forward", "wgrad", "update"], ["forward", "dgrad", "wgrad", "update"])
