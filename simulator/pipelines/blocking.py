"""An order in which devices wait for each other is refused in one line, whoever wrote it: a file or a module."""

from simulator.pipelines.engine import DeadlockError
from simulator.pipelines.merging import lay_out
from simulator.pipelines.programme import Programme
from workloads.foundation.errors import InputError


def refuse_blocked(programme: Programme, where: str) -> None:
    """Refuse a batch whose devices wait for each other.

    Raises
    ------
    InputError
        If they do; it names `where`, an operation that never starts, and what it waits for.
    """
    try:
        lay_out(programme)
    except DeadlockError as error:
        raise _blocked(error, programme, where) from None


def _blocked(error: DeadlockError, programme: Programme, where: str) -> InputError:
    """Name an operation of a circle of waits, what it waits for, and the operation before that on its device."""
    waits = {programme.placed[head[1]].device: (head[1], need[1]) for head, need in error.blocked if need is not None}
    device, seen = min(waits), set[int]()
    while device not in seen:  # from a device to the one it waits for, until one comes again
        seen.add(device)
        device = programme.placed[waits[device][1]].device
    one, wanted = (programme.placed[index] for index in waits[device])
    head = programme.placed[waits[wanted.device][0]].operation
    problem = (
        f"never starts on device {one.device}: it waits for {wanted.operation}, which comes on device "
        f"{wanted.device} after {head}"
    )
    return InputError(where, str(one.operation), problem, "change the order of one of these devices")
