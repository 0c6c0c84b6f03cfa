"""What differs between two result folders, as plain data."""

import csv
import json
from pathlib import Path
from typing import Any

from simulator.outputs.csv_text import csv_rows
from simulator.outputs.result_text import not_ours, result_text
from simulator.run.results import RESULT_SCHEMA
from workloads.foundation.errors import InputError
from workloads.foundation.strict_yaml import parse_yaml

_TOTALS = ("total_cycles", "energy_pj", "memory_energy_pj", "speedup", "energy_reduction", "peak_dram_bytes")
_QUANTITIES: dict[str, type] = {
    "cycles": int, "compute_cycles": int, "stall_load_cycles": int, "stall_store_cycles": int,
    "stall_other_array_cycles": int, "stall_buffer_port_cycles": int, "macs": int,
    "dram_read_bytes": int, "dram_write_bytes": int, "energy_pj": float,
}  # fmt: skip
_KEY = ("design", "dataflow", "phase", "layer", "pass")
Rows = dict[tuple[str, ...], dict[str, Any]]


def compare_folders(a: Path, b: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the parameters, run totals and layer rows that differ between two result folders.

    Rows of one layer and pass in one phase are added up. Layer rows are sorted by quantity, and within one by
    their change, largest first.

    Raises
    ------
    InputError
        If a folder holds no result.
    """
    parameters = [
        {"key": key, "a": va, "b": vb}
        for key, va, vb in _pairs(_flatten(_config(a)), _flatten(_config(b)))
        if va != vb
    ]  # fmt: skip
    totals = [
        {"design": design, "dataflow": dataflow, "quantity": quantity, "a": _get(ra, quantity), "b": _get(rb, quantity)}
        for (design, dataflow), ra, rb in _pairs(_runs(a), _runs(b))
        for quantity in _TOTALS
        if _get(ra, quantity) != _get(rb, quantity)
    ]
    layers = [
        dict(zip(_KEY, key, strict=True)) | {"quantity": quantity, "a": _get(ra, quantity), "b": _get(rb, quantity)}
        for key, ra, rb in _pairs(_rows(a), _rows(b))
        for quantity in _QUANTITIES
        if _get(ra, quantity) != _get(rb, quantity)
    ]
    order = list(_QUANTITIES)
    layers.sort(key=lambda row: (order.index(row["quantity"]), -abs((row["b"] or 0) - (row["a"] or 0))))
    return {"parameters": parameters, "totals": totals, "layers": layers}


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
        # by design, so that a comparison of fewer designs does not shift every entry
        accelerators = {f"{spec['design']} {spec['dataflow']}": spec for spec in data["accelerators"]}
        parts = data.get("dram_parts", {})
        return {"trace": data["trace"], "accelerators": accelerators, "energy_tables": data["energy_tables"],
                "dram_parts": parts}  # fmt: skip
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


def _rows(folder: Path) -> Rows:
    path, text = folder / "layers.csv", result_text(folder, "layers.csv")
    rows: Rows = {}
    try:
        columns, table = csv_rows(text)
        if not {*_KEY, *_QUANTITIES} <= set(columns):
            raise not_ours(path)
        for row in table:
            total = rows.setdefault(tuple(row[name] for name in _KEY), dict.fromkeys(_QUANTITIES, 0))
            for quantity, kind in _QUANTITIES.items():
                total[quantity] += _number(kind(row[quantity]))
    except (csv.Error, ValueError, TypeError) as error:
        raise error if isinstance(error, InputError) else not_ours(path) from None
    return rows
