"""An energy table of prices from elsewhere: what `adagp-sim energy-table` writes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflows.actions import ACTIONS
from simulator.energy.energy_table import FOLDER, EnergyTableFile, table_data
from simulator.energy.sources import EnergySource, Prices, SourceRequest, Term
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.overlay import chain
from workloads.foundation.shipped import resolve
from workloads.foundation.validation import validate

_FORM = "ACTION=COMPONENT.ACTION/BITS"
_TERM = re.compile(r"(?P<component>[^()+]+?)(?:\((?P<arguments>[^()]*)\))?\.(?P<action>[A-Za-z_]\w*)")
_MOST_BITS = 1 << 20


@dataclass(frozen=True, slots=True)
class Price:
    """One of our actions, and what it costs elsewhere: the sum of some terms, for so many bits of what is counted."""

    action: str
    terms: tuple[Term, ...]
    bits: int | None

    def __str__(self) -> str:
        """Return what is priced, without our action."""
        return "+".join(map(str, self.terms)) + (f" of {self.bits} bits" if self.bits else "")


def price_of(text: str) -> Price:
    """Read a price, such as ``buffer_read_bytes=glb.read/64`` or ``macs=mul(width=8).multiply+add(width=32).add``.

    Raises
    ------
    InputError
        If it is of another form, of no action, or of bits where none are counted.
    """
    action, equals, rest = text.partition("=")
    if not equals:
        raise _wrong(text, f"write {_FORM}, such as buffer_read_bytes=shared_glb.read/64")
    if action not in ACTIONS:
        raise InputError("--price", action, "unknown action", nearest(action, ACTIONS))
    body, slash, width = rest.rpartition("/")
    body = body if slash else rest
    counted = action.endswith(("_bytes", "_reads", "_writes", "_pitches"))
    if counted and not (width.isdecimal() and slash and 1 <= int(width) <= _MOST_BITS):
        raise _wrong(text, f"end it with the bits of one access, such as {action}={rest if not slash else body}/64")
    if slash and not counted:
        raise _wrong(text, f"leave the bits out: {action} counts operations")
    bits = int(width) if counted else None
    if action.endswith("_bytes") and bits is not None and bits % 8:
        raise _wrong(text, "give whole bytes: bits in multiples of 8")
    terms = tuple(_term(text, one) for one in _split(body))
    return Price(action, terms, bits)


def _split(body: str) -> list[str]:
    """Split a sum at the plus signs outside brackets."""
    return re.split(r"\+(?![^()]*\))", body)


def _term(text: str, body: str) -> Term:
    found = _TERM.fullmatch(body.strip())
    if found is None:
        raise _wrong(text, f"write {_FORM}, such as mac.compute or SRAM(size=8192,width=64).read")
    arguments: dict[str, int | float | str] = {}
    for part in filter(None, (found["arguments"] or "").split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise _wrong(text, "write arguments as KEY=VALUE, with commas between them")
        arguments[key] = _value(value)
    return Term(found["component"], found["action"], arguments)


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _wrong(text: str, remedy: str) -> InputError:
    return InputError("--price", "", f"is {text!r}", remedy)


def own_table(
    source: EnergySource, request: SourceRequest, asked: Sequence[str], extends: str, name: str, machine: str
) -> dict[str, Any]:
    """Return a table as plain data: what a source prices, over a table with the rest.

    Parameters
    ----------
    source, request
        Where prices are from, and what it is opened for.
    asked : sequence of str
        Prices as `price_of` reads them; each replaces that which the source gives by itself.
    extends : str
        The table with all other prices: a shipped name.
    name : str
        The table's own.
    machine : str
        What sizes are of, for its description.

    Raises
    ------
    InputError
        If a price is none, a source cannot give it, or the table is refused.
    """
    prices = [price_of(text) for text in asked]
    twice = [one.action for one in prices if sum(other.action == one.action for other in prices) > 1]
    if twice:
        raise InputError("--price", twice[0], "is given twice", "give it once")
    opened = source.open(request)
    by_action = {one.action: one for one in [*map(price_of, opened.own_prices()), *prices]}
    if not by_action:
        remedy = f"say what its components are here, as in --price {_FORM}"
        raise InputError("--price", "", f"missing, and {source.name} gives no price by itself", remedy)
    table: dict[str, Any] = {
        "extends": extends,
        "name": name,
        "description": f"As {extends}; {', '.join(by_action)} by {opened.provenance}, {machine}",
        "actions": {action: _entry(price, opened) for action, price in by_action.items()},
    }
    leaks = {
        memory: {"power_mw": power, "for_bytes": size, "source": opened.provenance}
        for memory, (power, size) in opened.leakage_mw().items()
    }
    if leaks:
        table["leakage"] = leaks
    below = chain(resolve(extends, FOLDER, "energy table"), FOLDER, "energy table")
    data = {key: value for key, value in table.items() if key != "extends"}
    validate(EnergyTableFile, table_data([*below, (Path(name), data)]), "the table")
    return table


def _entry(price: Price, prices: Prices) -> Mapping[str, Any]:
    """Return a price as a table has it: words and sums in proportion to their bits, bytes by the access."""
    energy: dict[str, Any] = {"energy_pj": sum(map(prices.energy_pj, price.terms))}
    if price.bits is not None:
        if price.action.endswith("_bytes"):
            energy["counts_per_access"] = price.bits // 8
        else:
            energy["per_word_bits"] = price.bits
    return {**energy, "source": f"{prices.provenance}: {price}"}
