"""What differs between two result folders, as plain data."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.outputs.csv_text import csv_rows
from simulator.outputs.result_text import not_ours, result_text
from simulator.run.results import RESULT_SCHEMA
from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text
from workloads.foundation.strict_yaml import parse_yaml

_TOTALS = ("total_cycles", "energy_pj", "memory_energy_pj", "speedup", "energy_reduction", "peak_dram_bytes")
_QUANTITIES: dict[str, type] = {
    "cycles": int, "compute_cycles": int, "stall_load_cycles": int, "stall_store_cycles": int,
    "stall_other_array_cycles": int, "stall_buffer_port_cycles": int, "macs": int,
    "dram_read_bytes": int, "dram_write_bytes": int, "energy_pj": float,
}  # fmt: skip
_KEY = ("design", "dataflow", "phase", "layer", "pass")
Rows = dict[tuple[str, ...], dict[str, Any]]
Run = tuple[str, str]  # design and dataflow
IN_USE = "in use"
_NAMED = {"energy_tables": ("energy_table",), "dram_parts": ("dram", "part")}  # a section, and the spec's key of a name


def compare_folders(a: Path, b: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the versions, parameters, run totals and layer rows that differ between two result folders.

    A run is compared with that of the same design and dataflow, else of the same design, else with the only one that
    is left. Energy tables and DRAM parts are compared key by key where runs that are compared use them; what one
    folder has alone is one entry. Rows of one layer and pass in one phase are added up. Layer rows are sorted by
    quantity, and within one by their change, largest first.

    Raises
    ------
    InputError
        If a folder holds no result.
    """
    runs_a, runs_b = _runs(a), _runs(b)
    paired = _paired(list(runs_a), list(runs_b))
    totals = [
        {"design": label[0], "dataflow": label[1], "quantity": quantity, "a": _get(ra, quantity),
         "b": _get(rb, quantity)}
        for label, of_a, of_b in paired
        for ra, rb in [(of_a and runs_a[of_a], of_b and runs_b[of_b])]
        for quantity in _TOTALS
        if _get(ra, quantity) != _get(rb, quantity)
    ]  # fmt: skip
    layers = [
        dict(zip(_KEY, (*label, *place), strict=True)) | {"quantity": quantity, "a": _get(ra, quantity),
                                                          "b": _get(rb, quantity)}
        for label, rows_a, rows_b in _both(paired, _rows(a), _rows(b))
        for place, ra, rb in _pairs(rows_a, rows_b)
        for quantity in _QUANTITIES
        if _get(ra, quantity) != _get(rb, quantity)
    ]  # fmt: skip
    order = list(_QUANTITIES)
    layers.sort(key=lambda row: (order.index(row["quantity"]), -abs((row["b"] or 0) - (row["a"] or 0))))
    return {"versions": _versions(a, b), "parameters": _parameters(_config(a), _config(b), paired),
            "totals": totals, "layers": layers}  # fmt: skip


def _paired(a: list[Run], b: list[Run]) -> list[tuple[Run, Run | None, Run | None]]:
    """Return what a pair of runs is called, and the two; None for a run that one folder lacks."""
    found: dict[Run, Run] = {run: run for run in a if run in b}
    left = [run for run in b if run not in found]
    for run in a:
        same = [one for one in left if one[0] == run[0] or len(a) == len(b) == 1]
        if run not in found and len(same) == 1 and [one[0] for one in a].count(run[0]) == 1:
            found[run] = same[0]
    both: list[tuple[Run, Run | None, Run | None]] = [
        ((_arrow(run[0], other[0]), _arrow(run[1], other[1])), run, other) for run, other in found.items()
    ]
    return [*both, *((run, run, None) for run in a if run not in found),
            *((run, None, run) for run in b if run not in found.values())]  # fmt: skip


def _arrow(a: str, b: str) -> str:
    return a if a == b else f"{a} -> {b}"


def _both(
    paired: list[tuple[Run, Run | None, Run | None]], a: dict[Run, Rows], b: dict[Run, Rows]
) -> list[tuple[Run, Rows, Rows]]:
    """Return the rows of the runs that both folders have."""
    return [(label, a.get(of_a, {}), b.get(of_b, {})) for label, of_a, of_b in paired if of_a and of_b]


def _parameters(
    a: dict[str, Any], b: dict[str, Any], paired: list[tuple[Run, Run | None, Run | None]]
) -> list[dict[str, Any]]:
    """Return the keys of trace, specs, energy tables and DRAM parts whose values differ."""
    found = _different("trace", a["trace"], b["trace"])
    for (design, dataflow), of_a, of_b in paired:
        specs = (data["accelerators"].get(run) for data, run in ((a, of_a), (b, of_b)))
        found += _different(f"accelerators.{design} {dataflow}", *specs)
    for section, path in _NAMED.items():
        pairs = [(_used(a, of_a, path), _used(b, of_b, path)) for _, of_a, of_b in paired]
        in_both = [name for pair in pairs if all(pair) for name in pair]
        for one, other in dict.fromkeys(pairs):
            if (one and other) or (one or other) not in [None, *in_both]:
                label = _arrow(one or other or "", other or one or "")
                found += _different(f"{section}.{label}", a[section].get(one), b[section].get(other))
    return found


def _used(data: dict[str, Any], run: Run | None, path: Sequence[str]) -> str | None:
    """Return the name of a table or a part that a run's spec has at a key."""
    value: Any = data["accelerators"].get(run, {})
    for key in path:
        value = value.get(key, {})
    return value or None


def _different(prefix: str, a: Any, b: Any) -> list[dict[str, Any]]:
    """Return the keys of two blocks that differ; one entry for a block that one side lacks."""
    if a is None or b is None:
        one = {"key": prefix, "a": None if a is None else IN_USE, "b": None if b is None else IN_USE}
        return [one] if a is not b else []
    pairs = _pairs(_flatten(a, prefix), _flatten(b, prefix))
    return [{"key": key, "a": va, "b": vb} for key, va, vb in pairs if va != vb]


def _versions(a: Path, b: Path) -> list[dict[str, Any]]:
    """Return the versions of the model, if they differ; None for a folder of a program that did not note it."""
    found = [json.loads(read_text(folder / "provenance.json")).get("model") for folder in (a, b)]  # result_text read it
    return [] if found[0] == found[1] else [{"key": "model", "a": found[0], "b": found[1]}]


def _pairs(a: dict[Any, Any], b: dict[Any, Any]) -> list[tuple[Any, Any, Any]]:
    return [(key, a.get(key), b.get(key)) for key in dict.fromkeys([*a, *b])]


def _get(row: dict[str, Any] | None, quantity: str) -> Any:
    return None if row is None else row.get(quantity)


def _number(value: Any) -> Any:
    """Return a value that can be reckoned with; None is one that a run does not have."""
    if value is not None and (not isinstance(value, int | float) or not abs(value) < 1e300):
        raise ValueError(value)
    return value


def _config(folder: Path) -> dict[str, Any]:
    path, text = folder / "config.resolved.yaml", result_text(folder, "config.resolved.yaml")
    data = parse_yaml(text, str(path))
    try:
        return {
            "trace": data["trace"],
            "accelerators": {(str(spec["design"]), str(spec["dataflow"])): spec for spec in data["accelerators"]},
            "energy_tables": data["energy_tables"],
            "dram_parts": data.get("dram_parts", {}),
        }
    except (KeyError, TypeError):
        raise not_ours(path) from None


def _flatten(data: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(data, dict):
        return {
            key: value
            for name, item in data.items()
            for key, value in _flatten(item, f"{prefix}.{name}" if prefix else str(name)).items()
        }
    return {prefix: list(data) if isinstance(data, tuple) else data}


def _runs(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    path, text = folder / "summary.json", result_text(folder, "summary.json")
    try:
        data = json.loads(text)
        if data["schema"] != RESULT_SCHEMA:
            found = f"is {data['schema']}, this program writes {RESULT_SCHEMA}"
            raise InputError(str(path), "schema", found, "make the result again with --out")
        for run in data["runs"]:
            for quantity in _TOTALS:
                _number(run[quantity])
        return {(str(run["design"]), str(run["dataflow"])): run for run in data["runs"]}
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError):
        raise not_ours(path) from None


def _rows(folder: Path) -> dict[Run, Rows]:
    """Return the quantities of a folder by run, and by phase, layer and pass."""
    path, text = folder / "layers.csv", result_text(folder, "layers.csv")
    found: dict[Run, Rows] = {}
    try:
        columns, table = csv_rows(text)
        if not {*_KEY, *_QUANTITIES} <= set(columns):
            raise not_ours(path)
        for row in table:
            design, dataflow, *place = (row[name] for name in _KEY)
            rows = found.setdefault((design, dataflow), {})
            total = rows.setdefault(tuple(place), dict.fromkeys(_QUANTITIES, 0))
            for quantity, kind in _QUANTITIES.items():
                total[quantity] += _number(kind(row[quantity]))
    except (csv.Error, ValueError, TypeError) as error:
        raise error if isinstance(error, InputError) else not_ours(path) from None
    return found
