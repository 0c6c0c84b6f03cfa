"""Record what an ONNX graph holds as layers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workloads.foundation.errors import InputError
from workloads.graph import Shape
from workloads.importers import Imported, InputOptions
from workloads.importers.onnx.batch import Batch, find_inputs
from workloads.importers.onnx.dry_run import dry_run, unreadable
from workloads.importers.onnx.operators import DECIDES, find_operator
from workloads.importers.onnx.tensors import Operation, Run, Tensor
from workloads.recording.flow import Flow
from workloads.recording.recording import finished
from workloads.recording.table import record
from workloads.recording.tape import Tape
from workloads.recording.values import Place
from workloads.trace import NOT_RECORDED

_INFERENCE = "An inference graph taken as a training workload: what its export folded away, batch norms say, is gone."
_MENDED = (
    "write its shape into the file (python -m onnxruntime.tools.symbolic_shape_infer --auto_merge), or cut the model"
    " there with onnx.utils.extract_model"
)


def imported(path: Path, model: Any, options: InputOptions) -> Imported:
    """Return the layers of a model that onnx has loaded.

    Raises
    ------
    InputError
        If its inputs are not fixed, or a node does not fit its operands; notes so far are added to it.
    """
    file = str(path)
    inputs = find_inputs(file, model, options)
    run, batch, doubled = _first_that_runs(file, model, inputs.candidates)
    own = () if batch.size == inputs.candidates[0].size else (" Other sizes of it do not run.",)
    notes = (_INFERENCE, "".join((inputs.batch_note, *own)))
    tape = Tape(batch.size, run.parameters, Flow())
    with _notes_with_errors(tape, notes):
        for name, tensor in run.inputs.items():
            _know_doubled(tape, tensor, doubled, ())
            tape.add_input(name, tensor)
        _record(file, tape, run.operations, doubled)
        found = finished(tape, path.stem)
    return Imported(found.inputs, found.layers, (*notes, *found.missing_notes), inputs.candidates[-1].size)


@contextmanager
def _notes_with_errors(tape: Tape, notes: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        for note in (*notes, *(f"{NOT_RECORDED}{note}" for note in tape.notes())):
            error.add_note(note)
        raise


def _first_that_runs(file: str, model: Any, candidates: Sequence[Batch]) -> tuple[Run, Batch, dict[Tensor, Shape]]:
    """Return the first size of the batch that runs at twice of it too, or the last that runs at all.

    A file may hold the batch in its constants, and then runs at no other size.
    """
    for batch in candidates:
        try:
            run = dry_run(file, model, batch.shapes)
            doubled = _doubled(run, dry_run(file, model, batch.doubled))
        except InputError:
            continue
        if doubled:
            return run, batch, doubled
    return dry_run(file, model, candidates[-1].shapes), candidates[-1], {}


def _doubled(run: Run, twice: Run) -> dict[Tensor, Shape]:
    """Return the shape of every tensor at twice the batch; nothing if samples do not run apart."""
    if _order(run) != _order(twice):
        return {}
    pairs = [(one, two) for ops in zip(run.operations, twice.operations, strict=True)
             for one, two in zip(ops[0].outputs, ops[1].outputs, strict=True)]  # fmt: skip
    pairs += zip(run.inputs.values(), twice.inputs.values(), strict=True)
    pairs += zip(run.constants, twice.constants, strict=True)
    if any(prod(two.shape) not in (prod(one.shape), 2 * prod(one.shape)) for one, two in pairs if one.known):
        return {}
    return {one: two.shape for one, two in pairs if one.known and two.known and one.dim() == two.dim()}


def _order(run: Run) -> list[tuple[str, int]]:
    """Return what ran, and how many tensors each makes."""
    return [("", len(run.constants)), *((one.place, len(one.outputs)) for one in run.operations)]


def _know_doubled(tape: Tape, tensor: Tensor, doubled: dict[Tensor, Shape], operands: Sequence[Tensor]) -> None:
    if tensor in doubled:
        tape.values.set_doubled(tensor, doubled[tensor])
    elif not doubled:
        tape.values.grow(tensor, operands)


def _record(file: str, tape: Tape, operations: Sequence[Operation], doubled: dict[Tensor, Shape]) -> None:
    """Record operations; what reads a tensor without a shape is left out, and a product of it refused."""
    lost: dict[Tensor, str] = {}
    for number, call in enumerate(operations):
        tape.place = Place(call.place, number, True)
        for out in call.outputs:
            _know_doubled(tape, out, doubled, call.tensors)
        try:
            if all(one.known for one in (*call.tensors, *call.outputs)):
                _record_known(tape, call)
            else:
                _leave_out(tape, call, lost)
        except InputError as error:
            raise InputError(file, call.place, error.problem, error.remedy) from None
        except ValidationError as error:
            problem = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise InputError(file, call.place, f"{call.kind}: {problem}", "check the model") from None
        except Exception as error:
            problem = unreadable(call.kind, error)
            raise InputError(file, call.place, problem, "check the model; if it is right, report it") from error


def _record_known(tape: Tape, call: Operation) -> None:
    operator = find_operator(call)
    if operator.family == "product" and not call.out.numel():
        problem = f"{call.kind} makes an empty tensor {list(call.out.shape)}"
        raise InputError("", "", problem, "check the model, or give larger inputs with --shape")
    empty = [one for one in call.outputs if not one.numel()]
    if empty:
        tape.touch(call.tensors)
        tape.compute(call, (), empty)
        call = replace(call, results=tuple(one if one and one.numel() else None for one in call.results))
    if call.outputs or not empty:
        record(tape, call, operator, DECIDES.get(call.kind))


def _leave_out(tape: Tape, call: Operation, lost: dict[Tensor, str]) -> None:
    tape.touch(call.tensors)
    cause = next((lost[one] for one in call.tensors if one in lost), "")
    if find_operator(call).family == "product":
        problem = f"{call.kind} reads a tensor whose shape is not known, because {cause or call.kind} gives none"
        raise InputError("", "", problem, _MENDED)
    if not cause:
        cause = f"{call.kind} at {call.place}"
        tape.note(f"the shape of what {call.kind} makes is not known; it and what reads it are left out", tape.here)
    lost |= dict.fromkeys(call.outputs, cause)
