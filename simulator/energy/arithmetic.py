"""Energy and area of arithmetic by number format, as an energy table gives them."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from workloads.foundation.errors import InputError, nearest
from workloads.foundation.validation import SparseModel

Operation = Literal["multiply_add", "add"]
MOST_PJ = 1e9  # of one access: a millijoule, a thousand times what a refresh of a whole rank costs
MOST_UM2 = 1e9  # of one unit: a thousand square millimetres
Energy = Annotated[float, Field(ge=0.0, le=MOST_PJ, allow_inf_nan=False)]
Scale = Annotated[float, Field(gt=0.0, le=1000.0, allow_inf_nan=False)]
Area = Annotated[float, Field(gt=0.0, le=MOST_UM2, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]
_FORMAT = re.compile(r"([A-Za-z]+)([1-9][0-9]{0,3})(?![0-9])")  # of a number format's name: its kind and its bits


class Arithmetic(SparseModel):
    """Energy of operations by number format, and which format the words of a width have.

    A format's name tells its kind, then its bits, then what else tells it from others: `int8`, `fp16`, `fp8e4m3`. `bf`
    is of the kind `fp`. Sums as wide as words have the words' own format. Others are numbers of the words' kind at the
    width of partial sums, or, where the table has no such adder, the next wider one: a bound from above. All energies
    are multiplied by `scale`, and all areas, which tell how long a table's wires are, by `area_scale`.
    """

    word_formats: dict[int, Text]
    multiply_pj: dict[str, Energy]
    add_pj: dict[str, Energy]
    scale: Scale = 1.0
    source: Text
    scale_source: Text | None = None
    multiply_um2: dict[str, Area] | None = None
    add_um2: dict[str, Area] | None = None
    area_scale: Scale = 1.0
    area_source: Text | None = None

    @model_validator(mode="after")
    def _formats_are_known(self) -> "Arithmetic":
        for key in ("multiply_pj", "add_pj"):
            for name in getattr(self, key):
                if not _FORMAT.match(name):
                    remedy = "write its kind and then its bits, such as int8, fp16 or fp8e4m3"
                    raise InputError("", f"{key}.{name}", "does not name a width", remedy)
        for bits, name in self.word_formats.items():
            if name not in self.multiply_pj:
                raise InputError("", f"word_formats.{bits}", f"no multiply_pj of {name!r}",
                                 nearest(name, self.multiply_pj))  # fmt: skip
        if self.scale != 1.0 and self.scale_source is None:
            raise InputError("", "scale_source", "missing", "say where scale comes from")
        for key, energies in (("multiply_um2", self.multiply_pj), ("add_um2", self.add_pj)):
            areas = getattr(self, key)
            if areas is not None and areas.keys() != energies.keys():
                raise InputError("", key, f"is of {', '.join(areas)}", f"give one of each of {', '.join(energies)}")
        if (self.multiply_um2 is None) != (self.add_um2 is None) or (
            self.multiply_um2 is not None and self.area_source is None
        ):
            remedy = "give multiply_um2, add_um2 and area_source, or none of them"
            raise InputError("", "", "has no whole areas", remedy)
        return self

    def energy_pj(self, operation: Operation, word_bits: int, partial_sum_bits: int) -> float:
        """Return the energy of one operation, in picojoules.

        Raises
        ------
        InputError
            If the table has no arithmetic of these widths.
        """
        multiplier, adder = self._formats(word_bits, partial_sum_bits)
        add = self.add_pj[adder]
        return self.scale * (add if operation == "add" else self.multiply_pj[multiplier] + add)

    def area_um2(self, word_bits: int, partial_sum_bits: int) -> float:
        """Return the area of a multiplier and an adder, in square micrometres.

        Raises
        ------
        InputError
            If the table has no arithmetic of these widths.
        """
        assert self.multiply_um2 is not None and self.add_um2 is not None, "the table's own check"
        multiplier, adder = self._formats(word_bits, partial_sum_bits)
        return self.area_scale * (self.multiply_um2[multiplier] + self.add_um2[adder])

    def _formats(self, word_bits: int, partial_sum_bits: int) -> tuple[str, str]:
        """Return the formats of a multiplier and of an adder; of adders as wide the dearest, a bound from above too."""
        if word_bits not in self.word_formats:
            problem = f"is {word_bits}, and the energy table has no such arithmetic"
            remedy = f"give one of {', '.join(map(str, self.word_formats))}"
            raise InputError("the accelerator", "precision.word_bits", problem, remedy)
        name = self.word_formats[word_bits]
        if partial_sum_bits == word_bits and name in self.add_pj:
            return name, name
        kind = _kind_and_bits(name)[0]
        adders = [(bits, self.add_pj[adder], adder) for adder in self.add_pj
                  for adder_kind, bits in (_kind_and_bits(adder),) if adder_kind == kind]  # fmt: skip
        wide = [bits for bits, _, _ in adders if bits >= partial_sum_bits]
        if not wide:
            raise InputError(
                "the accelerator", "precision.partial_sum_bits",
                f"is {partial_sum_bits}, and the energy table has no {kind} adder as wide",
                f"give at most {max((bits for bits, _, _ in adders), default=0)}, or a table with one",
            )  # fmt: skip
        return name, max(one for one in adders if one[0] == min(wide))[2]


def _kind_and_bits(name: str) -> tuple[str, int]:
    found = _FORMAT.match(name)
    assert found is not None
    return "fp" if found[1] == "bf" else found[1], int(found[2])
