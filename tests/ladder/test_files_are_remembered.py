"""A file that is read again is what its text says, whatever became of what was read before."""

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.foundation.strict_yaml import read_yaml

_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text("abc xyz", max_size=6))
_KEYS = st.text("abcxyz", min_size=1, max_size=3)
_DATA = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=12,
)


def _with_lists(value: Any) -> Any:
    """Return read data as PyYAML gives it, with lists for tuples."""
    if isinstance(value, dict):
        return {key: _with_lists(one) for key, one in value.items()}
    return [_with_lists(one) for one in value] if isinstance(value, tuple) else value


def _spoil(value: Any) -> None:
    """Change every mapping inside a value."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, tuple) else ()
    for one in inner:
        _spoil(one)
    if isinstance(value, dict):
        value["spoilt"] = True


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.dictionaries(_KEYS, _DATA, min_size=1, max_size=4), min_size=2, max_size=3))
def test_a_file_reads_as_its_text_says_now(tmp_path_factory: Any, texts: list[dict[str, Any]]) -> None:
    place: Path = tmp_path_factory.mktemp("read") / "one.yaml"
    for data in (*texts, texts[0]):
        place.write_text(yaml.safe_dump(data))
        for _ in range(2):
            found = read_yaml(place)
            assert _with_lists(found) == data
            _spoil(found)


def test_what_an_alias_repeats_is_held_once_each(tmp_path: Path) -> None:
    place = tmp_path / "one.yaml"
    place.write_text("a: &one {x: 1}\nb: *one\n")
    found = read_yaml(place)
    found["a"]["x"] = 2
    assert (found["b"], read_yaml(place)) == ({"x": 1}, {"a": {"x": 1}, "b": {"x": 1}})
