"""What a mapping's file gives to each pass of each layer, and by which key a mistake in it is named."""

import pytest

from simulator.batch.mapping_file import GivenMappings, MappingFile

FILE = MappingFile.model_validate({
    "version": 1,
    "default": {
        "forward": {"tile": {"filters": 8}, "spatial": {"pe_rows": {"reduction": 12}, "fold_vectors": 4}},
        "predictor_forward": ({"tile": {"images": 2}}, {"loop_order": ("columns",)}),
    },
    "layers": {"a": {"forward": {"tile": {"rows": 3}}, "dgrad": ({"reload_operands": True}, {"tile": {"groups": 1}})}},
})  # fmt: skip


def told(layer: str, pass_: str, any_array: bool = False) -> list[dict[str, object]]:
    """Return what is given for a pass: sizes, and whatever else is not as it is where nothing is given."""
    given = GivenMappings(FILE, "m.yaml")
    found = []
    for one in (given.on_any_array() if any_array else given).of(layer, pass_):
        sizes = {name: size for name, size in one.sizes if size is not None}
        others = {"order": one.order, "spatial": dict(one.spatial), "reload": one.reload_operands}
        found.append({**sizes, **{name: value for name, value in others.items() if value}, "at_most": one.at_most})
    return found


def test_a_layers_own_mapping_comes_before_the_default() -> None:
    """Of the default a size may be more than there is, which then means all of it."""
    assert told("a", "forward") == [{"rows": 3, "at_most": False}]
    spatial = {"pe_rows.reduction": 12, "fold_vectors": 4}
    assert told("b", "forward") == [{"filters": 8, "spatial": spatial, "at_most": True}]
    assert told("a", "dgrad") == [{"reload": True, "at_most": False}, {"groups": 1, "at_most": False}]
    products = [{"images": 2, "at_most": True}, {"order": ("columns",), "at_most": True}]
    assert told("a", "predictor_forward") == told("b", "predictor_forward") == products
    assert told("b", "dgrad") == told("a", "wgrad") == told("a", "update") == []
    assert GivenMappings(None, "").of("a", "forward") == ()


def test_an_array_of_another_size_takes_the_tiles_and_loops() -> None:
    assert told("b", "forward", any_array=True) == [{"filters": 8, "spatial": {"fold_vectors": 4}, "at_most": True}]
    assert told("a", "forward", any_array=True) == told("a", "forward")


@pytest.mark.parametrize(
    ("layer", "pass_", "index", "key"),
    [
        ("a", "forward", 0, "layers.a.forward.tile"),
        ("b", "forward", 0, "default.forward.tile (layer b)"),
        ("a", "dgrad", 0, "layers.a.dgrad[0].tile"),
        ("a", "dgrad", 1, "layers.a.dgrad[1].tile"),
        ("a", "predictor_forward", 1, "default.predictor_forward[1].tile (layer a)"),
    ],
)
def test_a_mistake_is_named_by_its_key(layer: str, pass_: str, index: int, key: str) -> None:
    assert GivenMappings(FILE, "m.yaml").place(layer, pass_, index, "tile") == key
