"""What is asked of points: results, or expressions over results and settings."""

from math import isfinite
from typing import Any

from simulator.sweep.point import BESIDE_BASELINE, TOTALS, Point
from simulator.sweep.space import Space, machine_values
from workloads.foundation.errors import InputError

Row = dict[str, Any]
_LARGEST = 1e300
_SIGNS = {"min": 1.0, "max": -1.0}


class Objectives:
    """The objectives of a sweep.

    Attributes
    ----------
    directions : dict of str to str
        `min` or `max` by result or expression.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self.directions = dict(space.sweep.objectives)

    def check_kinds(self, point: Point) -> None:
        """Refuse an objective that is a text or a list at a point, before the point has results.

        Raises
        ------
        InputError
            If there is one.
        """
        row = {**point.values, "design": point.design, **dict.fromkeys((*TOTALS, *BESIDE_BASELINE), 1.0)}
        for name, expression in self._space.objectives.items():
            try:
                value = expression.value(lambda key: self._value(row, key))
            except InputError:  # results may give a value where these numbers do not
                continue
            if not isinstance(value, int | float):
                raise self._no_number(name, value)

    def reached(self, row: Row) -> list[Any]:
        """Return what a row reaches of each objective.

        Raises
        ------
        InputError
            If an objective has no value, since no baseline ran, say.
        """
        return [one.value(lambda name: self._value(row, name)) for one in self._space.objectives.values()]

    def values(self, row: Row) -> list[float]:
        """Return the same, less being better in each.

        Raises
        ------
        InputError
            If an objective's value is no finite number.
        """
        found = zip(self.directions.items(), self.reached(row), strict=True)
        return [_SIGNS[direction] * self._number(name, value) for (name, direction), value in found]

    def _number(self, name: str, value: Any) -> float:
        if not isinstance(value, int | float) or abs(value) > _LARGEST or not isfinite(value):
            raise self._no_number(name, value)
        return float(value)

    def _no_number(self, name: str, value: Any) -> InputError:
        text = value if isinstance(value, str) else repr(value)[:40] if isinstance(value, float | list) else "too large"
        remedy = "name a result or a setting that is a number"
        return InputError(self._space.where, f"objectives.{name}", f"is {text}", remedy)

    def _value(self, row: Row, name: str) -> Any:
        if row.get(name) is not None:
            return row[name]
        if name in BESIDE_BASELINE:
            problem = f"no {name}: no baseline of the same machine ran"
            raise InputError(self._space.where, "objectives", problem, "add baseline to design, or another objective")
        return machine_values(self._space.machine, str(row["design"]), str(row.get("dataflow", "")))[name]
