"""The DRAM models that a spec can name, one file each; a new file is found by itself.

A file holds one model, `DRAM_MODEL`; see `simulator/dram/model.py` for what it must say.
"""

import importlib
import pkgutil
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, get_args

from pydantic import Field

from simulator.dram.model import DramModel


def _found() -> dict[str, type[DramModel]]:
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    kinds: list[type[DramModel]] = [module.DRAM_MODEL for module in modules]
    return {get_args(kind.model_fields["model"].annotation)[0]: kind for kind in kinds}


DRAM_MODELS = _found()

if TYPE_CHECKING:
    DramSpec = DramModel
else:
    DramSpec = Annotated[reduce(or_, DRAM_MODELS.values()), Field(discriminator="model")]


def dram_keys(model: object) -> set[str]:
    """Return the keys that a model of this name has; none for a name that no model has."""
    return set(DRAM_MODELS[model].model_fields) if isinstance(model, str) and model in DRAM_MODELS else set()
