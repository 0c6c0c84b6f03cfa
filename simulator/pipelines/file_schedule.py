"""A pipeline schedule of a user's own, from a YAML or CSV file; docs/pipelines.md describes both."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PositiveInt

from simulator.pipelines.blocking import refuse_blocked
from simulator.pipelines.operation import KINDS, Kind, Operation
from simulator.pipelines.programme import build_programme
from simulator.pipelines.schedule import Orders, PipelineSchedule, find_schedule
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.reading import read_text
from workloads.foundation.strict_yaml import parse_yaml
from workloads.foundation.validation import StrictModel, VersionOne, validate

_COLUMNS = ("device", "pass", "micro_batch", "stage")
MOST = 1 << 16  # operations of a file
Index = Annotated[int, Field(ge=0)]


class Entry(StrictModel):
    """One operation of a device."""

    pass_: Annotated[Kind, Field(alias="pass")]
    micro_batch: Index
    stage: Index


class ScheduleFile(StrictModel):
    """The YAML form: for each device its operations in order."""

    version: VersionOne
    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    stages: PositiveInt | None = None
    devices: Annotated[
        tuple[Annotated[tuple[Entry, ...], Field(min_length=1)], ...], Field(min_length=1, max_length=64)
    ]


@dataclass(frozen=True)
class FileSchedule:
    """A schedule for one number of devices and micro-batches."""

    name: str
    path: Path
    file_orders: Orders
    stage_count: int
    micro_batches: int
    description: str = ""
    source: str = "a file"
    rank: int = 100
    one_at_a_time: bool = False

    @property
    def devices(self) -> int:
        """Number of devices in the file."""
        return len(self.file_orders)

    def stages(self, devices: int) -> int:
        """Return the stages of the file."""
        return self.stage_count

    def orders(self, devices: int, micro_batches: int) -> Orders:
        """Return the orders of the file.

        Raises
        ------
        InputError
            If other numbers of devices or micro-batches are asked for.
        """
        for option, asked, here in (
            ("--devices", devices, self.devices), ("--micro-batches", micro_batches, self.micro_batches),
        ):  # fmt: skip
            if asked != here:
                raise InputError(str(self.path), option, f"is {asked}, and the file is for {here}", f"give {here}")
        return self.file_orders


def load_schedule(name_or_path: str) -> PipelineSchedule:
    """Return a shipped schedule by its name, or one from a file.

    Raises
    ------
    InputError
        If there is none, or the file's is not complete or blocks.
    """
    path = Path(name_or_path)
    if path.suffix or len(path.parts) > 1:
        return read_schedule(path)
    return find_schedule(name_or_path)


def read_schedule(path: Path) -> FileSchedule:
    """Read a schedule from a ``.csv`` file, or from YAML.

    Raises
    ------
    InputError
        If it is no schedule, if work is missing or doubled, or if devices would wait for each other.
    """
    text = read_text(path)
    if path.suffix == ".csv":
        name, description, orders, stages = path.stem, "", _read_csv(text, str(path)), None
    else:
        data = validate(ScheduleFile, parse_yaml(text, str(path)), str(path))
        name, description, stages = data.name, data.description, data.stages
        orders = tuple(tuple(Operation(e.micro_batch, e.stage, e.pass_) for e in order) for order in data.devices)
    operations = [operation for order in orders for operation in order]
    if len(operations) > MOST:
        raise InputError(str(path), "", f"has {len(operations)} operations", f"give at most {MOST}")
    stage_count = stages or 1 + max(operation.stage for operation in operations)
    micro_batches = 1 + max(operation.micro_batch for operation in operations)
    if stage_count * micro_batches > MOST:
        raise InputError(str(path), "", f"counts to {stage_count} stages and {micro_batches} micro-batches",
                         "number both from 0, without gaps")  # fmt: skip
    programme = build_programme(orders, stage_count, micro_batches, where=str(path))
    if not programme.goes_backward:
        raise InputError(
            str(path), "", "has no backward pass", "write a batch with one; Phase GP leaves it out by itself"
        )
    refuse_blocked(programme, str(path))
    return FileSchedule(name, path, orders, stage_count, micro_batches, description)


def _read_csv(text: str, where: str) -> Orders:
    reader = csv.DictReader(io.StringIO(text))
    columns = reader.fieldnames or []
    for column in columns:
        if column not in _COLUMNS:
            raise InputError(where, "line 1", f"unknown column {column!r}", nearest(str(column), _COLUMNS))
    for column in _COLUMNS:
        if column not in columns:
            raise InputError(where, "line 1", f"column {column!r} is missing", f"write {','.join(_COLUMNS)}")
    orders: dict[int, list[Operation]] = {}
    try:
        rows = list(reader)
    except csv.Error as error:
        raise InputError(
            where, f"line {reader.line_num}", f"not valid CSV: {error}", "correct the syntax there"
        ) from None
    for line, row in enumerate(rows, start=2):
        device, operation = _csv_row(row, where, line)
        orders.setdefault(device, []).append(operation)
    if not orders:
        raise InputError(where, "", "has no operations", "give one a line")
    devices = 1 + max(orders)
    for device in range(min(devices, 1 + len(orders))):
        if device not in orders:
            raise InputError(
                where, "device", f"device {device} has no operation", "number the devices from 0, without gaps"
            )
    if devices > 64:
        raise InputError(where, "device", f"there are {devices} devices", "give at most 64")
    return tuple(tuple(orders[device]) for device in range(devices))


def _csv_row(row: dict[str, Any], where: str, line: int) -> tuple[int, Operation]:
    if None in row or None in row.values():
        raise InputError(
            where, f"line {line}", "does not have one value for each column", f"write {','.join(_COLUMNS)}"
        )
    numbers = {}
    for column in ("device", "micro_batch", "stage"):
        text = row[column].strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise InputError(where, f"line {line}: {column}", f"is {text[:40]!r}", "give a whole number from 0")
        numbers[column] = int(text)
    kind = row["pass"].strip()
    for known in KINDS:
        if kind == known:
            return numbers["device"], Operation(numbers["micro_batch"], numbers["stage"], known)
    raise InputError(where, f"line {line}: pass", f"is {kind!r}", nearest(kind, KINDS))
