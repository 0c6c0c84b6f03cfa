"""The DRAM models that a spec can name, one file each; a new file is found by itself.

A file holds one model, `DRAM_MODEL`; see `simulator/dram/model.py` for what it must say.
"""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, get_args

from pydantic import Field

from simulator.dram.model import DramModel
from workloads.foundation.registry import registry


def _model_of(kind: type[DramModel]) -> str:
    return str(get_args(kind.model_fields["model"].annotation)[0])


DRAM_MODELS: dict[str, type[DramModel]] = registry(__name__, "DRAM_MODEL", "dram_models", DramModel, _model_of)

if TYPE_CHECKING:
    DramSpec = DramModel
else:
    DramSpec = Annotated[reduce(or_, DRAM_MODELS.values()), Field(discriminator="model")]
