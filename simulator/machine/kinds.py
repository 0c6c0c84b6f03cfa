"""Sections of a spec that are of one kind out of several: which keys they can have, and what stays under another kind.

The keys that both kinds have stay; nothing of the old kind lingers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.dram.models import dram_keys
from simulator.machine.array_spec import ARRAYS, array_keys

# The key that names a section's kind, and the keys that a kind has.
_SECTIONS: dict[str, tuple[str, Callable[[object], set[str]]]] = {
    "dram": ("model", dram_keys),
    **dict.fromkeys(ARRAYS, ("kind", array_keys)),
}


def names_kind(key: str) -> bool:
    """Whether a dotted key says of which kind its section is."""
    section, _, name = key.partition(".")
    return section in _SECTIONS and name == _SECTIONS[section][0]


def kinds_first(settings: Sequence[str]) -> list[str]:
    """Return settings, ``key=value``, with those first that say of which kind a section is."""
    return sorted(settings, key=lambda setting: not names_kind(setting.partition("=")[0]))


def may_have(section: str, data: Mapping[str, Any], key: str) -> bool:
    """Whether a section of the kind that it says can have a key."""
    if section not in _SECTIONS:
        return False
    name, keys = _SECTIONS[section]
    return key in keys(data.get(name))


def staying(section: str, old: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a section stays under a layer that may be of another kind."""
    if section not in _SECTIONS:
        return dict(old)
    name, keys = _SECTIONS[section]
    kind = over.get(name, old.get(name))
    if kind == old.get(name) or not keys(kind):
        return dict(old)
    return {key: value for key, value in old.items() if key in keys(kind)}
