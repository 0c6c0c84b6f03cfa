"""Find a user's model and record it; what goes wrong is a one-line error.

torch is imported only when a model is recorded, so that its absence is a one-line error, too.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workloads.foundation.errors import InputError, nearest

if TYPE_CHECKING:
    from torch import nn

    from workloads.recording.recording import Recording

# Is in the error of a torchvision whose operators are not there.
_TORCHVISION = "torchvision::"


def check_inputs(input_shapes: Sequence[Sequence[int]], input_dtypes: Sequence[str]) -> int:
    """Return the batch size, the first dimension of the first input.

    Raises
    ------
    InputError
        If a shape or the number of types is wrong.
    """
    if not input_shapes or not all(input_shapes):
        raise InputError("inputs", "", "no shape is given", "give one for each input, such as 128,3,32,32")
    for index, shape in enumerate(input_shapes):
        if min(shape) < 1:
            raise InputError("inputs", f"[{index}]", f"is {tuple(shape)}", "give sizes of at least 1")
    if len(input_dtypes) > len(input_shapes):
        raise InputError("inputs", "", f"{len(input_dtypes)} types for {len(input_shapes)} inputs", "give one an input")
    return input_shapes[0][0]


@contextmanager
def torch_extra(where: str) -> Iterator[None]:
    """Tell a missing package, or a torchvision that does not fit its torch, in one line."""
    try:
        yield
    except ImportError as error:
        raise InputError(
            where, "", f"{error.name} is needed for it and not installed", "run pip install '.[torch]' in a clone"
        ) from None
    except RuntimeError as error:
        if _TORCHVISION not in str(error):
            raise
        raise InputError(
            where, "", f"torchvision does not fit the installed torch ({error})", "install both from one source"
        ) from None


def find_callable(target: str) -> Callable[[], Any]:
    """Return what ``module:callable`` names; modules of the current folder are found.

    Raises
    ------
    InputError
        If there is no such module or callable.
    """
    module_name, colon, attribute = target.partition(":")
    if not (module_name and colon and attribute):
        example = f"{target.removesuffix('.py') or 'mynet'}:make" if not colon else "mynet:make"
        remedy = f"write the module, a colon, and the callable that returns the model, such as {example}"
        raise InputError(target, "", "is no module:callable", remedy)
    if module_name.endswith(".py"):
        dotted = ".".join(Path(module_name.removesuffix(".py")).parts)
        raise InputError(target, "", "names a file, and not a module", f"write {dotted}:{attribute}")
    here = str(Path.cwd())
    sys.path.insert(0, here)  # a console script does not look into the current folder by itself
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        raise InputError(target, "", f"no module {error.name}", "check the name, or install what it needs") from None
    except Exception as error:  # the module is the user's own: anything can happen in it
        raise InputError(target, "", f"importing {module_name} fails: {_brief(error)}", "correct the module") from None
    finally:
        sys.path.remove(here)
    found = getattr(module, attribute, None)
    if not callable(found):
        known = [name for name in vars(module) if not name.startswith("_") and callable(getattr(module, name))]
        remedy = nearest(attribute, known) if known else "define one that returns the model"
        raise InputError(target, "", f"{module_name} has no callable {attribute}", remedy)
    return found


def record_anywhere(
    build: Callable[[], Any], shapes: Sequence[Sequence[int]], dtypes: Sequence[str], where: str
) -> "Recording":
    """Record on the meta device, where nothing is computed; on the CPU if the model needs values.

    Parameters
    ----------
    build : callable
        Makes the model.
    shapes, dtypes : sequence
        Of the arguments of its `forward`; float32 where a type is missing.
    where : str
        Names the model in errors.

    Raises
    ------
    InputError
        If the model is none, or does not run on these inputs.
    """
    failure = ""
    for device in ("meta", "cpu"):
        try:
            return _record_on(device, build, shapes, dtypes, where)
        except (InputError, ImportError):
            raise
        except Exception as error:  # the model is the user's own, and what fails on meta may run with values
            if _TORCHVISION in str(error):
                raise
            failure = _brief(error)
    given = ", ".join(str(tuple(shape)) for shape in shapes)
    raise InputError(where, "", f"the model does not run on inputs of {given}: {failure}", "give shapes that it takes")


def _record_on(
    device: str, build: Callable[[], Any], shapes: Sequence[Sequence[int]], dtypes: Sequence[str], where: str
) -> "Recording":
    import torch

    from workloads.pytorch.recorder import record_forward

    with torch.random.fork_rng(devices=[]), torch.device(device):
        model: nn.Module = build()
        if not isinstance(model, torch.nn.Module):
            raise InputError(where, "", f"returns a {type(model).__name__}", "return a torch.nn.Module")
        inputs = [torch.zeros(*shape, dtype=_dtype(dtypes[index] if index < len(dtypes) else "float32"))
                  for index, shape in enumerate(shapes)]  # fmt: skip
        return record_forward(model, inputs, shapes[0][0])


def _dtype(name: str) -> Any:
    import torch

    known = {key: value for key, value in vars(torch).items() if isinstance(value, torch.dtype)}
    if name not in known:
        raise InputError("input types", name, "is no type of torch", nearest(name, known))
    return known[name]


def _brief(error: Exception) -> str:
    first = str(error).strip().splitlines()
    return f"{type(error).__name__}: {first[0]}" if first else type(error).__name__
