"""Keys of a DRAM part that a spec gives in place of the part's own, such as ``dram.timing_cycles.CL``."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, create_model

from simulator.dram.part import CommandBusCycles, CurrentsMa, DramPart, Organization, PartPower, TimingCycles
from workloads.foundation.overlay import laid_over
from workloads.foundation.validation import SparseModel, validate


def _changes(model: type[BaseModel], above: str, **inner: type[BaseModel]) -> type[SparseModel]:
    """Return a model with every key of a part's section, all of them optional."""
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        own: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        one = inner.get(name, own)
        fields[name] = (one | None, Field(None, description=f"In place of the part's `{above}.{name}`."))
    return create_model(f"{model.__name__}Changes", __base__=SparseModel, __module__=__name__, **fields)


if TYPE_CHECKING:
    from workloads.foundation.validation import SparseModel as CommandBusCyclesChanges
    from workloads.foundation.validation import SparseModel as OrganizationChanges
    from workloads.foundation.validation import SparseModel as PartPowerChanges
    from workloads.foundation.validation import SparseModel as TimingCyclesChanges
else:  # by the names under which pickle looks for them
    OrganizationChanges = _changes(Organization, "organization")
    TimingCyclesChanges = _changes(TimingCycles, "timing_cycles")
    CommandBusCyclesChanges = _changes(CommandBusCycles, "command_bus_cycles")
    CurrentsMaChanges = _changes(CurrentsMa, "power.currents_ma")
    PartPowerChanges = _changes(PartPower, "power", currents_ma=CurrentsMaChanges)


class PartChanges(SparseModel):
    """What a spec says of its part beside the part's name."""

    clock_hz: Annotated[int, Field(ge=10**6, le=10**11)] | None = None
    """In place of the part's `clock_hz`."""
    organization: OrganizationChanges | None = None
    timing_cycles: TimingCyclesChanges | None = None
    command_bus_cycles: CommandBusCyclesChanges | None = None
    power: PartPowerChanges | None = None

    def changed(self, part: DramPart) -> DramPart:
        """Return a part with these keys in place of its own.

        Raises
        ------
        InputError
            If they do not fit each other or the rest of the part.
        """
        given = self.model_dump(exclude_none=True, include=set(PartChanges.model_fields))
        return validate(DramPart, laid_over(part.model_dump(), given), "") if given else part
